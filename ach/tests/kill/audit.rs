//! A node that is killed while operators command and receivers come and go: what an operator was told is
//! done is in the audit log, and the log is sound.

use std::path::Path;
use std::time::Duration;

use ach_actors_model::Name;
use ach_clients_rust::{Filter, Thing};
use ach_engine_audit::{Action, Outcome, Record, Report, Verifier, VerifyingKey};
use ach_engine_journal::FileDisk;

use crate::connect;
use crate::lives::Lives;
use crate::process::Process;
use crate::ward::{NURSES, directory, nurse};

/// How often the node dies unless the environment says otherwise.
const KILLS: u64 = 12;

/// It lives for so long while it is commanded.
const LIFE_MS: (u64, u64) = (10, 250);

/// The audit log of a node, as its public key has it.
pub(crate) fn audit_of(data: &Path) -> (Vec<Record>, Report) {
    let key = VerifyingKey::load(&data.join("audit.pub")).unwrap();
    let disk = FileDisk::existing(data.join("audit")).unwrap();
    let mut records = Vec::new();
    let verifier = Verifier::new(Some(key));
    let report = verifier.run(&disk, &mut |entry| records.push(entry.record.clone().unwrap()));
    (records, report.unwrap())
}

/// How often an operator was told that something was done to each nurse.
type Acked = Vec<(Action, String)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_was_told_is_done_is_in_the_audit_log_after_every_kill() {
    let mut lives = Lives::begin(&directory(), KILLS).await;
    let files = lives.enrol("operator", "chief").await;
    let mut acked = Acked::new();
    for _ in 0..lives.kills {
        let life = Duration::from_millis(lives.chance.between(LIFE_MS));
        let commanding = command(&lives.node, &files, &mut acked);
        // It is killed in the middle of a command, or of its answer.
        drop(tokio::time::timeout(life, commanding).await);
        lives.die().await;
        let (records, report) = audit_of(&lives.data());
        assert!(report.is_sound(), "{report:?}");
        check(&acked, &records);
        lives.rise().await;
    }
    let (kills, data) = (lives.kills, lives.data());
    let _folder = lives.end().await;
    let (records, report) = audit_of(&data);
    assert!(report.is_sound() && report.tail.is_none(), "{report:?}");
    assert_eq!(report.head.map(|signed| signed.head.size), Some(report.records));
    check(&acked, &records);
    assert!(!acked.is_empty(), "no command was ever answered");
    let is = |action: Action| records.iter().filter(|record| record.action == action).count();
    assert_eq!(is(Action::NodeStarted), 1 + usize::try_from(kills).unwrap());
    assert_eq!(is(Action::NodeStopped), 1, "a kill is known by the stop that is not there");
    assert!(is(Action::Enrolled) >= 1, "who was given a certificate is known");
}

/// Sets nurses aside and lets them work again until it is ended.
async fn command(node: &Process, files: &Path, acked: &mut Acked) {
    let client = connect(node, files).await;
    let mut operator = client.operator();
    let reader = connect(node, files).await;
    let _alarms = reader.subscriber().alarms(Filter::default(), None).await;
    for turn in 0.. {
        let nurse = nurse(turn / 2 % NURSES);
        let thing = Thing::Subject(Name::new(&nurse).unwrap());
        let (action, answered) = if turn % 2 == 0 {
            (Action::ActorSetAside, operator.quarantine(thing).await)
        } else {
            (Action::ActorReleased, operator.release(thing).await)
        };
        if answered.is_ok() {
            acked.push((action, nurse));
        }
    }
}

/// All that was answered is there, and nothing was done that was not recorded before.
fn check(acked: &Acked, records: &[Record]) {
    let count = |action: Action, nurse: &str, outcome: Outcome| {
        let is_it = |record: &&Record| {
            record.action == action
                && record.outcome == outcome
                && record.objects.iter().any(|object| object.id.as_str() == nurse)
        };
        records.iter().filter(is_it).count()
    };
    for (action, nurse) in acked {
        let told = acked.iter().filter(|it| *it == &(*action, nurse.clone())).count();
        let done = count(*action, nurse, Outcome::Done);
        assert!(done >= told, "{action:?} {nurse}: told {told} times, recorded {done} times");
        assert!(count(*action, nurse, Outcome::Begun) >= done);
    }
}
