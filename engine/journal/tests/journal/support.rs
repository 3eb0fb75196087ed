//! What the journal's tests share: a model that is a list, and a journal that is driven beside it.

use ach_engine_journal::{
    AppendError, CommitError, Config, Disk, Journal, Kek, Lsn, OpenError, Opened, Record,
    RecordKind, SimDisk,
};

/// Small segments and groups, so that a short test crosses many boundaries.
pub(crate) const CONFIG: Config =
    Config { segment_bytes: 32 << 10, group_bytes_max: 12 << 10, reserve_bytes: 0 };

/// Room for anything a test does.
pub(crate) const AMPLE: u64 = 64 << 20;

pub(crate) fn kek() -> Kek {
    Kek::from_bytes(&[42; 32]).unwrap()
}

/// A record that owns its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) lsn: u64,
    pub(crate) kind: RecordKind,
    pub(crate) shard: u32,
    pub(crate) term: u64,
    pub(crate) index: u64,
    pub(crate) payload: Vec<u8>,
}

impl From<Record<'_>> for Owned {
    fn from(record: Record<'_>) -> Owned {
        let Record { lsn, kind, shard, term, index, payload } = record;
        Owned { lsn: lsn.0, kind, shard, term, index, payload: payload.to_vec() }
    }
}

fn payload(mixed: u64, len: usize) -> Vec<u8> {
    let mut bytes = mixed.to_le_bytes().repeat(len.div_ceil(8));
    bytes.truncate(len);
    bytes
}

/// The record with that number: everything about it follows from the number and the length.
pub(crate) fn record(lsn: u64, payload_len: usize) -> Owned {
    let mixed = lsn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Owned {
        lsn,
        kind: RecordKind::ALL[(mixed >> 33) as usize % 5],
        shard: (mixed >> 40) as u32 % 7,
        term: lsn / 10,
        index: lsn * 3,
        payload: payload(mixed, payload_len),
    }
}

/// What opening says.
pub(crate) type Outcome<D> = Result<(Journal<D>, Opened), OpenError>;

/// Opens and collects; the records before any damage come back either way.
pub(crate) fn open<D: Disk>(disk: D) -> (Outcome<D>, Vec<Owned>) {
    let mut records = Vec::new();
    let outcome = Journal::open(disk, CONFIG, kek(), &mut |record| records.push(record.into()));
    (outcome, records)
}

/// Opens what must open.
#[track_caller]
pub(crate) fn open_well<D: Disk>(disk: D) -> (Journal<D>, Opened, Vec<Owned>) {
    let (outcome, records) = open(disk);
    let (journal, opened) = outcome.unwrap();
    (journal, opened, records)
}

/// A journal and the list it must agree with.
pub(crate) struct Driven<D: Disk = SimDisk> {
    pub(crate) journal: Journal<D>,
    /// Everything ever appended, in order.
    pub(crate) appended: Vec<Owned>,
    /// How many of them were acked.
    pub(crate) acked: usize,
}

impl<D: Disk> Driven<D> {
    pub(crate) fn new(disk: D) -> Driven<D> {
        let (journal, _, appended) = open_well(disk);
        let acked = appended.len();
        Driven { journal, appended, acked }
    }

    pub(crate) fn append(&mut self, payload_len: usize) -> Result<(), AppendError> {
        let next = record(self.appended.len() as u64 + 1, payload_len);
        let Owned { kind, shard, term, index, payload, .. } = &next;
        let lsn = self.journal.append(*kind, *shard, *term, *index, payload)?;
        assert_eq!(lsn, Lsn(next.lsn));
        self.appended.push(next);
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), CommitError> {
        let durable = self.journal.commit()?;
        self.acked = self.appended.len();
        assert_eq!(durable, Lsn(self.acked as u64));
        Ok(())
    }

    /// Groups of these payload lengths, each committed.
    pub(crate) fn groups(&mut self, groups: &[&[usize]]) {
        for group in groups {
            for payload_len in *group {
                self.append(*payload_len).unwrap();
            }
            self.commit().unwrap();
        }
    }

    /// What was read is a prefix of what was appended and has all that was acked.
    #[track_caller]
    pub(crate) fn check(&self, read: &[Owned], story: &str) {
        check_prefix(&self.appended, self.acked, read, story);
    }
}

#[track_caller]
pub(crate) fn check_prefix(appended: &[Owned], acked: usize, read: &[Owned], story: &str) {
    assert!(read.len() >= acked, "{story}: {} of {acked} acked records came back", read.len());
    assert!(read.len() <= appended.len(), "{story}: more came back than was appended");
    assert!(read == &appended[..read.len()], "{story}: other records came back");
}

/// A small, seeded source of chance that is the same everywhere.
pub(crate) struct Chance(pub u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A journal with several segments, as a killed process leaves it: nothing sealed or closed.
pub(crate) fn killed_journal(seed: u64) -> (SimDisk, Vec<Owned>) {
    let disk = SimDisk::new(seed, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[48; 40], &[0], &[9_000, 2_000], &[100; 30], &[5_000], &[7; 100]]);
    driven.groups(&[&[9_000], &[9_000], &[9_000], &[20], &[48; 64], &[1, 2, 3], &[48]]);
    (disk.restart(), driven.appended)
}

/// The names of a disk's segments, oldest first.
pub(crate) fn segments(disk: &SimDisk) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| name.strip_suffix(".seg").is_some()).collect()
}
