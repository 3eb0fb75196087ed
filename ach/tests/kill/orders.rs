//! Doors at a node that is killed: what a door was told, and what an operator was told is done, holds, whatever
//! died in between.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ach_actors_model::{DoorMode, DoorSlot, NS_PER_S, Name};
use ach_clients_rust::{
    DoorActWord, DoorOrders, Operator, Publisher, PublisherOptions, Remark, WireDoorOrder,
    WireDoorWish,
};
use ach_engine_site::{ControlPlan, DoorPlan};

use crate::lives::Lives;
use crate::process::Process;
use crate::{PATIENCE, connect, ward};

/// How often the node dies unless the environment says otherwise.
const KILLS_DEFAULT: u64 = 10;

/// It dies within so many milliseconds after somebody began to move a door.
const MOVING_MS: (u64, u64) = (0, 20);

/// A door is moved for so long: longer than the test takes.
const MOVED_S: u64 = 3_600;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The site, with a door between corridor and vault that the node moves.
fn directory() -> ach_engine_site::SiteDirectory {
    let mut site = ward::directory();
    site.controls.push(ControlPlan::new(name("kept-locked")));
    site.floors[0].doors.push(DoorPlan {
        id: name("vault-door"),
        name: "Vault".to_owned(),
        labels: Vec::new(),
        feed: Some(name(ward::FEED)),
        control: Some(name("kept-locked")),
        sill_mm: ((ward::VAULT_WEST_MM, 24_000), (ward::VAULT_WEST_MM, 26_000)),
    });
    site
}

/// What an operator wishes in a turn: each turn another mode than the one before, each under a key of its own.
fn wish(turn: u64) -> WireDoorWish {
    WireDoorWish {
        door: name("vault-door"),
        act: DoorActWord::Move,
        mode: Some(if turn.is_multiple_of(2) { DoorMode::Unlocked } else { DoorMode::Blocked }),
        for_ns: Some(MOVED_S * NS_PER_S),
        key: Some(u128::from(turn) + 1),
        void_at: None,
        person: None,
        remark: Some(Remark::new("delivery").unwrap()),
    }
}

/// Moves the door, until it is ended. Whether that was answered as durable.
async fn move_door(desk: &mut Operator, turn: u64) -> bool {
    desk.move_door(wish(turn)).await.is_ok_and(|cursor| cursor.is_some())
}

/// What the door is to do, as the node tells operators.
async fn in_force_at(desk: &mut Operator) -> WireDoorOrder {
    let doors = desk.doors().await.unwrap().doors;
    let door = doors.into_iter().find(|door| door.door == name("vault-door"));
    door.expect("the door is known").order.expect("it is moved")
}

/// A controller of the door, from its connection to the death of the node, and all that it was told.
struct Controller {
    _publisher: Publisher,
    told: Arc<Mutex<Vec<WireDoorOrder>>>,
    hearing: tokio::task::JoinHandle<()>,
}

impl Controller {
    /// Connects, and waits for the order in force.
    async fn connect(node: &Process, files: &Path) -> (Controller, WireDoorOrder) {
        let publisher = connect(node, files).await.publisher(PublisherOptions::default()).unwrap();
        let mut orders = publisher.door_orders();
        let first = next(&mut orders).await;
        let told = Arc::new(Mutex::new(vec![first.clone()]));
        let book = Arc::clone(&told);
        let hearing = tokio::spawn(async move {
            while let Some(order) = orders.next().await {
                book.lock().unwrap().push(order);
            }
        });
        (Controller { _publisher: publisher, told, hearing }, first)
    }

    /// Waits until it was told an order.
    async fn hears(&self, order: &WireDoorOrder) {
        let hearing = async {
            while what(&self.latest()) != what(order) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("the door is told");
    }

    fn latest(&self) -> WireDoorOrder {
        self.told.lock().unwrap().last().unwrap().clone()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

async fn next(orders: &mut DoorOrders) -> WireDoorOrder {
    let told = tokio::time::timeout(PATIENCE, orders.next()).await;
    told.expect("an order in time").expect("the publisher lives")
}

/// What makes two orders the same one, whoever leads.
fn what(order: &WireDoorOrder) -> (u64, DoorMode, Option<DoorSlot>, u64) {
    (order.number, order.mode, order.slot, order.given_at.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_door_was_told_and_what_was_answered_as_done_is_in_force_after_a_kill() {
    let mut lives = Lives::begin(&directory(), KILLS_DEFAULT).await;
    let feed = lives.enrol("vendor", ward::FEED).await;
    let files = lives.enrol("operator", "desk").await;
    let (mut controller, first) = Controller::connect(&lives.node, &feed).await;
    assert_eq!((first.mode, first.slot), (DoorMode::Locked, None), "as it rests");
    let (mut answered_count, mut told_count) = (0, 0);
    for turn in 0..lives.kills {
        let before = controller.latest();
        let wanted = wish(turn).mode;
        let mut desk = connect(&lives.node, &files).await.operator();
        let dies_after = Duration::from_millis(lives.chance.between(MOVING_MS));
        let moving = move_door(&mut desk, turn);
        let was_answered = tokio::time::timeout(dies_after, moving).await == Ok(true);
        lives.die().await;
        let told = controller.latest();
        lives.rise().await;
        let (anew, in_force) = Controller::connect(&lives.node, &feed).await;
        controller = anew;
        // An order that locks leaves once it is on disk, so none that was told is forgotten.
        let was_told = told.number > before.number;
        if was_told || in_force.number == before.number {
            assert_eq!(what(&in_force), what(&told), "told, and forgotten");
        }
        assert!(in_force.number >= told.number, "{in_force:?} after {told:?}");
        assert!(in_force.fencing_epoch >= told.fencing_epoch, "{in_force:?} after {told:?}");
        if was_answered {
            assert_eq!(Some(in_force.mode), wanted, "answered, and forgotten");
        }
        answered_count += u64::from(was_answered);
        told_count += u64::from(was_told);
        // Whoever heard no answer asks again under the same key, and it is done once.
        let is_done = Some(in_force.mode) == wanted && in_force.slot == Some(DoorSlot::Operator);
        let mut desk = connect(&lives.node, &files).await.operator();
        assert!(move_door(&mut desk, turn).await, "asked again under its key");
        let standing = in_force_at(&mut desk).await;
        assert_eq!((Some(standing.mode), standing.slot), (wanted, Some(DoorSlot::Operator)));
        if is_done {
            assert_eq!(what(&standing), what(&in_force), "done, and done again");
        }
        controller.hears(&standing).await;
    }
    let kills = lives.kills;
    println!(
        "{answered_count} of {kills} were answered and {told_count} told before the node died"
    );
    lives.end().await;
}
