//! A node that is killed while it cannot store: what it has raised since is lost with it.
//!
//! The disk is taken away by a limit on the size of files, under which every write of the journal
//! fails and the node goes on without storing. So what is raised then is provisional for certain,
//! and a kill loses it for certain. Either the vendor, who was never told that its input is on disk,
//! sends it again, and the same episode comes back under the same id; or it does not, and the
//! receiver is told that the alarm is withdrawn.

use std::path::Path;

use ach_actors_model::{AlarmId, AlarmTransition};
use ach_clients_rust::{
    AlarmStream, AlarmUpdate, Filter, Publisher, PublisherOptions, Report, ReportWord, Storage, now,
};

use crate::process::{Process, enrol};
use crate::ward::{FEED, directory, nurse, nurse_tag};
use crate::{PATIENCE, connect};

/// What the vendor does while the node is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    /// It waits, and sends again what was not acknowledged.
    Stays,
    /// It is gone as well, with all it knew. Another one comes later.
    IsGone,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_the_kill_lost_comes_back_under_the_same_id() {
    check(Vendor::Stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_the_kill_lost_for_good_is_withdrawn_aloud() {
    check(Vendor::IsGone).await;
}

async fn check(vendor: Vendor) {
    let folder = tempfile::tempdir().unwrap();
    let (site, data) = (folder.path().join("site"), folder.path().join("node"));
    directory().write(&site).unwrap();
    let mut node = Process::start(&site, &data, None);
    node.listening().await;
    let vendor_files = enrol("vendor", FEED, &data, folder.path()).await;
    let receiver_files = enrol("receiver", "desk", &data, folder.path()).await;
    let receiver = connect(&node, &receiver_files).await;
    let mut alarms = receiver.subscriber().alarms(Filter::default(), None).await.unwrap();
    let mut publisher = publisher(&node, &vendor_files).await;

    // With a disk: raised, then durable.
    press(&publisher, 0).await;
    let kept = raised(&mut alarms, 0).await;
    until(&mut alarms, |update| is_durable(update, kept)).await;
    within("ack", publisher.drain()).await.unwrap();

    // Without one: raised all the same, and the press is never acknowledged.
    node.take_disk_away();
    press(&publisher, 1).await;
    let lost = raised(&mut alarms, 1).await;
    assert_ne!(lost, kept);
    assert_eq!(
        publisher.progress().borrow().duress.durable_through,
        1,
        "acknowledged, and not kept"
    );

    if vendor == Vendor::IsGone {
        drop(publisher);
        node.kill().await;
        node = Process::start(&site, &data, Some(node.address()));
        until(&mut alarms, |update| is_withdrawn(update, lost)).await;
        node.listening().await;
        publisher = self::publisher(&node, &vendor_files).await;
        press(&publisher, 1).await;
        assert_eq!(
            raised(&mut alarms, 1).await,
            lost,
            "an episode that nobody kept has another id"
        );
    } else {
        node.kill().await;
        node = Process::start(&site, &data, Some(node.address()));
    }
    // Told again or not, it is now on disk, as the same episode.
    until(&mut alarms, |update| is_durable(update, lost)).await;
    within("ack", publisher.drain()).await.unwrap();
    node.listening().await;
    node.terminate().await;
    assert_eq!(episodes(&data), [kept, lost]);
}

async fn publisher(node: &Process, files: &Path) -> Publisher {
    connect(node, files).await.publisher(PublisherOptions::default()).unwrap()
}

async fn press(vendor: &Publisher, number: u32) {
    let report = Report::tag(nurse_tag(number), now(), ReportWord::ButtonPressed);
    within("room", vendor.report(report)).await.unwrap();
}

/// The alarm of a nurse's button, which must be raised as provisional: no disk has it yet.
async fn raised(alarms: &mut AlarmStream, number: u32) -> AlarmId {
    let subject = nurse(number);
    let is_it = |update: &AlarmUpdate| match update {
        AlarmUpdate::Note(note) => {
            let is_nurse = note.subject.as_ref().is_some_and(|id| id.as_str() == subject);
            let is_raised = note.transition == AlarmTransition::Raised;
            (is_nurse && is_raised && matches!(note.storage, Storage::Provisional(_)))
                .then_some(note.id)
        }
        _ => None,
    };
    until(alarms, is_it).await
}

fn is_durable(update: &AlarmUpdate, alarm: AlarmId) -> Option<()> {
    let is_it = match update {
        AlarmUpdate::Durable { id, .. } => *id == alarm,
        AlarmUpdate::Note(note) => note.id == alarm && note.storage == Storage::Durable,
        _ => false,
    };
    is_it.then_some(())
}

pub(crate) fn is_withdrawn(update: &AlarmUpdate, alarm: AlarmId) -> Option<()> {
    matches!(update, AlarmUpdate::Withdrawn { id, .. } if *id == alarm).then_some(())
}

/// Listens until something is heard.
pub(crate) async fn until<T>(
    alarms: &mut AlarmStream,
    is_it: impl Fn(&AlarmUpdate) -> Option<T>,
) -> T {
    let mut heard = Vec::new();
    let listening = async {
        while let Some(update) = alarms.next().await {
            let found = is_it(&update);
            heard.push(update);
            if found.is_some() {
                return found;
            }
        }
        None
    };
    let found = tokio::time::timeout(PATIENCE, listening).await;
    found.ok().flatten().unwrap_or_else(|| panic!("it was not heard; what was: {heard:#?}"))
}

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("no {what} in {PATIENCE:?}"))
}

/// Ids of the episodes in the journal, in the order in which they were raised.
fn episodes(data: &Path) -> Vec<AlarmId> {
    crate::journal::Journaled::read(data, &[]).raised_in_order().to_vec()
}
