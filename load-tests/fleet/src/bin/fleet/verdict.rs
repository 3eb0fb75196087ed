//! What several runs show together.

use ach_load_tests_fleet::Spread;
use serde::Serialize;

use crate::outcome::Outcome;
use crate::scenario::Limits;

/// Whether a limit was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    /// The median is within the limit.
    Yes,
    /// It is not.
    No,
    /// There is no value of any run that counts, or some runs have none.
    NotShown,
}

/// One figure over all runs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What.
    pub(crate) what: &'static str,
    /// Over the runs that count.
    pub(crate) spread: Option<Spread>,
    /// The limit, if there is one.
    pub(crate) limit: Option<f64>,
    /// Whether it was held; `None` without a limit.
    pub(crate) held: Option<Held>,
}

/// What a scenario showed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    /// Runs that count.
    pub(crate) runs_counted: usize,
    /// Runs that say nothing.
    pub(crate) runs_void: usize,
    /// The figures.
    pub(crate) figures: Vec<Figure>,
    /// Whether no run was void and every limit was held.
    pub(crate) is_held: bool,
}

/// Which side of a limit is good.
#[derive(Debug, Clone, Copy)]
enum Side {
    AtMost,
    AtLeast,
}

impl Verdict {
    /// Judges runs by limits. Void runs do not count, and they are not forgotten either.
    pub(crate) fn of(outcomes: &[Outcome], limits: &Limits) -> Verdict {
        let counted: Vec<&Outcome> = outcomes.iter().filter(|it| it.void.is_empty()).collect();
        let figure = |what, limit: Option<f64>, side, value: &dyn Fn(&Outcome) -> Option<f64>| {
            let values: Vec<f64> = counted.iter().filter_map(|outcome| value(outcome)).collect();
            let is_whole = values.len() == counted.len();
            let spread = Spread::of(values);
            let held = limit.map(|limit| match (spread, side) {
                (Some(spread), Side::AtMost) if is_whole && spread.median <= limit => Held::Yes,
                (Some(spread), Side::AtLeast) if is_whole && spread.median >= limit => Held::Yes,
                (Some(_), _) if is_whole => Held::No,
                _ => Held::NotShown,
            });
            Figure { what, spread, limit, held }
        };
        let has_echoes = outcomes.iter().any(|outcome| outcome.echoes_sent > 0);
        let mut figures = Vec::new();
        if has_echoes {
            let (p50, p99) = (limits.p50_ratio_max, limits.p99_ratio_max);
            figures.extend([
                figure("alarm over echo, p50", p50, Side::AtMost, &|it| it.ratio.p50),
                figure("alarm over echo, p99", p99, Side::AtMost, &|it| it.ratio.p99),
                figure("alarm over echo, p99.9", None, Side::AtMost, &|it| it.ratio.p99_9),
                figure("alarm, p50, us", None, Side::AtMost, &|it| it.alarm_latency_us.p50),
                figure("alarm, p99, us", None, Side::AtMost, &|it| it.alarm_latency_us.p99),
                figure("echo, p50, us", None, Side::AtMost, &|it| it.echo_latency_us.p50),
                figure("echo, p99, us", None, Side::AtMost, &|it| it.echo_latency_us.p99),
                figure("sender late, p50, us", None, Side::AtMost, &|it| it.send_lateness_us.p50),
                figure("deadline alarm late, p50, us", None, Side::AtMost, &|it| {
                    it.deadline_lateness_us.p50
                }),
            ]);
        }
        if outcomes.iter().any(|outcome| outcome.residence.is_some()) {
            let most = limits.residence_p99_9_us_max;
            figures.push(figure("residence, cpu p99.9, us", most, Side::AtMost, &|it| {
                it.residence?.cpu_p99_9_us
            }));
        }
        let rate = |it: &Outcome| Some(it.durable_pings_per_s);
        figures.push(figure(
            "durable pings a second",
            limits.durable_pings_per_s_min,
            Side::AtLeast,
            &rate,
        ));
        let runs_void = outcomes.len() - counted.len();
        let is_every_held = figures.iter().all(|it| it.held.is_none_or(|held| held == Held::Yes));
        Verdict {
            runs_counted: counted.len(),
            runs_void,
            is_held: is_every_held && runs_void == 0 && !counted.is_empty(),
            figures,
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_load_tests_fleet::Percentiles;

    use super::*;
    use crate::outcome::Ratios;

    fn outcome(p99: Option<f64>) -> Outcome {
        Outcome {
            echoes_sent: 1,
            ratio: Ratios { p50: Some(1.2), p99, p99_9: None },
            alarm_latency_us: Percentiles { p50: Some(120.0), ..Percentiles::default() },
            durable_pings_per_s: 20_000.0,
            ..Outcome::default()
        }
    }

    fn limits() -> Limits {
        Limits { p50_ratio_max: Some(1.5), p99_ratio_max: Some(1.3), ..Limits::default() }
    }

    #[track_caller]
    fn check(outcomes: &[Outcome], p99: Held, is_held: bool) {
        let verdict = Verdict::of(outcomes, &limits());
        let figure = verdict.figures.iter().find(|it| it.what.ends_with("p99")).expect("p99");
        assert_eq!(figure.held, Some(p99));
        assert_eq!(verdict.is_held, is_held);
    }

    #[test]
    fn a_figure_that_was_not_measured_is_never_held() {
        check(&[outcome(Some(1.1)), outcome(Some(1.2))], Held::Yes, true);
        check(&[outcome(Some(1.4)), outcome(Some(1.5))], Held::No, false);
        check(&[outcome(None)], Held::NotShown, false);
        check(&[outcome(Some(1.1)), outcome(None)], Held::NotShown, false);
        assert!(!Verdict::of(&[], &limits()).is_held, "no run at all");
    }

    #[test]
    fn a_void_run_does_not_count_and_spoils_the_whole() {
        let void = Outcome { void: vec!["pings found no room".to_owned()], ..outcome(Some(9.9)) };
        let verdict = Verdict::of(&[outcome(Some(1.1)), void], &limits());
        assert_eq!((verdict.runs_counted, verdict.runs_void), (1, 1));
        assert!(verdict.figures.iter().all(|it| it.held.is_none_or(|held| held == Held::Yes)));
        assert!(!verdict.is_held);
    }
}
