//! The controller of a feed's doors: does what it is told, at once, and says so.

use std::collections::VecDeque;

use ach_actors_model::{DoorMode, Timestamp};
use ach_clients_rust::{DoorOrders, PublishError, Publisher, Report, WireDoorOrder};
use ach_engine_wire::ReportWord;

/// The controller of one feed.
#[derive(Debug)]
pub(crate) struct DoorController {
    feed: String,
    orders: DoorOrders,
    /// What is still to be said.
    waiting: VecDeque<Report>,
}

impl DoorController {
    /// That of a feed.
    pub(crate) fn new(feed: &str, publisher: &Publisher) -> DoorController {
        let orders = publisher.door_orders();
        DoorController { feed: feed.to_owned(), orders, waiting: VecDeque::new() }
    }

    /// Its feed.
    pub(crate) fn feed(&self) -> &str {
        &self.feed
    }

    /// Does what it was told meanwhile. What finds no room is said the next time.
    ///
    /// # Errors
    ///
    /// The publisher refuses for good.
    pub(crate) fn obey(
        &mut self,
        publisher: &Publisher,
        now: Timestamp,
    ) -> Result<(), PublishError> {
        while let Some(order) = self.orders.try_next() {
            self.waiting.extend(obeyed(&order, now));
        }
        while let Some(report) = self.waiting.front() {
            match publisher.try_report(report) {
                Ok(_) => drop(self.waiting.pop_front()),
                Err(PublishError::Full { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What a door says once it has done as it was told.
pub fn obeyed(order: &WireDoorOrder, now: Timestamp) -> [Report; 2] {
    let done = ReportWord::OrderDone { number: order.number };
    [lock_word(order.mode), done].map(|word| Report::door(order.door.clone(), now, word))
}

/// What a door's lock does in a mode.
pub fn lock_word(mode: DoorMode) -> ReportWord {
    match mode {
        DoorMode::Unlocked => ReportWord::DoorUnlocked,
        DoorMode::Locked | DoorMode::Blocked => ReportWord::DoorLocked,
    }
}
