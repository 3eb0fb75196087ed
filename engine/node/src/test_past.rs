//! A journal in memory with a past, for what reads it.

use ach_actors_model::Timestamp;
use ach_engine_journal::{Config, Journal, Kek, Lsn, RecordKind, SimDisk};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_wire::encode_entry;

use crate::checkpoint_store::Good;
use crate::notes::SHARD;
use crate::test_values::empty_site;

/// Its disk.
const DISK_BYTES: u64 = 256 << 20;

/// A journal that grows.
pub(crate) struct TestPast {
    pub disk: SimDisk,
    pub journal: Journal<SimDisk>,
    shard: Shard,
    pub at: Timestamp,
    pub last: Good,
}

pub(crate) fn kek() -> Kek {
    Kek::from_bytes(&[7; 32]).unwrap()
}

impl TestPast {
    /// The first entry, which brings the site, is made at `at`.
    pub(crate) fn begun(at: Timestamp) -> TestPast {
        let disk = SimDisk::new(1, DISK_BYTES);
        let config = Config { segment_bytes: 32 << 20, reserve_bytes: 0, ..Config::default() };
        let (journal, _) = Journal::open(disk.clone(), config, kek(), &mut |_| {}).unwrap();
        let last = Good { index: 0, lsn: 0 };
        let mut past = TestPast { disk, journal, shard: Shard::new(), at, last };
        past.push(Input::SiteChange(Box::new(empty_site("st-anna"))));
        past.journal.commit().unwrap();
        past
    }

    /// So many entries more, so far apart, durable when this returns.
    pub(crate) fn go_on(&mut self, count: u64, step_ns: u64) {
        for _ in 0..count {
            self.at = self.at.plus_ns(step_ns);
            self.push(Input::Tick);
        }
        self.journal.commit().unwrap();
    }

    fn push(&mut self, input: Input) {
        let mut entry = Entry {
            index: self.last.index + 1,
            at: self.at,
            site_version: self.shard.site().map_or(0, |site| site.version()),
            logic_version: LOGIC_VERSION,
            inputs: vec![input],
            effects_hash: 0,
        };
        entry.effects_hash = self.shard.step(&entry, &mut Vec::new());
        let mut bytes = Vec::new();
        encode_entry(&entry, &mut bytes).unwrap();
        let Lsn(lsn) =
            self.journal.append(RecordKind::Entry, SHARD, 1, entry.index, &bytes).unwrap();
        self.last = Good { index: entry.index, lsn };
    }
}
