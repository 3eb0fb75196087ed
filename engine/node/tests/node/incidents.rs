//! Alarms of one cause: told as one incident, over a restart too.

use ach_clients_rust::{AlarmNote, AlarmUpdate, Filter, Report, ReportWord, now};
use ach_engine_net::Role;

use crate::audit::drain;
use crate::ward::{Alarms, Ward, in_time, name, ping};

/// The next alarm that is raised, or told among the open ones.
async fn note(alarms: &mut Alarms) -> AlarmNote {
    loop {
        if let Some(AlarmUpdate::Note(note)) = in_time("an alarm", alarms.stream.next()).await {
            return *note;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_goes_on_after_a_restart() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::door(name("vault-door"), now(), ReportWord::DoorOpened)).await.unwrap();
    let forced = note(&mut alarms).await;
    let mark = forced.incident.clone().expect("every alarm belongs to an incident");
    assert_eq!((mark.id, mark.place, mark.is_raising), (forced.id, 1, false));
    let door = forced.door.clone().expect("what is known of the door");
    assert_eq!((door.granted_at, door.lock_at, door.near.len()), (None, None, 0));
    alarms.expect("durable Raised").await;
    vendor.close().await.unwrap();
    drain(node).await;

    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let stream = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let mut alarms = Alarms { stream };
    let open = note(&mut alarms).await;
    assert_eq!((open.id, open.incident, open.door), (forced.id, forced.incident, forced.door));
    alarms.expect("open 1").await;
    // Behind the door that was forced.
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(2, 22_000, 4_500)).await.unwrap();
    vendor.publish(ping(2, 22_100, 4_500)).await.unwrap();
    let entered = note(&mut alarms).await;
    let mark = entered.incident.expect("every alarm belongs to an incident");
    assert_eq!((mark.id, mark.place), (forced.id, 2));
    drain(node).await;
}
