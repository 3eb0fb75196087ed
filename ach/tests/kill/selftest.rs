//! A node that is killed in the middle of a self-test: its test alarm does not stay open.

use ach_actors_model::{AlarmId, AlarmKind, AlarmTransition};
use ach_clients_rust::{AlarmUpdate, Code, Filter, Storage};

use crate::connect;
use crate::diskless::{is_withdrawn, until, within};
use crate::journal::Journaled;
use crate::process::{Process, enrol};
use crate::ward::directory;

/// When the node dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// As soon as the test alarm is heard, on disk or not.
    Raised,
    /// When it is on disk.
    Durable,
}

/// How the test alarm ended: on disk, or, if the disk never had it, withdrawn.
fn is_over(update: &AlarmUpdate, alarm: AlarmId) -> Option<()> {
    let is_cleared = matches!(update, AlarmUpdate::Note(note) if note.id == alarm
        && note.transition == AlarmTransition::Cleared
        && note.storage == Storage::Durable);
    is_cleared.then_some(()).or_else(|| is_withdrawn(update, alarm))
}

/// Nobody displays what is tested, so the test goes on until the node is dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_self_test_that_a_kill_cuts_short_leaves_no_alarm_open_and_the_next_one_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let (site, data) = (folder.path().join("site"), folder.path().join("node"));
    directory().write(&site).unwrap();
    let mut node = Process::start(&site, &data, None);
    node.listening().await;
    let receiver_files = enrol("receiver", "desk", &data, folder.path()).await;
    let operator_files = enrol("operator", "chief", &data, folder.path()).await;
    let receiver = connect(&node, &receiver_files).await;
    let filter = Filter { kinds: vec![AlarmKind::SelfTest], ..Filter::default() };
    let mut alarms = receiver.subscriber().alarms(filter, None).await.unwrap();
    let mut tested = Vec::new();
    for moment in [Moment::Raised, Moment::Durable, Moment::Raised] {
        node.listening().await;
        let mut operator = connect(&node, &operator_files).await.operator();
        let asked = tokio::spawn(async move { operator.selftest().await.is_ok() });
        let is_new = |update: &AlarmUpdate| match update {
            AlarmUpdate::Note(it) if it.transition == AlarmTransition::Raised => Some(it.id),
            _ => None,
        };
        let alarm = until(&mut alarms, is_new).await;
        if moment == Moment::Durable {
            let is_kept = |update: &AlarmUpdate| {
                matches!(update, AlarmUpdate::Durable { id, .. } if *id == alarm).then_some(())
            };
            until(&mut alarms, is_kept).await;
        }
        node.kill().await;
        assert!(!asked.await.unwrap(), "the test was over before the kill");
        node = Process::start(&site, &data, Some(node.address()));
        until(&mut alarms, |update| is_over(update, alarm)).await;
        tested.push(alarm);
    }

    // The next one is a test like any other.
    node.listening().await;
    let mut operator = connect(&node, &operator_files).await.operator();
    let asked = tokio::spawn(async move { operator.selftest().await });
    let shown = async {
        loop {
            let update = alarms.next().await.expect("the stream ended");
            alarms.displayed().await.unwrap();
            if let AlarmUpdate::Note(it) = update
                && it.transition == AlarmTransition::Cleared
            {
                return it.id;
            }
        }
    };
    let good = within("end of a good test", shown).await;
    let report = within("report", asked).await.unwrap().unwrap();
    assert_eq!((report.code, report.alarm), (Code::Done, Some(good)), "{report:?}");
    node.terminate().await;
    let journaled = Journaled::read(&data, &[]);
    journaled.check_ended();
    let kept = journaled.raised_in_order();
    assert!(kept.contains(&tested[1]) && kept.last() == Some(&good), "{kept:?} of {tested:?}");
}
