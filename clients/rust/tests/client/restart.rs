//! A vendor that stops and starts again with what it had kept.

use std::time::Duration;

use ach_actors_model::{Name, TagId, Timestamp};
use ach_clients_rust::{
    Client, ConnectError, Ping, PublishError, Publisher, PublisherOptions, Report, ReportWord,
    Role, SpoolError,
};
use tempfile::TempDir;

use crate::node::{Node, node, soon};
use crate::publish::{Disk, Plan, serve};

async fn publisher(node: &Node, directory: &TempDir) -> Publisher {
    let config = node.config(Role::Vendor, "uwb").keeping_in(directory.path().join("kept"));
    let client = soon(Client::connect(config)).await.unwrap();
    client.publisher(PublisherOptions::default()).unwrap()
}

fn ping(number: u64) -> Ping {
    Ping::local(TagId(number), Timestamp(number), 1, 2)
}

#[tokio::test]
async fn a_vendor_that_starts_again_sends_what_is_not_stored_under_the_same_numbers() {
    let node = node();
    let directory = TempDir::new().unwrap();
    let mut disk = Disk::default();
    // Three pings become durable; the node decides on the rest and stores none of it.
    let first = Plan::default();
    tokio::join!(serve(&node, &mut disk, &first), async {
        let publisher = publisher(&node, &directory).await;
        publisher.publish_all(&[ping(1), ping(2), ping(3)]).await.unwrap();
        soon(publisher.drain()).await.unwrap();
        drop(publisher);
    });
    let unstored = Plan { stores: false, ..Plan::default() };
    tokio::join!(serve(&node, &mut disk, &unstored), async {
        let publisher = publisher(&node, &directory).await;
        assert_eq!(publisher.publish(ping(4)).await.unwrap().number, 4, "tickets go on");
        let door = Name::new("exit").unwrap();
        let opened = Report::door(door, Timestamp(9), ReportWord::DoorOpened);
        assert_eq!(publisher.report(opened).await.unwrap().number, 1);
        let mut progress = publisher.progress();
        let is_decided = |progress: &ach_clients_rust::Progress| {
            progress.ping.accepted_through == 4 && progress.door.accepted_through == 1
        };
        soon(progress.wait_for(is_decided)).await.unwrap();
        drop(publisher);
    });
    assert_eq!((disk.epoch, disk.durable[2].len(), disk.durable[1].len()), (1, 3, 0));
    // Nothing new is published in the third life: what was kept gets there by itself.
    let stored = Plan::default();
    tokio::join!(serve(&node, &mut disk, &stored), async {
        let publisher = publisher(&node, &directory).await;
        soon(publisher.drain()).await.unwrap();
        let progress = *publisher.progress().borrow();
        assert_eq!((progress.ping.durable_through, progress.door.durable_through), (4, 1));
        soon(publisher.close()).await.unwrap();
    });
    assert_eq!(disk.epoch, 1, "each life went on with the epoch");
    assert_eq!(
        (disk.durable[2].as_slice(), disk.durable[1].as_slice()),
        ([1, 2, 3, 4].as_slice(), [1].as_slice())
    );
}

#[tokio::test]
async fn a_hello_says_whether_the_vendor_keeps_and_what_it_goes_on_with() {
    let node = node();
    let directory = TempDir::new().unwrap();
    let mut disk = Disk::default();
    let plan = Plan { pings_before_leaving: 2, ..Plan::default() };
    tokio::join!(serve(&node, &mut disk, &plan), async {
        let publisher = publisher(&node, &directory).await;
        publisher.publish_all(&[ping(1), ping(2)]).await.unwrap();
        let mut progress = publisher.progress();
        soon(progress.wait_for(|progress| !progress.is_connected)).await.unwrap();
        let closed = publisher.close_within(Duration::ZERO).await;
        assert!(matches!(closed, Err(PublishError::NotDurable { .. })), "{closed:?}");
    });
    let config = node.config(Role::Vendor, "uwb").keeping_in(directory.path().join("kept"));
    let connecting = tokio::spawn(Client::connect(config));
    let heard = soon(node.hear()).await;
    assert!(heard.hello.persists);
    let resume: Vec<_> = heard.hello.resume.iter().map(|it| (it.epoch, it.last_seq)).collect();
    assert_eq!(resume, [(1, 0), (1, 0), (1, 2)]);
    connecting.abort();
    let stateless = tokio::spawn(Client::connect(node.config(Role::Vendor, "ble")));
    let heard = soon(node.hear()).await;
    assert_eq!((heard.hello.persists, heard.hello.resume), (false, vec![]));
    stateless.abort();
}

#[tokio::test]
async fn what_another_vendor_kept_is_not_sent() {
    let node = node();
    let directory = TempDir::new().unwrap();
    let mut disk = Disk::default();
    let plan = Plan::default();
    tokio::join!(serve(&node, &mut disk, &plan), async {
        let publisher = publisher(&node, &directory).await;
        soon(publisher.close()).await.unwrap();
    });
    let config = node.config(Role::Vendor, "ble").keeping_in(directory.path().join("kept"));
    let error = soon(Client::connect(config)).await.expect_err("it was let in");
    assert!(matches!(error, ConnectError::Spool(SpoolError::Owner { .. })), "{error:?}");
}
