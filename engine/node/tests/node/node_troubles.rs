//! What is wrong with the node itself is one alarm while it is so, over starts too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ach_actors_model::{AlarmId, AlarmKind, AlarmPriority, AlarmTransition, NS_PER_S};
use ach_clients_rust::{AlarmUpdate, Filter};
use ach_engine_net::Role;
use ach_engine_node::{Node, Running};

use crate::audit::drain;
use crate::clocks::SetClock;
use crate::ward::{Alarms, Ward, in_time};

/// Follows alarms of a kind from the open ones on.
async fn follow(ward: &Ward, node: &Running, kind: AlarmKind) -> Alarms {
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let filter = Filter { kinds: vec![kind], ..Filter::default() };
    Alarms { stream: client.subscriber().alarms(filter, None).await.unwrap() }
}

/// The id of the next alarm that is raised, or is open already.
async fn raised(alarms: &mut Alarms) -> AlarmId {
    loop {
        let update = in_time("an alarm", alarms.stream.next()).await.unwrap();
        let AlarmUpdate::Note(note) = update else { continue };
        assert_eq!(
            (note.transition, note.priority),
            (AlarmTransition::Raised, AlarmPriority::Medium)
        );
        assert_eq!((note.rule, note.subject), (None, None));
        return note.id;
    }
}

/// Waits until that alarm has ended. No other one comes before.
async fn ended(alarms: &mut Alarms, id: AlarmId) {
    loop {
        let update = in_time("its end", alarms.stream.next()).await.unwrap();
        let AlarmUpdate::Note(note) = update else { continue };
        assert_eq!(note.id, id);
        if note.transition == AlarmTransition::Cleared {
            return;
        }
    }
}

/// Something stands where the folder of the audit log is to be.
fn put_in_the_way(folder: &Path) {
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(folder, b"in the way").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_that_cannot_be_written_is_one_alarm_over_starts_until_it_can() {
    let ward = Ward::new();
    let folder = ward.folder.path().join("data/audit");
    put_in_the_way(&folder);
    let node = ward.start();
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    let id = raised(&mut alarms).await;
    drain(node).await;

    let node = ward.start();
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    assert_eq!(raised(&mut alarms).await, id, "it is open since the earlier run");
    std::fs::remove_file(&folder).unwrap();
    ended(&mut alarms, id).await;
    assert_eq!(node.counters().alarms_raised.get(), 0, "a start raises no second one");
    drain(node).await;

    // What becomes wrong again is another alarm.
    std::fs::rename(&folder, ward.folder.path().join("elsewhere")).unwrap();
    put_in_the_way(&folder);
    let node = ward.start();
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    assert_ne!(raised(&mut alarms).await, id);
}

/// One that was mended while the node was down ends once all of the log was read, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn a_trouble_that_ended_while_the_node_was_down_ends_its_alarm_at_the_next_start() {
    let ward = Ward::new();
    let folder = ward.folder.path().join("data/audit");
    put_in_the_way(&folder);
    let node = ward.start();
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    raised(&mut alarms).await;
    drain(node).await;
    std::fs::remove_file(&folder).unwrap();

    let node = ward.start();
    let cleared = async {
        while node.counters().alarms_cleared.get() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    in_time("its end", cleared).await;
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    alarms.expect("open 0").await;
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_is_one_alarm_until_it_is_right_again() {
    let ward = Ward::new();
    let clock = Arc::new(SetClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut alarms = follow(&ward, &node, AlarmKind::NodeClockOff).await;
    clock.ahead_ns.store(3_600 * NS_PER_S, Ordering::SeqCst);
    let id = raised(&mut alarms).await;
    // Off in another way, it is off all the same.
    clock.ahead_ns.store(7_200 * NS_PER_S, Ordering::SeqCst);
    clock.ahead_ns.store(0, Ordering::SeqCst);
    ended(&mut alarms, id).await;
    assert_eq!(node.counters().alarms_raised.get(), 1);

    // A start takes the time as it is, so a clock that stays there is right from then on.
    clock.ahead_ns.store(3_600 * NS_PER_S, Ordering::SeqCst);
    let second = raised(&mut alarms).await;
    assert_ne!(second, id);
    drain(node).await;
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut alarms = follow(&ward, &node, AlarmKind::NodeClockOff).await;
    loop {
        match alarms.next().await.as_str() {
            "open 0" => return assert_eq!(node.counters().alarms_cleared.get(), 1),
            "Cleared NodeClockOff - Durable" => return,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_audit_log_is_an_alarm() {
    let ward = Ward::new();
    let node = ward.start();
    drop(ward.alarms(node.address()).await);
    drain(node).await;
    let segment = ward.folder.path().join("data/audit/0000000000000001.aud");
    let mut bytes = std::fs::read(&segment).unwrap();
    let desk = bytes.windows(4).position(|window| window == b"desk").unwrap();
    bytes[desk] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let node = ward.start();
    let mut alarms = follow(&ward, &node, AlarmKind::AuditTrouble).await;
    raised(&mut alarms).await;
    drain(node).await;
}

/// Shard time is taken from such a clock, so the two do not differ; and six hours later days would go by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_days_ahead_at_a_start_is_an_alarm_although_shard_time_follows_it() {
    let ward = Ward::new();
    let clock = Arc::new(SetClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    drain(node).await;
    clock.ahead_ns.store(3 * 86_400 * NS_PER_S, Ordering::SeqCst);
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut alarms = follow(&ward, &node, AlarmKind::NodeClockOff).await;
    raised(&mut alarms).await;
    assert_eq!(node.counters().clock_skews_seen.get(), 0, "nothing else has said so");
    drain(node).await;
}
