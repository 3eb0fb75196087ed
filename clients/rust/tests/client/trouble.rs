//! A publisher whose node has lost something, or to whom somebody else came.

use ach_actors_model::Lane;
use ach_clients_rust::{Code, PublishError, PublisherNotice};
use ach_engine_wire::{Ack, Frame, LaneTotals};
use quinn::VarInt;

use crate::node::{Node, lanes, node, say, soon, welcome};
use crate::publish::{Disk, Plan, ping, publisher, serve};

/// Welcomes a vendor in this epoch, as if so many of its pings were durable.
async fn welcomed(node: &Node, epoch: u32, durable: u64) -> crate::node::Heard {
    let mut heard = node.hear().await;
    let welcome = welcome(&heard.hello, lanes(epoch, [0, 0, durable]));
    heard.say(welcome).await;
    heard
}

#[tokio::test]
async fn who_is_taken_over_does_not_come_back() {
    let node = node();
    let (heard, publisher) = tokio::join!(welcomed(&node, 1, 0), publisher(&node, 10));
    let ticket = publisher.try_publish(ping(1)).unwrap();
    let code = VarInt::from_u32(u32::from(Code::TakenOver.value()));
    heard.peer.connection.close(code, b"a newer connection took over");
    assert_eq!(soon(publisher.wait_durable(ticket)).await, Err(PublishError::TakenOver));
    assert_eq!(publisher.try_publish(ping(2)), Err(PublishError::TakenOver));
    let clone = publisher.clone();
    assert_eq!(soon(publisher.close()).await, Err(PublishError::TakenOver));
    assert_eq!(clone.publish(ping(2)).await, Err(PublishError::TakenOver));
    assert!(!clone.progress().borrow().is_connected);
}

#[tokio::test]
async fn a_node_that_has_lost_what_it_acknowledged_is_reported_and_given_the_rest() {
    let node = node();
    let (mut heard, publisher) = tokio::join!(welcomed(&node, 1, 0), publisher(&node, 10));
    let mut notices = publisher.notices();
    publisher.publish_all(&[ping(1), ping(2), ping(3)]).await.unwrap();
    // It knows the things and has two pings on its disk.
    let Some(Frame::Intern(intern)) = heard.next().await else { panic!("no intern") };
    let item_count = u32::try_from(intern.items.len()).unwrap();
    let interned = ach_engine_wire::Interned { first_handle: 0, item_count, refused: vec![] };
    heard.say(interned).await;
    let (inputs, mut came) = tokio::sync::mpsc::channel(64);
    for _ in 0..3 {
        let stream = soon(heard.peer.connection.accept_uni()).await.unwrap();
        tokio::spawn(crate::publish::read_lane(stream, inputs.clone()));
    }
    while soon(came.recv()).await.is_some_and(|(_, _, seqs)| seqs.last() != Some(&3)) {}
    say(
        &mut heard.sink,
        Ack {
            lane: Lane::Ping,
            epoch: 1,
            accepted_through: 3,
            durable_through: 2,
            credit_through: 100,
            totals: LaneTotals::default(),
        },
    )
    .await;
    let mut progress = publisher.progress();
    soon(progress.wait_for(|progress| progress.ping.durable_through == 2)).await.unwrap();
    heard.peer.connection.close(VarInt::from_u32(0), b"");
    // It comes back from an older copy of its disk, on which there is but one ping.
    let behind = soon(welcomed(&node, 1, 1)).await;
    assert_eq!(behind.hello.resume.len(), 3);
    let mut disk = Disk { epoch: 1, ..Disk::default() };
    let plan = Plan { pings_before_leaving: 1, ..Plan::default() };
    soon(serve(&node, &mut disk, &plan)).await;
    assert_eq!((disk.epoch, disk.durable[2].as_slice()), (2, [1].as_slice()));
    let mut told = Vec::new();
    while let Ok(notice) = notices.try_recv() {
        told.push(notice);
    }
    let forgot = PublisherNotice::NodeForgot { lane: Lane::Ping, durable_through: 2 };
    assert!(told.contains(&forgot), "{told:?}");
}
