//! `fleet storm`: ten thousand alarms at once, and people who need help in the midst of them. Each storm is of batteries that
//! are found low together; while it is told, buttons are pressed. All is recorded, and no press waits behind the storm.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use ach_actors_model::{Lane, NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{Ping, Publisher, PublisherOptions, Report, ReportWord, now};
use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use crate::arguments::Storm;
use crate::campus::LoadTag;
use crate::cores::Cores;
use crate::failure::Failure;
use crate::host::{Host, HostPlan};
use crate::receiver::{Heard, HeardAlarm, HeardCounts, Receiver};
use crate::residence::{ResidenceLook, percentile_us};
use crate::results;
use crate::run::{drained_of, met};
use crate::sender::{charged, drained};
use crate::series::Ending;
use crate::watched::{THINGS, Watched};

/// What the node's thread may spend on a press, at the 99th percentile.
const PRESS_CPU_P99_US_MAX: f64 = 1_000.0;
/// A storm is told within that, or it never is.
const TOLD_WITHIN_NS: u64 = 60 * NS_PER_S;
/// How long a caller waits before looking again whether the storm has come far enough.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What was seen.
#[derive(Debug, Serialize)]
struct Weathered<'a> {
    provenance: &'a Provenance,
    storms: u32,
    alarms_a_storm: u32,
    presses_a_storm: u32,
    /// From the first ping of a storm to its last alarm, of the slowest.
    longest_ms: u64,
    /// The node's thread, on a press.
    press_cpu: CpuSpent,
    /// And on an alarm of the storm.
    storm_cpu: CpuSpent,
    order: Order,
    /// Alarms that were not told, or told twice.
    wrong_count: u64,
    /// Alarms that nobody asked for, and breaks of the stream.
    others_count: u64,
    is_held: bool,
}

/// Processor time of the node's thread, in microseconds: bounds of the histogram's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
struct CpuSpent {
    samples: f64,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
}

impl CpuSpent {
    fn of(buckets: &[(f64, f64)]) -> CpuSpent {
        CpuSpent {
            samples: buckets.last().map_or(0.0, |last| last.1),
            p50_us: percentile_us(buckets, 0.5),
            p99_us: percentile_us(buckets, 0.99),
        }
    }
}

/// Who was told before whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
struct Order {
    /// Presses that came while alarms of the storm were waiting within the node.
    in_the_midst_count: u64,
    /// Presses that an alarm was told before on which the node decided after it had the press.
    overtaken_count: u64,
}

impl Order {
    /// In the order in which alarms came to the receiver.
    fn of(alarms: &[HeardAlarm]) -> Order {
        let mut order = Order::default();
        // The latest decision on the storm of what was told so far.
        let mut decided_at = Timestamp(0);
        for alarm in alarms {
            if alarm.cause.lane == Lane::Duress {
                order.overtaken_count += u64::from(decided_at > alarm.received_at);
            } else {
                decided_at = decided_at.max(alarm.decided_at);
            }
        }
        // The earliest that the node had of what was told later.
        let mut received_at = Timestamp(u64::MAX);
        for alarm in alarms.iter().rev() {
            if alarm.cause.lane == Lane::Duress {
                order.in_the_midst_count += u64::from(received_at <= alarm.received_at);
            } else {
                received_at = received_at.min(alarm.received_at);
            }
        }
        order
    }
}

/// `fleet storm`.
pub(crate) fn storm(asked: &Storm) -> Result<Ending, Failure> {
    let with = &asked.with;
    if with.tags < asked.alarms {
        let (tags, alarms) = (with.tags, asked.alarms);
        let text = format!("{tags} tags are too few for {alarms} alarms; ask for more with --tags");
        return Err(Failure::new(text));
    }
    let provenance = Provenance::find("fleet");
    let watched = Watched::new(with.zones, with.tags);
    let cores = Cores::split()?;
    cores.leave_node_core()?;
    let process = HostPlan::process(&with.below, with.ach.as_deref())?;
    let plan = HostPlan { cores: Some(cores), measures_residence: true, ..process };
    let host = Host::start(&plan, &watched.campus.directory)?;
    let weathered = weather(&host, &watched, &provenance, asked)?;
    host.end()?;
    println!("\n{}", weathered.text());
    if let Some(out) = &with.out {
        results::write(out, &provenance, "storm", &weathered.text(), &weathered, None)?;
    }
    Ok(if weathered.is_held { Ending::Held } else { Ending::NotHeld })
}

fn weather<'a>(
    host: &Host,
    watched: &Watched,
    provenance: &'a Provenance,
    asked: &Storm,
) -> Result<Weathered<'a>, Failure> {
    let (Some(metrics), Some(process)) = (host.metrics, host.process()) else {
        return Err(Failure::new("the node tells no numbers"));
    };
    // The vendor's connection has a thread of its own, as it would in a vendor's program.
    let vendor = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("vendor")
        .enable_all()
        .build()?;
    let (tags, callers) = (&watched.campus.tags, &watched.buttons);
    let options = PublisherOptions::default().keeping_every_position();
    let publisher = vendor.block_on(met(host.vendor.clone(), tags, &[], options))?;
    let receiver = Receiver::start(host.receiver.clone())?;
    let storm_of = usize::try_from(asked.alarms).unwrap_or(usize::MAX);
    let low = tags.get(..storm_of).unwrap_or(tags);
    let before = ResidenceLook::at(metrics, process)?;
    let mut longest_ns = 0;
    for number in 1..=asked.storms {
        let begun_at = now();
        let told = vendor.block_on(one(&publisher, &receiver.counts, low, callers))?;
        longest_ns = longest_ns.max(told.since_ns(begun_at));
        println!("storm {number} of {} was told", asked.storms);
        vendor.block_on(quiet(&publisher, low, callers))?;
    }
    let after = ResidenceLook::at(metrics, process)?;
    receiver.counts.load_ends();
    let heard = receiver.end()?;
    vendor.block_on(publisher.close())?;
    let spent = |lane| CpuSpent::of(&after.cpu_since(&before, lane));
    let mut weathered = Weathered {
        provenance,
        storms: asked.storms,
        alarms_a_storm: asked.alarms,
        presses_a_storm: THINGS,
        longest_ms: longest_ns / 1_000_000,
        press_cpu: spent("duress"),
        storm_cpu: spent("ping"),
        order: Order::of(&heard.alarms),
        wrong_count: wrong_count(&heard, asked),
        others_count: heard.others_count + heard.gaps_count,
        is_held: false,
    };
    weathered.is_held = weathered.is_right() && (asked.counts_only || weathered.is_quick());
    Ok(weathered)
}

/// One storm, and a press each time another part of it was told. Gives when all of it was.
async fn one(
    publisher: &Publisher,
    counts: &HeardCounts,
    low: &[LoadTag],
    callers: &[TagId],
) -> Result<Timestamp, Failure> {
    let told_before = counts.alarms();
    let all = u64::try_from(low.len() + callers.len()).unwrap_or(u64::MAX);
    let pings: Vec<Ping> = low.iter().map(drained).collect();
    let step = low.len() / callers.len().max(1);
    let pressing = async {
        for (number, caller) in callers.iter().enumerate() {
            let far_enough = told_before + u64::try_from(number * step).unwrap_or(u64::MAX);
            told(counts, far_enough).await?;
            publisher.report(Report::tag(*caller, now(), ReportWord::ButtonPressed)).await?;
        }
        Ok::<(), Failure>(())
    };
    let blowing = async { Ok::<_, Failure>(publisher.publish_all(&pings).await?) };
    tokio::try_join!(blowing, pressing)?;
    told(counts, told_before + all).await?;
    let told_at = now();
    drained_of(publisher).await?;
    Ok(told_at)
}

/// Waits until so many alarms have come in all.
async fn told(counts: &HeardCounts, count: u64) -> Result<(), Failure> {
    let until = now().plus_ns(TOLD_WITHIN_NS);
    while counts.alarms() < count {
        if now() > until {
            let text =
                format!("{} alarms came instead of {count} within a minute", counts.alarms());
            return Err(Failure::new(text));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Ends all of it, so that the next is a storm again.
async fn quiet(publisher: &Publisher, low: &[LoadTag], callers: &[TagId]) -> Result<(), Failure> {
    for caller in callers {
        publisher.report(Report::tag(*caller, now(), ReportWord::ButtonReset)).await?;
    }
    publisher.publish_all(&charged(low)).await?;
    drained_of(publisher).await
}

/// Alarms that were not told, or told twice.
fn wrong_count(heard: &Heard, asked: &Storm) -> u64 {
    let mut wanted_each = [
        (Lane::Ping, u64::from(asked.alarms) * u64::from(asked.storms)),
        (Lane::Duress, u64::from(THINGS) * u64::from(asked.storms)),
    ];
    for (lane, count) in &mut wanted_each {
        let of_lane = heard.alarms.iter().filter(|alarm| alarm.cause.lane == *lane);
        let told: Vec<(u32, u64)> = of_lane.map(|it| (it.cause.epoch, it.cause.seq)).collect();
        let once = told.iter().collect::<BTreeSet<_>>().len();
        let twice = u64::try_from(told.len() - once).unwrap_or(u64::MAX);
        *count = count.abs_diff(u64::try_from(once).unwrap_or(u64::MAX)) + twice;
    }
    wanted_each.iter().map(|(_, count)| count).sum()
}

impl Weathered<'_> {
    fn is_right(&self) -> bool {
        self.wrong_count == 0
            && self.others_count == 0
            && self.order.overtaken_count == 0
            && self.order.in_the_midst_count > 0
    }

    fn is_quick(&self) -> bool {
        let presses = f64::from(self.storms) * f64::from(self.presses_a_storm);
        self.longest_ms <= 1_000
            && self.press_cpu.samples >= presses
            && self.press_cpu.p99_us.is_some_and(|p99| p99 < PRESS_CPU_P99_US_MAX)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        let (storms, alarms, presses) = (self.storms, self.alarms_a_storm, self.presses_a_storm);
        writeln!(text, "storm: {storms} storms of {alarms} alarms, {presses} presses in each\n")?;
        writeln!(text, "{}", self.provenance.text())?;
        writeln!(
            text,
            "the longest took {} ms, from its first ping to its last alarm",
            self.longest_ms
        )?;
        for (what, cpu) in [("a press", self.press_cpu), ("an alarm of a storm", self.storm_cpu)] {
            let bound = |us: Option<f64>| {
                us.map_or("beyond all bounds".to_owned(), |us| format!("{us} us"))
            };
            let (p50, p99) = (bound(cpu.p50_us), bound(cpu.p99_us));
            writeln!(
                text,
                "processor time on {what}: p50 {p50}, p99 {p99} ({} measured)",
                cpu.samples
            )?;
        }
        let Order { in_the_midst_count, overtaken_count } = self.order;
        writeln!(text, "{in_the_midst_count} presses came while alarms of the storm waited")?;
        writeln!(
            text,
            "{overtaken_count} presses were overtaken by an alarm that was decided later"
        )?;
        writeln!(
            text,
            "{} alarms were not told or told twice, {} not asked for",
            self.wrong_count, self.others_count
        )?;
        let word = |is_held| if is_held { "HELD" } else { "NOT HELD" };
        let right = "all told once, no press overtaken, some in the midst";
        writeln!(text, "\n{right}: {}", word(self.is_right()))?;
        let quick = "each within a second, p99 of a press below 1 ms";
        writeln!(text, "{quick}: {}", word(self.is_quick()))
    }
}

#[cfg(test)]
mod tests {
    use ach_clients_rust::Name;
    use ach_engine_wire::InputCause;

    use super::*;

    /// An alarm by the moments at which the node received its cause and decided, in the order told.
    fn alarm(lane: Lane, received_at: u64, decided_at: u64) -> HeardAlarm {
        let source = Name::new("rtls").expect("a short plain id");
        HeardAlarm {
            cause: InputCause { source, lane, epoch: 1, seq: received_at },
            received_at: Timestamp(received_at),
            decided_at: Timestamp(decided_at),
            arrived_at: Timestamp(decided_at),
        }
    }

    #[test]
    fn a_press_is_overtaken_by_what_is_told_before_it_and_was_decided_after_the_node_had_it() {
        let (press, ping) = (Lane::Duress, Lane::Ping);
        let table = [
            ("first of its entry", [(ping, 1, 5), (press, 6, 8), (ping, 2, 8)], (1, 0)),
            ("behind another of its entry", [(ping, 1, 5), (ping, 2, 8), (press, 6, 8)], (0, 1)),
            ("after the storm", [(ping, 1, 5), (ping, 2, 5), (press, 6, 8)], (0, 0)),
            ("before what came later", [(ping, 1, 5), (press, 6, 8), (ping, 7, 8)], (0, 0)),
        ];
        for (case, alarms, (in_the_midst_count, overtaken_count)) in table {
            let alarms = alarms.map(|(lane, received, decided)| alarm(lane, received, decided));
            let order = Order { in_the_midst_count, overtaken_count };
            assert_eq!(Order::of(&alarms), order, "{case}");
        }
    }

    #[test]
    fn what_is_missing_or_told_twice_is_wrong() {
        let command = ["fleet", "storm", "--storms", "1", "--alarms", "1000"];
        let arguments = <crate::arguments::Arguments as clap::Parser>::parse_from(command);
        let crate::arguments::Job::Storm(asked) = arguments.command else {
            panic!("{arguments:?}")
        };
        let mut alarms: Vec<HeardAlarm> =
            (0..1_000).map(|seq| alarm(Lane::Ping, seq, seq)).collect();
        alarms.extend((0..u64::from(THINGS)).map(|seq| alarm(Lane::Duress, seq, seq)));
        let heard = |alarms: Vec<HeardAlarm>| Heard { alarms, ..Heard::default() };
        assert_eq!(wrong_count(&heard(alarms.clone()), &asked), 0);
        let twice = [alarms.clone(), vec![alarms[0].clone()]].concat();
        assert_eq!(wrong_count(&heard(twice), &asked), 1);
        assert_eq!(wrong_count(&heard(alarms.split_off(2)), &asked), 2);
    }
}
