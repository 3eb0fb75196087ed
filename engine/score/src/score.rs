//! What it all came to.

use crate::interval::{Ratio, mean, percentile};
use crate::matching::{Delay, Marks};
use crate::number::{count, float};

/// False transitions of ours for each of the plain test's, at most: the upper end of the interval.
pub const RATIO_MAX: f64 = 0.1;
/// Pings by which a tentative alarm may come later than the plain test.
pub const EXTRA_PINGS_MAX: i64 = 1;
/// And so many of a hundred must come in that time.
pub const SOON_PERCENT_MIN: f64 = 95.0;

/// A score.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// What all chance came from.
    pub seed: u64,
    /// How long tags were watched, together.
    pub tag_s: u64,
    /// Lives.
    pub life_count: u64,
    /// Pings that were heard.
    pub ping_count: u64,
    /// Zones that nobody can walk about: too small, or without a way out.
    pub left_out: u64,
    /// Occupancy of zones, by the zones' gates.
    pub zones: Contest,
    /// Alarms of rules, as they were raised in the end.
    pub rules: Contest,
    /// First words of rules that raise tentative alarms.
    pub tentative: Contest,
    /// The same for each rule by itself, by its id: the last word, and the first.
    pub by_rule: Vec<(String, Contest, Option<Contest>)>,
}

/// Three judges of the same lives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contest {
    /// How long tags were watched, together; twice the time where two rules watch one life.
    pub tag_s: u64,
    /// The test of each ping.
    pub plain: Judged,
    /// The fences of omlox.
    pub omlox: Judged,
    /// The product.
    pub ours: Judged,
    /// False transitions of ours for each of the plain test's; `None` if that had none.
    pub ratio: Option<Ratio>,
    /// By how much ours came later than the plain test.
    pub extra: Option<Extra>,
}

/// What one judge came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// Reports without a transition.
    pub false_count: u64,
    /// Transitions that were due.
    pub due_count: u64,
    /// Those that were not found.
    pub missed_count: u64,
    /// How late they were found: half of them by this, and 95 % of them by that.
    pub delays: Option<(Delay, Delay)>,
}

/// By how much one judge was later than another, over transitions that both found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extra {
    /// Pings, on average.
    pub mean_pings: f64,
    /// Half of them by at most so many; below 0 is sooner.
    pub p50_pings: i64,
    /// And 95 % of them by at most so many.
    pub p95_pings: i64,
    /// How many of a hundred are later by at most [`EXTRA_PINGS_MAX`].
    pub soon_percent: f64,
}

/// Whether limits are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Yes.
    Yes,
    /// No.
    No,
    /// There was nothing to hold it by: no such rule, or no false transition of the plain test.
    Untried,
}

impl Score {
    /// Whether the false transitions of zones are few enough.
    pub fn zones_held(&self) -> Held {
        ratio_held(&self.zones)
    }

    /// Whether the false transitions of rules are few enough.
    pub fn rules_held(&self) -> Held {
        ratio_held(&self.rules)
    }

    /// Whether tentative alarms that nothing came of are few enough.
    pub fn tentative_held(&self) -> Held {
        ratio_held(&self.tentative)
    }

    /// Whether tentative alarms come soon enough.
    pub fn delay_held(&self) -> Held {
        match self.tentative.extra {
            None => Held::Untried,
            Some(extra) if extra.soon_percent >= SOON_PERCENT_MIN => Held::Yes,
            Some(_) => Held::No,
        }
    }

    /// Whether every limit is held that there was something to hold by.
    pub fn is_held(&self) -> bool {
        let all = [self.zones_held(), self.rules_held(), self.tentative_held(), self.delay_held()];
        !all.contains(&Held::No)
    }
}

fn ratio_held(contest: &Contest) -> Held {
    match contest.ratio {
        _ if contest.tag_s == 0 => Held::Untried,
        Some(ratio) if ratio.high <= RATIO_MAX => Held::Yes,
        Some(_) => Held::No,
        None if contest.ours.false_count > 0 => Held::No,
        None => Held::Untried,
    }
}

impl Judged {
    /// False transitions for an hour of a tag.
    pub fn false_per_hour(&self, tag_s: u64) -> f64 {
        float(self.false_count) * 3_600.0 / float(tag_s.max(1))
    }
}

/// Collects what judges made of lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    tag_s: u64,
    plain: JudgeTally,
    omlox: JudgeTally,
    ours: JudgeTally,
    /// For each life: false transitions of ours, and of the plain test.
    pairs: Vec<(u64, u64)>,
    /// Pings by which ours was later, for each transition that both found.
    extra_pings: Vec<i64>,
}

#[derive(Debug, Clone, Default)]
struct JudgeTally {
    judged: Judged,
    delays: Vec<Delay>,
}

impl Tally {
    pub(crate) fn add(&mut self, tag_s: u64, plain: &Marks, omlox: &Marks, ours: &Marks) {
        self.tag_s += tag_s;
        self.plain.add(plain);
        self.omlox.add(omlox);
        self.ours.add(ours);
        self.pairs.push((ours.false_count, plain.false_count));
        let both = ours.found.iter().zip(&plain.found);
        let both = both.filter_map(|(ours, plain)| Some((ours.as_ref()?, plain.as_ref()?)));
        let later = both.map(|(ours, plain)| i64::from(ours.pings) - i64::from(plain.pings));
        self.extra_pings.extend(later);
    }

    pub(crate) fn finish(self, seed: u64) -> Contest {
        Contest {
            tag_s: self.tag_s,
            plain: self.plain.finish(),
            omlox: self.omlox.finish(),
            ours: self.ours.finish(),
            ratio: Ratio::of(&self.pairs, seed),
            extra: extra(self.extra_pings),
        }
    }
}

impl JudgeTally {
    fn add(&mut self, marks: &Marks) {
        self.judged.false_count += marks.false_count;
        self.judged.due_count += count(marks.found.len());
        self.judged.missed_count += marks.missed_count();
        self.delays.extend(marks.found.iter().flatten());
    }

    fn finish(mut self) -> Judged {
        self.delays.sort_unstable();
        let mut times: Vec<u64> = self.delays.iter().map(|delay| delay.ns).collect();
        times.sort_unstable();
        let delay = |percent| {
            let pings = percentile(&self.delays, percent)?.pings;
            Some(Delay { pings, ns: percentile(&times, percent)? })
        };
        Judged { delays: delay(50).zip(delay(95)), ..self.judged }
    }
}

/// Pings by which one judge was later, in short.
fn extra(mut pings: Vec<i64>) -> Option<Extra> {
    pings.sort_unstable();
    let as_float = |pings: i64| f64::from(i32::try_from(pings).unwrap_or(i32::MAX));
    let soon = count(pings.partition_point(|pings| *pings <= EXTRA_PINGS_MAX));
    Some(Extra {
        mean_pings: mean(pings.iter().map(|pings| as_float(*pings)))?,
        p50_pings: percentile(&pings, 50)?,
        p95_pings: percentile(&pings, 95)?,
        soon_percent: 100.0 * float(soon) / float(count(pings.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(false_count: u64, pings: &[Option<u32>]) -> Marks {
        let delay = |pings: u32| Delay { pings, ns: u64::from(pings) * 1_000_000_000 };
        Marks { false_count, found: pings.iter().map(|pings| pings.map(delay)).collect() }
    }

    #[test]
    fn judges_are_told_apart_and_delays_compared_where_both_have_one() {
        let mut tally = Tally::default();
        let plain = marks(8, &[Some(0), Some(1), None, Some(0)]);
        let omlox = marks(3, &[Some(1), None, None, Some(1)]);
        let ours = marks(0, &[Some(1), Some(1), Some(2), None]);
        for _ in 0..100 {
            tally.add(3_600, &plain, &omlox, &ours);
        }
        let contest = tally.finish(1);
        assert_eq!((contest.plain.false_count, contest.omlox.false_count), (800, 300));
        assert_eq!(contest.plain.missed_count, 100);
        assert_eq!((contest.ours.due_count, contest.ours.missed_count), (400, 100));
        let extra = contest.extra.unwrap();
        assert_eq!((extra.p50_pings, extra.p95_pings), (0, 1));
        assert!((extra.mean_pings - 0.5).abs() < 1e-9, "{extra:?}");
        assert!((extra.soon_percent - 100.0).abs() < 1e-9, "{extra:?}");
        let (half, most) = contest.ours.delays.unwrap();
        assert_eq!((half.pings, most.pings, most.ns), (1, 2, 2_000_000_000));
        assert!((contest.plain.false_per_hour(contest.tag_s) - 8.0).abs() < 1e-9);
        assert_eq!(ratio_held(&contest), Held::Yes);
    }

    #[test]
    fn limits_are_held_by_the_upper_end() {
        let contest = |top: u64| {
            let mut tally = Tally::default();
            for life in 0..100 {
                let ours = marks(u64::from(life < top), &[]);
                tally.add(3_600, &marks(5, &[]), &Marks::default(), &ours);
            }
            tally.finish(1)
        };
        // 35 of 500 are 0.07; the upper end is 0.09 for the one and above 0.1 for the other.
        assert_eq!(ratio_held(&contest(30)), Held::Yes);
        assert_eq!(ratio_held(&contest(48)), Held::No);
        assert_eq!(ratio_held(&Contest::default()), Held::Untried);
        let mut none = Tally::default();
        none.add(1, &Marks::default(), &Marks::default(), &Marks::default());
        assert_eq!(ratio_held(&none.finish(1)), Held::Untried);
        let mut ours = Tally::default();
        ours.add(1, &Marks::default(), &Marks::default(), &marks(1, &[]));
        assert_eq!(ratio_held(&ours.finish(1)), Held::No);
    }
}
