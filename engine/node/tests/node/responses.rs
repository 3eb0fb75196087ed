//! Doors that an alarm locks by itself: its vendor is told, receivers are told whom to hand it to, and a restart forgets
//! nothing of it.

use ach_actors_model::{DoorMode, DoorSlot, NS_PER_S, ResponseConfig, TagId};
use ach_clients_rust::{
    AlarmNote, AlarmUpdate, DoorActWord, DoorOrders, Publisher, Report, ReportWord, WireDoorOrder,
    now,
};
use ach_engine_audit::{Action, Outcome, Record};
use ach_engine_net::Role;
use ach_engine_node::Running;

use crate::audit::{drain, records};
use crate::door_orders::{moved, wish};
use crate::ward::{Alarms, Ward, in_time, name};

/// A ward whose vault is unlocked, and locked for an hour by a duress call that a camera is to look at.
fn responding() -> Ward {
    let mut ward = moved();
    let door = ward.site.doors.first_mut().unwrap();
    door.control.as_mut().unwrap().rests = DoorMode::Unlocked;
    for rule in ward.site.rules.iter_mut().filter(|rule| rule.id.as_str() == "duress") {
        rule.answer.responses = vec![ResponseConfig {
            id: name("hold-vault"),
            doors: vec![0],
            mode: DoorMode::Locked,
            for_ns: 3_600 * NS_PER_S,
            tell: vec![name("camera-4")],
        }];
    }
    ward
}

async fn told(orders: &mut DoorOrders) -> WireDoorOrder {
    in_time("an order", orders.next()).await.expect("the publisher lives")
}

async fn note(alarms: &mut Alarms) -> AlarmNote {
    loop {
        match in_time("news", alarms.stream.next()).await {
            Some(AlarmUpdate::Note(note)) => return *note,
            Some(_) => {}
            None => panic!("no more news"),
        }
    }
}

async fn button(vendor: &Publisher, word: ReportWord) {
    vendor.report(Report::tag(TagId(1), now(), word)).await.unwrap();
    vendor.drain().await.unwrap();
}

async fn desk(ward: &Ward, node: &Running) -> ach_clients_rust::Operator {
    ward.client(node.address(), Role::Operator, "desk").await.operator()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_locks_a_door_over_a_restart_until_it_is_over_and_a_person_overrules_it() {
    let ward = responding();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let mut orders = vendor.door_orders();
    assert_eq!(told(&mut orders).await.mode, DoorMode::Unlocked);
    button(&vendor, ReportWord::ButtonPressed).await;
    let raised = note(&mut alarms).await;
    let response = raised.response.as_deref().expect("it says what it does at once");
    assert_eq!(
        (&response.tell[..], &response.doors[..]),
        (&[name("camera-4")][..], &[name("vault-door")][..])
    );
    assert_eq!(response.until, Some(raised.observed_at.plus_ns(3_600 * NS_PER_S)));
    let locked = told(&mut orders).await;
    assert_eq!((locked.mode, locked.slot), (DoorMode::Locked, Some(DoorSlot::Response)));
    assert_eq!(locked.until, response.until);
    desk(&ward, &node).await.move_door(wish(DoorActWord::Move)).await.unwrap();
    let overruled = told(&mut orders).await;
    assert_eq!((overruled.mode, overruled.slot), (DoorMode::Unlocked, Some(DoorSlot::Operator)));
    drop(vendor);
    drain(node).await;

    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    let mut orders = vendor.door_orders();
    assert_eq!(told(&mut orders).await.slot, Some(DoorSlot::Operator));
    desk(&ward, &node).await.move_door(wish(DoorActWord::GiveBack)).await.unwrap();
    let again = told(&mut orders).await;
    assert_eq!((again.mode, again.slot), (DoorMode::Locked, Some(DoorSlot::Response)));
    button(&vendor, ReportWord::ButtonReset).await;
    let at_rest = told(&mut orders).await;
    assert_eq!((at_rest.mode, at_rest.slot), (DoorMode::Unlocked, None));
    drop(vendor);
    drain(node).await;
    let records = records(&ward);
    let is_moved =
        |record: &&Record| record.action == Action::DoorMoved && record.outcome == Outcome::Done;
    assert_eq!(records.iter().filter(is_moved).count(), 1, "a machine's act is no person's");
}
