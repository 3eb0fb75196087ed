//! The figures that are published: each workload beside its plain limit, in turns.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::pairs::{Pair, Timed, stopwatch};
use crate::{JournalGroups, PingCodec, RulePack, ShardSteps, Size};

/// Pings of one timed stretch of the shard, at least: some tens of milliseconds.
const SHARD_PINGS: Size = Size { smoke: 100, full: 200_000 };
/// Passes over the codec's pings in one stretch.
const CODEC_PASSES: Size = Size { smoke: 1, full: 200 };
/// Groups of one stretch of the journal.
const JOURNAL_GROUPS: Size = Size { smoke: 2, full: 300 };

/// Whether to measure, or only to see that it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// To see that it works.
    Smoke,
    /// To measure.
    Full,
}

impl Scale {
    pub(crate) fn of(self, size: Size) -> usize {
        match self {
            Scale::Smoke => size.smoke,
            Scale::Full => size.full,
        }
    }
}

/// The shard's step beside the plain loop that does the same lookups without actors, gates or rules.
pub fn shard(scale: Scale) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for tags in ShardSteps::TAGS {
        let tags = scale.of(tags);
        let mut steps = ShardSteps::new(scale.of(ShardSteps::ZONES), tags);
        let passes = scale.of(SHARD_PINGS).div_ceil(tags);
        // Both take the same step of every walk, one after the other.
        let mut plain_time = (Duration::ZERO, 0);
        let ours = |(steps, plain_time): &mut (&mut ShardSteps, &mut Timed)| {
            **plain_time = (Duration::ZERO, 0);
            rounds(passes, || {
                let entries = steps.next_round();
                let stepped = stopwatch(|| steps.step(&entries));
                let (time, sum) = stopwatch(|| steps.plain());
                **plain_time = (plain_time.0 + time, plain_time.1 ^ sum);
                stepped
            })
        };
        let plain = |(_, plain_time): &mut (&mut ShardSteps, &mut Timed)| **plain_time;
        let mut state = (&mut steps, &mut plain_time);
        let what = format!("shard step, {tags} tags, a ping");
        pairs.extend(Pair::measure(what, "same lookups", passes * tags, &mut state, ours, plain));
    }
    pairs
}

/// The shard's step under a pack of 500 rules, of which 12 are about each subject, beside the same step under none.
pub fn rules(scale: Scale) -> Vec<Pair> {
    let pack = RulePack::new(scale.of(RulePack::WARDS), scale.of(RulePack::SUBJECTS));
    let (tags, rules) = (pack.armed.tags.len(), pack.armed.rules.len());
    let passes = scale.of(SHARD_PINGS).div_ceil(tags);
    let pass = |steps: &mut ShardSteps| {
        rounds(passes, || {
            let entries = steps.next_round();
            stopwatch(|| steps.step(&entries))
        })
    };
    let mut state = (pack.steps(true), pack.steps(false));
    let what = format!("shard step, {rules} rules, a ping");
    let count = passes * tags;
    let both: &mut (ShardSteps, ShardSteps) = &mut state;
    Pair::measure(what, "no rules", count, both, |(armed, _)| pass(armed), |(_, bare)| pass(bare))
        .into_iter()
        .collect()
}

/// Pings to bytes and back, beside a copy of the same bytes.
pub fn codec(scale: Scale) -> Vec<Pair> {
    type Pass = fn(&mut PingCodec) -> u64;
    let works: [(&str, Pass); 4] = [
        ("encode for the wire", PingCodec::encode_wire),
        ("decode from the wire", |codec| codec.decode_wire()),
        ("encode for the journal", PingCodec::encode_entry),
        ("decode from the journal", |codec| codec.decode_entry()),
    ];
    let mut codec = PingCodec::new(scale.of(PingCodec::PINGS));
    let passes = scale.of(CODEC_PASSES);
    let count = passes * codec.ping_count();
    let repeat = |codec: &mut PingCodec, pass: Pass| {
        stopwatch(|| (0..passes).fold(0, |sum, _| pass(codec).wrapping_add(sum)))
    };
    works
        .into_iter()
        .filter_map(|(what, pass)| {
            let what = format!("{what}, a ping");
            let ours = |codec: &mut PingCodec| repeat(codec, pass);
            let plain = |codec: &mut PingCodec| repeat(codec, PingCodec::copy);
            Pair::measure(what, "copy of 48 bytes", count, &mut codec, ours, plain)
        })
        .collect()
}

/// Groups made durable, beside a raw pre-zeroed file with the same groups on the same disk.
///
/// # Errors
///
/// The disk or the journal refuses.
pub fn journal(scale: Scale, below: &Path) -> io::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for pings in JournalGroups::PINGS {
        let pings = scale.of(pings);
        let mut groups = JournalGroups::new(below, pings)?;
        let count = scale.of(JOURNAL_GROUPS);
        let mut refused = None;
        let mut repeat = |groups: &mut JournalGroups, commit: Commit| {
            stopwatch(|| {
                let mut sum = 0_u64;
                for _ in 0..count {
                    match commit(groups) {
                        Ok(number) => sum = sum.wrapping_mul(31).wrapping_add(number),
                        Err(error) => refused = Some(error),
                    }
                }
                sum
            })
        };
        let what = format!("journal, groups of {pings}, a ping");
        let mut state = (&mut groups, &mut repeat);
        let pair = Pair::measure(
            what,
            "raw pre-zeroed file",
            count * pings,
            &mut state,
            |(groups, repeat)| repeat(groups, JournalGroups::ours),
            |(groups, repeat)| repeat(groups, JournalGroups::plain),
        );
        if let Some(error) = refused {
            return Err(error);
        }
        pairs.extend(pair);
    }
    Ok(pairs)
}

type Commit = fn(&mut JournalGroups) -> io::Result<u64>;

/// Several stretches as one.
fn rounds(passes: usize, mut stretch: impl FnMut() -> Timed) -> Timed {
    (0..passes).fold((Duration::ZERO, 0_u64), |(time, sum), _| {
        let (more, checksum) = stretch();
        (time + more, sum.rotate_left(1) ^ checksum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_can_be_measured_and_repeats_its_work() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let all = || {
            let mut pairs = shard(Scale::Smoke);
            pairs.extend(rules(Scale::Smoke));
            pairs.extend(codec(Scale::Smoke));
            pairs.extend(journal(Scale::Smoke, folder.path()).expect("a disk"));
            pairs.into_iter().map(|pair| (pair.what, pair.checksum)).collect::<Vec<_>>()
        };
        let first = all();
        assert_eq!(first.len(), 13);
        assert_eq!(first, all());
    }
}
