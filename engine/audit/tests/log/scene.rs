//! A log of a node in a small hospital, on a simulated disk.

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{
    Action, Agent, AgentRole, AppendError, CommitError, Config, Log, LogName, Object, ObjectKind,
    Opened, Origin, Outcome, Reason, Record, Report, SignedHead, SigningKey, Verifier,
};
use ach_engine_journal::{Disk, SimDisk};

pub(crate) const DISK_BYTES: u64 = 64 << 20;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn log_name() -> LogName {
    LogName::new(&name("st-anna"), &name("node-1"))
}

pub(crate) fn at(number: u64) -> Timestamp {
    Timestamp(1_763_798_400_000_000_000 + number * 1_000_000_000)
}

/// A receiver begins to read about some patients.
pub(crate) fn reading(number: u64, patients: usize) -> Record {
    let subject = |n: usize| Object::new(ObjectKind::Subject, name(&format!("patient-{n:050}")));
    Record {
        at: at(number),
        site: name("st-anna"),
        node: name("node-1"),
        who: Agent::new(AgentRole::Receiver, name("desk")),
        from: Origin::Network([10, 0, 0, 7].into(), 40_000),
        action: Action::ReadBegun,
        objects: (0..patients).map(subject).collect(),
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: Some(number),
        request: None,
        entry: None,
    }
}

pub(crate) fn open<D: Disk>(disk: D, key: &SigningKey) -> (Log<D>, Opened) {
    Log::open(disk, Config { segment_bytes: 0 }, key.clone(), log_name(), at(0)).unwrap()
}

pub(crate) fn report(disk: &SimDisk, key: &SigningKey) -> Report {
    Verifier::new(Some(key.verifying())).run(disk, &mut |_| {}).unwrap()
}

pub(crate) fn report_with(disk: &SimDisk, key: &SigningKey, noted: &SignedHead) -> Report {
    let verifier = Verifier::new(Some(key.verifying())).with_head(noted.clone());
    verifier.run(disk, &mut |_| {}).unwrap()
}

/// Appends records and commits them.
pub(crate) fn keep<D: Disk>(log: &mut Log<D>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(log.append(&reading(number, 1)), Ok(number));
    }
    log.commit(at(0)).unwrap();
}

/// A node's life on a disk that may fail: groups of small and large records, a head now and then.
/// Returns how many records were told to be on disk.
pub(crate) fn live<D: Disk>(log: &mut Log<D>, groups: u64) -> u64 {
    for group in 0..groups {
        for number in 0..=group % 3 {
            let patients = if group % 4 == 3 { 2_000 } else { 2 };
            match log.append(&reading(number, patients)) {
                Ok(_) | Err(AppendError::GroupFull) => {}
                Err(AppendError::Dead { .. }) => return log.size(),
                Err(error) => panic!("{error}"),
            }
        }
        let worked = log
            .commit(at(group))
            .and_then(|_| if group % 2 == 1 { log.sign(at(group)).map(drop) } else { Ok(()) });
        match worked {
            Ok(()) => {}
            Err(CommitError::Disk { .. } | CommitError::Dead { .. }) => return log.size(),
            Err(error) => panic!("{error}"),
        }
    }
    log.size()
}

/// The segments of a log, in order.
pub(crate) fn segments(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.retain(|name| name.strip_suffix(".aud").is_some());
    names
}

/// How much of a file is used: up to its last byte that is not zero.
pub(crate) fn used(disk: &SimDisk, name: &str) -> usize {
    disk.contents(name).iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}
