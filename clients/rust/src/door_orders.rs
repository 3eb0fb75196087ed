//! What a vendor's doors are told to do: the newest order of each door, once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ach_actors_model::Name;
use ach_engine_wire::WireDoorOrder;
use tokio::sync::watch;

/// The newest order of each door, and when it came.
#[derive(Debug)]
pub(crate) struct OrderBook {
    orders: Mutex<BTreeMap<Name, (u64, WireDoorOrder)>>,
    /// Counts orders that were news.
    news: watch::Sender<u64>,
}

impl OrderBook {
    pub(crate) fn new() -> OrderBook {
        OrderBook { orders: Mutex::default(), news: watch::Sender::new(0) }
    }

    /// Takes an order. One that is not later than what the door was told last is told again, or out of
    /// date.
    pub(crate) fn take(&self, order: WireDoorOrder) {
        let rank = |order: &WireDoorOrder| (order.fencing_epoch, order.number);
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let known = orders.get(&order.door);
        if known.is_some_and(|(_, known)| rank(known) >= rank(&order)) {
            return;
        }
        let number = self.news.borrow().saturating_add(1);
        orders.insert(order.door.clone(), (number, order));
        drop(orders);
        self.news.send_replace(number);
    }

    /// The first order that came after another one, and is still the newest of its door.
    fn after(&self, seen: u64) -> Option<(u64, WireDoorOrder)> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let later = orders.values().filter(|(number, _)| *number > seen);
        later.min_by_key(|(number, _)| *number).cloned()
    }

    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

/// What doors are told, order by order. Of a door that was told several things meanwhile the newest comes
/// alone: an order says how a door is to be.
#[derive(Debug)]
pub struct DoorOrders {
    pub(crate) shared: std::sync::Arc<crate::shared::Shared>,
    pub(crate) news: watch::Receiver<u64>,
    pub(crate) seen: u64,
}

impl DoorOrders {
    /// The next order, if there is one.
    pub fn try_next(&mut self) -> Option<WireDoorOrder> {
        let (number, order) = self.shared.orders.after(self.seen)?;
        self.seen = number;
        Some(order)
    }

    /// The next order; `None` once the publisher has ended. May be cancelled.
    pub async fn next(&mut self) -> Option<WireDoorOrder> {
        loop {
            self.news.borrow_and_update();
            if let Some(order) = self.try_next() {
                return Some(order);
            }
            tokio::select! {
                biased;
                // An error cannot come: the sender is in what is shared.
                _ = self.news.changed() => {}
                _ = self.shared.ended() => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{DoorMode, Timestamp};

    use super::*;

    fn order(door: &str, fencing_epoch: u64, number: u64) -> WireDoorOrder {
        WireDoorOrder {
            door: Name::new(door).unwrap(),
            number,
            mode: DoorMode::Locked,
            slot: None,
            given_at: Timestamp(0),
            until: None,
            is_drill: false,
            fencing_epoch,
        }
    }

    #[test]
    fn an_order_that_is_no_news_is_not_told() {
        let book = OrderBook::new();
        for (door, epoch, number) in
            [("a", 1, 5), ("b", 1, 9), ("a", 1, 5), ("a", 1, 4), ("a", 2, 1), ("b", 1, 10)]
        {
            book.take(order(door, epoch, number));
        }
        let mut told = Vec::new();
        let mut seen = 0;
        while let Some((number, order)) = book.after(seen) {
            seen = number;
            told.push((order.door.to_string(), order.fencing_epoch, order.number));
        }
        assert_eq!(told, [("a".to_owned(), 2, 1), ("b".to_owned(), 1, 10)]);
    }
}
