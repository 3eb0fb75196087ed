//! Doors that the node moves: what vendors are told, when, and what operators see of it.

use ach_actors_model::{ControlConfig, DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Practice};
use ach_clients_rust::{
    Code, Cursor, DoorActWord, DoorOrders, Name, Operator, OperatorError, Publisher, Remark,
    Report, ReportWord, WireDoor, WireDoorOrder, WireDoorWish, WireEmergencyWish, now,
};
use ach_engine_journal::{SimDisk, StallingDisk};
use ach_engine_net::Role;
use ach_engine_node::Running;

use crate::audit::{check_has, drain, records};
use crate::ward::{Ward, in_time, name};

const DISK_BYTES: u64 = 256 << 20;
const HOUR_NS: u64 = 3_600_000_000_000;

/// A ward whose vault has a door that is moved.
pub(crate) fn moved() -> Ward {
    let mut ward = Ward::new();
    ward.site.doors[0].control = Some(ControlConfig {
        rests: DoorMode::Locked,
        unlocked_when: Vec::new(),
        on_lockdown: Some(DoorMode::Blocked),
        opens_on_evacuation: true,
        opens_on_fire: true,
        moves_in_drill: true,
        fire_area: None,
        interlock: None,
        zones: vec![0, 1],
    });
    ward
}

fn vault() -> Name {
    name("vault-door")
}

pub(crate) fn wish(act: DoorActWord) -> WireDoorWish {
    let is_move = act == DoorActWord::Move;
    WireDoorWish {
        door: vault(),
        act,
        mode: is_move.then_some(DoorMode::Unlocked),
        for_ns: is_move.then_some(HOUR_NS),
        key: None,
        void_at: None,
        person: None,
        remark: Some(Remark::new("delivery").unwrap()),
    }
}

fn lockdown(for_ns: u64) -> WireEmergencyWish {
    WireEmergencyWish {
        kind: EmergencyKind::Lockdown,
        zone: Some(name("vault")),
        label: None,
        practice: Practice::Real,
        for_ns,
        key: None,
        void_at: None,
        person: None,
        remark: Some(Remark::new("theft").unwrap()),
    }
}

async fn operator(ward: &Ward, node: &Running) -> Operator {
    ward.client(node.address(), Role::Operator, "desk").await.operator()
}

async fn told(orders: &mut DoorOrders) -> WireDoorOrder {
    in_time("an order", orders.next()).await.expect("the publisher lives")
}

/// An order in words: `unlocked Operator`.
fn words(order: &WireDoorOrder) -> String {
    let slot = order.slot.map_or("rest".to_owned(), |slot| format!("{slot:?}"));
    format!("{:?} {slot}", order.mode).to_lowercase()
}

async fn report(vendor: &Publisher, word: ReportWord) {
    vendor.report(Report::door(vault(), now(), word)).await.unwrap();
    vendor.drain().await.unwrap();
}

async fn standing(operator: &mut Operator) -> WireDoor {
    let doors = operator.doors().await.unwrap().doors;
    doors.into_iter().find(|door| door.door == vault()).expect("the door is known")
}

#[track_caller]
fn refused(answer: Result<Option<Cursor>, OperatorError>) -> Code {
    match answer {
        Err(OperatorError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_is_told_what_its_door_is_to_do_and_an_operator_whether_it_does_it() {
    let ward = moved();
    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    let mut orders = vendor.door_orders();
    assert_eq!(words(&told(&mut orders).await), "locked rest", "with the welcome");
    let mut desk = operator(&ward, &node).await;
    assert!(desk.move_door(wish(DoorActWord::Move)).await.unwrap().is_some(), "it is durable");
    let order = told(&mut orders).await;
    assert_eq!(words(&order), "unlocked operator");
    let waits = standing(&mut desk).await;
    assert_eq!((waits.answer, waits.is_locked), (DoorAnswer::Waited, None));
    assert!(waits.is_connected);
    report(&vendor, ReportWord::DoorUnlocked).await;
    report(&vendor, ReportWord::OrderDone { number: order.number }).await;
    let follows = standing(&mut desk).await;
    assert_eq!((follows.answer, follows.is_locked), (DoorAnswer::Followed, Some(false)));
    report(&vendor, ReportWord::DoorLocked).await;
    assert_eq!(standing(&mut desk).await.answer, DoorAnswer::Deviates);
    desk.declare(lockdown(HOUR_NS)).await.unwrap();
    let blocked = told(&mut orders).await;
    assert_eq!(words(&blocked), "blocked lockdown");
    report(&vendor, ReportWord::OrderRefused { number: blocked.number }).await;
    assert_eq!(standing(&mut desk).await.answer, DoorAnswer::Refused);
    let running = desk.doors().await.unwrap().emergencies;
    assert_eq!((running.len(), running[0].door_count), (1, 1));
    desk.declare(lockdown(0)).await.unwrap();
    assert_eq!(words(&told(&mut orders).await), "unlocked operator");
    desk.move_door(wish(DoorActWord::GiveBack)).await.unwrap();
    assert_eq!(words(&told(&mut orders).await), "locked rest");
    drop((vendor, desk));
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "operator desk door_moved done [door vault-door, door_mode unlocked, seconds 3600]",
    );
    check_has(
        &records,
        "operator desk lockdown_declared done [zone vault, practice real, seconds 3600]",
    );
    check_has(&records, "operator desk door_given_back done [door vault-door]");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_outlive_the_node_and_are_told_anew_to_whoever_connects() {
    let ward = moved();
    let node = ward.start();
    let mut desk = operator(&ward, &node).await;
    desk.move_door(wish(DoorActWord::Move)).await.unwrap();
    desk.declare(lockdown(HOUR_NS)).await.unwrap();
    let vendor = ward.vendor(node.address()).await;
    let first = told(&mut vendor.door_orders()).await;
    assert_eq!(words(&first), "blocked lockdown", "it connected after the command");
    drop(desk);
    drain(node).await;
    let node = ward.start();
    drop(vendor);
    let vendor = ward.vendor(node.address()).await;
    let mut orders = vendor.door_orders();
    assert_eq!(told(&mut orders).await.number, first.number, "the same order");
    let mut desk = operator(&ward, &node).await;
    assert_eq!(desk.doors().await.unwrap().emergencies.len(), 1);
    desk.declare(lockdown(0)).await.unwrap();
    let next = told(&mut orders).await;
    assert_eq!(words(&next), "unlocked operator", "what an operator said is not forgotten");
    assert!(next.number > first.number);
}

#[tokio::test(flavor = "multi_thread")]
async fn letting_people_out_waits_for_no_disk_and_all_else_does() {
    let ward = moved();
    let disk = StallingDisk::new(SimDisk::new(1, DISK_BYTES));
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    let mut orders = vendor.door_orders();
    assert_eq!(words(&told(&mut orders).await), "locked rest");
    disk.stall();
    let mut first = operator(&ward, &node).await;
    let unlocking = tokio::spawn(async move {
        first.move_door(wish(DoorActWord::Move)).await.unwrap();
        first
    });
    // It is decided before the fire is, and waits.
    in_time("the command", async {
        while node.counters().commands_taken.get() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    vendor.report(Report::door(vault(), now(), ReportWord::FireOn)).await.unwrap();
    let order = told(&mut orders).await;
    assert_eq!(words(&order), "unlocked lifesafety");
    assert_eq!(order.slot, Some(DoorSlot::LifeSafety));
    assert!(!unlocking.is_finished(), "the receipt waits for the disk");
    vendor.report(Report::door(vault(), now(), ReportWord::FireOver)).await.unwrap();
    let mut third = operator(&ward, &node).await;
    let releasing = tokio::spawn(async move { third.move_door(wish(DoorActWord::Release)).await });
    let again = told(&mut orders).await;
    assert_eq!(words(&again), "unlocked lifesafety", "what came between waits");
    assert!(again.number > order.number && !releasing.is_finished());
    disk.go_on();
    in_time("the other receipt", releasing).await.unwrap().unwrap();
    let mut second = in_time("the receipt", unlocking).await.unwrap();
    second.move_door(wish(DoorActWord::EndRelease)).await.unwrap();
    assert_eq!(words(&told(&mut orders).await), "unlocked operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_move_doors_is_refused_and_what_is_wished_of_none_is_told_so() {
    let ward = moved();
    let node = ward.start();
    let mut receiver = ward.client(node.address(), Role::Receiver, "board").await.operator();
    assert_eq!(refused(receiver.move_door(wish(DoorActWord::Release)).await), Code::WrongRole);
    assert_eq!(refused(receiver.declare(lockdown(HOUR_NS)).await), Code::WrongRole);
    let mut desk = operator(&ward, &node).await;
    let elsewhere = WireDoorWish { door: name("nowhere"), ..wish(DoorActWord::Release) };
    assert_eq!(refused(desk.move_door(elsewhere).await), Code::UnknownThing);
    let timeless = WireDoorWish { for_ns: None, ..wish(DoorActWord::Move) };
    assert_eq!(refused(desk.move_door(timeless).await), Code::NotApplicable);
    let silent = WireDoorWish { remark: None, ..wish(DoorActWord::Move) };
    assert_eq!(refused(desk.move_door(silent).await), Code::NotApplicable);
    let late = WireDoorWish { void_at: Some(now()), ..wish(DoorActWord::Move) };
    assert_eq!(refused(desk.move_door(late).await), Code::TooLate);
    let both = WireEmergencyWish { label: Some(name("front")), ..lockdown(HOUR_NS) };
    assert_eq!(refused(desk.declare(both).await), Code::NotApplicable);
    let nowhere = WireEmergencyWish { zone: Some(name("nowhere")), ..lockdown(HOUR_NS) };
    assert_eq!(refused(desk.declare(nowhere).await), Code::UnknownThing);
    assert_eq!(refused(desk.declare(lockdown(0)).await), Code::NotApplicable);
    drop((receiver, desk));
    drain(node).await;
    let records = records(&ward);
    check_has(&records, "receiver board door_released refused code 33 [door vault-door]");
    check_has(&records, "operator desk lockdown_ended refused code 97 [zone vault, practice real]");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_connections_of_a_vendor_the_newer_is_told_its_orders() {
    let ward = moved();
    let node = ward.start();
    let older = ward.vendor(node.address()).await;
    let mut older_orders = older.door_orders();
    assert_eq!(words(&told(&mut older_orders).await), "locked rest");
    let newer = ward.vendor(node.address()).await;
    let mut orders = newer.door_orders();
    assert_eq!(words(&told(&mut orders).await), "locked rest");
    let mut desk = operator(&ward, &node).await;
    desk.move_door(wish(DoorActWord::Release)).await.unwrap();
    assert_eq!(words(&told(&mut orders).await), "unlocked lifesafety");
    assert!(in_time("the end", older_orders.next()).await.is_none(), "it was taken over");
}
