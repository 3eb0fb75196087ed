//! The hot functions as small workloads whose instructions are counted: counts do not drift with the hour,
//! so a change that costs a twentieth more is seen in a single run.

use std::io;

use ach_engine_store::{HistoryWriter, Store};

use crate::{Geofence, Layout, Moves, PingCodec, ShardSteps};

/// Every workload by its name, as the baseline has it.
pub const COUNTED: [&str; 9] = [
    "geofence-walks",
    "geofence-jumps",
    "shard-walks",
    "shard-jumps",
    "shard-compacted",
    "wire-encode",
    "wire-decode",
    "entry-encode",
    "history-pack",
];

/// Small enough that a run under an instruction counter takes seconds.
const ZONES: usize = 1_000;
const TAGS: usize = 1_000;
const ROUNDS: usize = 8;
const PINGS: usize = 1_024;
/// Rounds before the one that is counted: every tag is known and stands somewhere.
const WARM_ROUNDS: usize = 5;
/// Turns in which nobody is heard, until all are compacted.
const IDLE_TURNS: usize = 200;

/// A workload that is set up and warm.
pub struct Counted {
    /// Pings it handles: what its count is divided by.
    pub pings: u64,
    work: Box<dyn FnMut() -> u64>,
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").field("pings", &self.pings).finish_non_exhaustive()
    }
}

impl Counted {
    /// Sets a workload up; `None` if there is none of that name.
    ///
    /// # Errors
    ///
    /// The temporary folder of a workload that needs one cannot be made.
    pub fn new(name: &str) -> io::Result<Option<Counted>> {
        Ok(Some(match name {
            "geofence-walks" => geofence(Moves::Walks),
            "geofence-jumps" => geofence(Moves::Random),
            "shard-walks" => shard(Moves::Walks, 0),
            "shard-jumps" => shard(Moves::Random, 0),
            "shard-compacted" => shard(Moves::Walks, IDLE_TURNS),
            "wire-encode" => codec(PingCodec::encode_wire),
            "wire-decode" => codec(|codec| codec.decode_wire()),
            "entry-encode" => codec(PingCodec::encode_entry),
            "history-pack" => history()?,
            _ => return Ok(None),
        }))
    }

    /// Does the work once; gives a checksum.
    pub fn work(&mut self) -> u64 {
        (self.work)()
    }

    fn of(pings: usize, work: impl FnMut() -> u64 + 'static) -> Counted {
        Counted { pings: u64::try_from(pings).unwrap_or(u64::MAX), work: Box::new(work) }
    }
}

/// Zones of positions: most answered by the safe box on walks, none on jumps.
fn geofence(moves: Moves) -> Counted {
    let mut geofence = Geofence::new(Layout::Rooms, ZONES, moves, (TAGS, ROUNDS));
    geofence.ours();
    Counted::of(geofence.position_count(), move || geofence.ours().checksum)
}

/// A second of tags, decided on by a shard: on walks nearly all follow from the ping before, on jumps each
/// must pass the gate for those that are too fast, and compacted tags are made whole again first.
fn shard(moves: Moves, idle_turns: usize) -> Counted {
    let mut steps = ShardSteps::telling(ZONES, TAGS, moves, &mut |_, _, _| ());
    for _ in 0..WARM_ROUNDS {
        let entries = steps.next_round();
        steps.step(&entries);
    }
    (0..idle_turns).for_each(|_| steps.idle());
    let entries = steps.next_round();
    Counted::of(TAGS, move || steps.step(&entries))
}

fn codec(mut work: impl FnMut(&mut PingCodec) -> u64 + 'static) -> Counted {
    let mut codec = PingCodec::new(PINGS);
    work(&mut codec);
    Counted::of(codec.ping_count(), move || work(&mut codec))
}

/// A second of tags, packed into the blocks of history.
fn history() -> io::Result<Counted> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("lsm")).map_err(io::Error::other)?;
    let mut writer = HistoryWriter::open(store).map_err(io::Error::other)?;
    let mut kept = true;
    let mut steps = ShardSteps::telling(ZONES, TAGS, Moves::Walks, &mut |entry, effects, site| {
        kept &= writer.take(entry, effects, site).is_ok();
    });
    let mut decided = Vec::new();
    for _ in 0..=WARM_ROUNDS {
        for entry in steps.next_round() {
            steps.step(std::slice::from_ref(&entry));
            decided.push((entry, steps.effects().to_vec()));
        }
    }
    let site = steps.shard().site().cloned();
    let last = decided.split_off(decided.len() - decided.len() / (WARM_ROUNDS + 1));
    for (entry, effects) in &decided {
        kept &= writer.take(entry, effects, site.as_deref()).is_ok();
    }
    Ok(Counted::of(TAGS, move || {
        for (entry, effects) in &last {
            kept &= writer.take(entry, effects, site.as_deref()).is_ok();
        }
        // The folder lives as long as the work.
        u64::from(kept && folder.path().exists()) * writer.ping_count()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_that_is_named_works() {
        for name in COUNTED {
            let mut counted = Counted::new(name).expect("a folder").expect("a workload");
            assert!(counted.pings > 0, "{name}");
            assert_ne!(counted.work(), 0, "{name}: its checksum says that it did nothing");
        }
        assert!(Counted::new("nothing").expect("no folder").is_none());
    }
}
