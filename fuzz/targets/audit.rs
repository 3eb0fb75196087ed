//! Audit logs: whatever was changed in one, a record that is handed out is the one that was written, and a log
//! that is called sound under its noted head is whole. Records and heads read from any bytes are refused or
//! read as what they are written as.
//!
//! The first byte: in three, 0 is the bytes of a record, 1 the text of a head, 2 changes of a log's files (with
//! bit 7 set the checksums of the first frames are made right again).

#![no_main]

#[path = "../changes.rs"]
mod changes;

use std::cell::LazyCell;

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{
    Action, Agent, AgentRole, Config, Log, LogName, Object, ObjectKind, Origin, Outcome, Reason,
    Record, SignedHead, SigningKey, Verifier, VerifyingKey,
};
use ach_engine_journal::{Disk as _, SimDisk};
use libfuzzer_sys::fuzz_target;

/// Room for a log of a few records; only what is used of its segment is kept.
const DISK_BYTES: u64 = 64 << 20;
const RECORDS: u64 = 6;
/// Frames begin behind a segment's header.
const FRAMES_AT: usize = 4_096;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn at(number: u64) -> Timestamp {
    Timestamp(1_763_798_400_000_000_000 + number * 1_000_000_000)
}

fn record(number: u64) -> Record {
    let patient = Object::new(ObjectKind::Subject, name(&format!("patient-{number}")));
    Record {
        at: at(number),
        site: name("st-anna"),
        node: name("node-1"),
        who: Agent::new(AgentRole::Receiver, name("desk")),
        from: Origin::Network([10, 0, 0, 7].into(), 40_000),
        action: Action::ReadBegun,
        objects: vec![patient],
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: Some(number),
        request: None,
        entry: None,
    }
}

/// A log as it lies on a disk.
struct Written {
    files: Vec<(String, Vec<u8>)>,
    records: Vec<Vec<u8>>,
    key: VerifyingKey,
    noted: SignedHead,
}

impl Written {
    fn new() -> Written {
        let key = SigningKey::generate().expect("a key");
        let disk = SimDisk::new(1, DISK_BYTES);
        let log_name = LogName::new(&name("st-anna"), &name("node-1"));
        let config = Config { segment_bytes: 0 };
        let opened = Log::open(disk.clone(), config, key.clone(), log_name, at(0));
        let (mut log, _) = opened.expect("a disk");
        for number in 0..RECORDS {
            log.append(&record(number)).expect("room");
            log.commit(at(number)).expect("a disk");
            log.sign(at(number)).expect("a disk");
        }
        let noted = log.close(at(RECORDS)).expect("a disk");
        let names = disk.list().expect("a disk");
        let used = |name: &String| {
            let mut bytes = disk.contents(name);
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate((used + 4_096).min(bytes.len()));
            bytes
        };
        let files: Vec<_> = names
            .iter()
            .filter(|name| name.ends_with(".aud") || *name == "mark")
            .map(|name| (name.clone(), used(name)))
            .collect();
        let mut records = Vec::new();
        let verifier = Verifier::new(Some(key.verifying())).with_head(noted.clone());
        let report =
            verifier.run(&holding(&files), &mut |entry| records.push(entry.bytes.to_vec()));
        assert!(report.expect("a log").is_sound());
        // That the node began, and ended, may be among them.
        assert!(u64::try_from(records.len()).expect("few") >= RECORDS);
        Written { files, records, key: key.verifying(), noted }
    }
}

fn holding<T: AsRef<str>>(files: &[(T, Vec<u8>)]) -> SimDisk {
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_ref(), bytes.as_slice())).collect();
    SimDisk::holding(&files)
}

thread_local! {
    static WRITTEN: LazyCell<Written> = LazyCell::new(Written::new);
}

/// Makes the checksums of header, mark and frames right again.
fn mend(name: &str, bytes: &mut [u8]) {
    if name == "mark" {
        changes::mend(bytes, 0, 60, 60);
        changes::mend(bytes, 4_096, 4_156, 4_156);
        return;
    }
    changes::mend(bytes, 0, 4_092, 4_092);
    let mut frame_at = FRAMES_AT;
    while let Some(length) = bytes.get(frame_at + 4..frame_at + 8).and_then(|it| it.first_chunk()) {
        let length = usize::try_from(u32::from_le_bytes(*length)).expect("32 bits fit");
        let end = frame_at.saturating_add(64).saturating_add(length);
        let Some(payload) = bytes.get(frame_at + 64..end) else { return };
        let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[frame_at..frame_at + 56]), payload);
        bytes[frame_at + 56..frame_at + 60].copy_from_slice(&sum.to_le_bytes());
        frame_at = end.saturating_add(7) / 8 * 8;
    }
}

fn change(input: &[u8], is_mended: bool) {
    WRITTEN.with(|written| {
        let mut files: Vec<(&str, Vec<u8>)> =
            written.files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        changes::apply(input, &mut files);
        if is_mended {
            for (name, bytes) in &mut files {
                mend(name, bytes);
            }
        }
        let disk = holding(&files);
        for key in [None, Some(written.key.clone())] {
            let verifier = Verifier::new(key).with_head(written.noted.clone());
            let mut count = 0;
            let report = verifier.run(&disk, &mut |entry| {
                let index = usize::try_from(entry.index).expect("few");
                assert_eq!(Some(&entry.bytes.to_vec()), written.records.get(index));
                count += 1;
            });
            if let Ok(report) = report
                && report.is_sound()
            {
                assert_eq!(count, written.records.len(), "sound, and not all there");
            }
        }
    });
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    match first % 128 % 3 {
        0 => {
            let Ok(record) = Record::from_bytes(rest) else { return };
            let bytes = record.to_bytes().expect("a record that was read can be written");
            assert_eq!(Record::from_bytes(&bytes).as_ref(), Ok(&record));
        }
        1 => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            let Ok(head) = SignedHead::from_text(text) else { return };
            assert_eq!(SignedHead::from_text(&head.to_string()).as_ref(), Ok(&head));
            WRITTEN.with(|written| {
                let is_written = head == written.noted;
                assert!(head.verify(&written.key).is_err() || is_written, "a forged head");
            });
        }
        _ => change(rest, first & 128 != 0),
    }
});
