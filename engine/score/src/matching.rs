//! Which report tells of which true transition.
//!
//! A stay is open to reports of its side from a little before it begins to a little after it ends, and for a
//! minute at most. Each report in turn takes, of the stays that are open to it and have none yet, the latest that
//! has begun, else the one that is about to begin; one that finds none is false. The stay that a life begins with
//! is open to the very first report alone: rules about leaving do not say that somebody is in. A stay that is due
//! and has no report is missed.

use ach_actors_model::NS_PER_S;

use crate::ground::Side;
use crate::stay::Stay;

/// A report may come so long before the stay begins: noise carries somebody over the line who is about to cross
/// it; and so long after it has ended: the last ping of it may have been the first that was heard.
pub const NEAR_NS: u64 = 2 * NS_PER_S;
/// A report that comes later tells of something else. The longest sensible gates wait for half of it.
pub const LATE_NS: u64 = 60 * NS_PER_S;

/// A judge says that somebody has gone over to that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// To which side.
    pub side: Side,
    /// When, in nanoseconds of the life.
    pub at_ns: u64,
    /// Pings heard before that; the one it was decided on is not among them.
    pub pings_before: u32,
}

/// How long after the transition a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay {
    /// Pings heard in between: 0 for a report at the first ping after the transition.
    pub pings: u32,
    /// Time from the transition; 0 for a report that came before it.
    pub ns: u64,
}

/// The reports of one judge held against the truth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Reports without a transition.
    pub false_count: u64,
    /// For each stay that is due, in order: how late it was found, if it was.
    pub found: Vec<Option<Delay>>,
}

impl Marks {
    /// Transitions that were due and not found.
    pub fn missed_count(&self) -> u64 {
        crate::number::count(self.found.iter().filter(|found| found.is_none()).count())
    }
}

/// Holds the reports of one judge, in order, against the stays of one life, in order.
pub fn matched(stays: &[Stay], reports: &[Report]) -> Marks {
    let mut taken: Vec<Option<Report>> = vec![None; stays.len()];
    let mut false_count = 0;
    let mut first_open = 0;
    for (number, report) in (0..).zip(reports) {
        // What is over for this report is over for all that follow.
        let is_over = |stay: &&Stay| closes_ns(stay) < report.at_ns;
        first_open += stays.iter().skip(first_open).take_while(is_over).count();
        let open = stays.iter().zip(&mut taken).skip(first_open);
        let open = open.take_while(|(stay, _)| stay.begin_ns <= report.at_ns + NEAR_NS);
        let free = open.filter(|(stay, taken)| {
            let is_open = stay.begin_ns > 0 || number == 0;
            is_open && stay.side == report.side && taken.is_none()
        });
        let best = free.max_by_key(|(stay, _)| {
            let has_begun = stay.begin_ns <= report.at_ns;
            (has_begun, if has_begun { stay.begin_ns } else { u64::MAX - stay.begin_ns })
        });
        match best {
            Some((_, taken)) => *taken = Some(*report),
            None => false_count += 1,
        }
    }
    let due = stays.iter().zip(taken).filter(|(stay, _)| stay.is_due);
    let found = due.map(|(stay, taken)| taken.map(|report| delay(stay, &report))).collect();
    Marks { false_count, found }
}

/// The last moment at which a report may tell of a stay.
fn closes_ns(stay: &Stay) -> u64 {
    stay.end_ns.saturating_add(NEAR_NS).min(stay.begin_ns.saturating_add(LATE_NS))
}

fn delay(stay: &Stay, report: &Report) -> Delay {
    Delay {
        pings: report.pings_before.saturating_sub(stay.pings_before),
        ns: report.at_ns.saturating_sub(stay.begin_ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told as words like `in@5` in tenths of a second where there is a point; one ping a second.
    fn moments(told: &str) -> Vec<(Side, u64)> {
        let moment = |word: &str| {
            let (side, at) = word.split_once('@').unwrap();
            let (whole, tenths) = at.split_once('.').unwrap_or((at, "0"));
            let number = |text: &str| text.parse::<u64>().unwrap();
            let at_ns = number(whole) * NS_PER_S + number(tenths) * NS_PER_S / 10;
            (if side == "in" { Side::In } else { Side::Out }, at_ns)
        };
        told.split_whitespace().map(moment).collect()
    }

    fn pings_before(at_ns: u64) -> u32 {
        u32::try_from(at_ns.div_ceil(NS_PER_S)).unwrap()
    }

    /// Inside from the beginning, then as told; all but the first stay are due.
    #[track_caller]
    fn check(truth: &str, reports: &str, false_count: u64, found: &[Option<u32>]) {
        let mut begun = vec![(Side::In, 0)];
        begun.extend(moments(truth));
        let ends = begun.iter().skip(1).map(|(_, at_ns)| *at_ns).chain([u64::MAX]);
        let stays: Vec<Stay> = begun
            .iter()
            .zip(ends)
            .map(|(&(side, begin_ns), end_ns)| Stay {
                side,
                begin_ns,
                end_ns,
                pings_before: pings_before(begin_ns),
                is_due: begin_ns > 0,
            })
            .collect();
        let report = |(side, at_ns)| Report { side, at_ns, pings_before: pings_before(at_ns) };
        let reports: Vec<Report> = moments(reports).into_iter().map(report).collect();
        let marks = matched(&stays, &reports);
        let pings: Vec<Option<u32>> =
            marks.found.iter().map(|found| found.map(|delay| delay.pings)).collect();
        assert_eq!((marks.false_count, pings.as_slice()), (false_count, found), "{reports:?}");
    }

    #[test]
    fn each_transition_is_told_once() {
        check("", "", 0, &[]);
        check("out@50 in@90", "in@0 out@50 in@90", 0, &[Some(0), Some(0)]);
        check("out@50 in@90", "out@52 in@93", 0, &[Some(2), Some(3)]);
        check("out@50 in@90", "", 0, &[None, None]);
        // A deadline between two pings has heard the one before.
        check("out@50 in@90", "out@50.1 in@90", 0, &[Some(1), Some(0)]);
    }

    #[test]
    fn what_flaps_is_false() {
        // A jump out and back is two.
        check("", "in@0 out@20 in@21", 2, &[]);
        check("out@50", "in@0 out@50 in@51 out@52", 2, &[Some(0)]);
        check("out@50", "out@50 in@51 out@52", 2, &[Some(0)]);
        // Who says nothing of how a life begins is not forgiven for a return within its first minute.
        check("", "out@20 in@21", 2, &[]);
        check("out@50 in@90", "out@50 in@70 out@71 in@90", 2, &[Some(0), Some(0)]);
        // Of reports that follow each other the first is it.
        check("out@50", "out@50 out@53", 1, &[Some(0)]);
    }

    #[test]
    fn a_report_may_be_a_little_early_and_not_much_too_late() {
        check("out@50", "out@48", 0, &[Some(0)]);
        check("out@50", "out@47.9", 1, &[None]);
        check("out@50 in@60", "out@62 in@63", 0, &[Some(12), Some(3)]);
        check("out@50 in@60", "out@62.1 in@63", 1, &[None, Some(3)]);
        check("out@50", "out@110", 0, &[Some(60)]);
        check("out@50", "out@110.1", 1, &[None]);
        // Who is not told to have come in within a minute of the beginning is told of falsely.
        check("out@500", "in@61 out@500", 1, &[Some(0)]);
    }

    #[test]
    fn short_stays_are_matched_in_their_order() {
        let truth = "out@10 in@12 out@14 in@16";
        check(truth, "out@10 in@12 out@14 in@16", 0, &[Some(0); 4]);
        check(truth, "out@14 in@16", 0, &[None, None, Some(0), Some(0)]);
        check(truth, "out@13 in@15", 0, &[Some(3), Some(3), None, None]);
        // One that is about to begin is less likely than one that has just ended.
        check(truth, "out@13 out@13.5 in@16", 0, &[Some(3), None, Some(0), Some(0)]);
    }
}
