//! `fleet standing`: what alarms cost a node that nobody answers. Each tag's battery is low, one alarm a tag, and all of
//! them stand; a console that connects then is told every one.

use std::fmt::Write as _;
use std::time::Duration;

use ach_clients_rust::{
    AlarmUpdate, Client, ClientConfig, Filter, Ping, Publisher, PublisherOptions, now,
};
use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use crate::arguments::Standing;
use crate::campus::Campus;
use crate::failure::Failure;
use crate::host::{Host, HostPlan};
use crate::resident::resident_kib;
use crate::results;
use crate::run::{drained_of, met};
use crate::sender::drained;
use crate::series::Ending;

/// What 100,000 alarms that stand may take; other counts in proportion.
const KIB_MAX: u64 = 200 * 1_024;
const ALARMS_OF_MAX: u64 = 100_000;
/// The last look is the least of so many: what a burst took is given back within some seconds.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// A console that has not been told all open alarms by then is not being told them.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// What was seen.
#[derive(Debug, Serialize)]
struct Stood<'a> {
    provenance: &'a Provenance,
    tags: u32,
    zones: u32,
    /// Every tag was heard, no alarm is open.
    before_kib: u64,
    /// An alarm a tag is open.
    after_kib: u64,
    open_count: u64,
    /// From connecting until a console knew all of them.
    told_after_ms: u64,
    is_held: bool,
}

/// `fleet standing`.
pub(crate) fn standing(asked: &Standing) -> Result<Ending, Failure> {
    let with = &asked.with;
    let provenance = Provenance::find("fleet");
    let campus = Campus::new(with.zones, with.tags);
    let plan = HostPlan::process(&with.below, with.ach.as_deref())?;
    let host = Host::start(&plan, &campus.directory)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stood = runtime.block_on(stand(&host, &campus, &provenance, asked))?;
    host.end()?;
    println!("\n{}", stood.text());
    if let Some(out) = &with.out {
        results::write(out, &provenance, "standing", &stood.text(), &stood, None)?;
    }
    Ok(if stood.is_held { Ending::Held } else { Ending::NotHeld })
}

async fn stand<'a>(
    host: &Host,
    campus: &Campus,
    provenance: &'a Provenance,
    asked: &Standing,
) -> Result<Stood<'a>, Failure> {
    let options = PublisherOptions::default().keeping_every_position();
    let publisher: Publisher = met(host.vendor.clone(), &campus.tags, &[], options).await?;
    println!("{} tags were heard", campus.tags.len());
    let before_kib = least_resident(host).await?;
    let pings: Vec<Ping> = campus.tags.iter().map(drained).collect();
    publisher.publish_all(&pings).await?;
    drained_of(&publisher).await?;
    println!("{} batteries are low", pings.len());
    let (open_count, told_after) = told(host.receiver.clone()).await?;
    let after_kib = least_resident(host).await?;
    let kib_max = KIB_MAX.saturating_mul(open_count) / ALARMS_OF_MAX;
    let is_all = open_count == u64::from(asked.with.tags);
    Ok(Stood {
        provenance,
        tags: asked.with.tags,
        zones: asked.with.zones,
        before_kib,
        after_kib,
        open_count,
        told_after_ms: u64::try_from(told_after.as_millis()).unwrap_or(u64::MAX),
        is_held: is_all && after_kib.saturating_sub(before_kib) <= kib_max,
    })
}

/// How many alarms a console is told that connects now, and after how long it knows them.
async fn told(receiver: ClientConfig) -> Result<(u64, Duration), Failure> {
    let begun_at = now();
    let mut subscriber = Client::connect(receiver).await?.subscriber();
    let mut alarms = subscriber.alarms(Filter::default(), None).await?;
    let all = async {
        loop {
            match alarms.next().await {
                Some(AlarmUpdate::OpenSetComplete { open_count }) => return Ok(open_count),
                Some(AlarmUpdate::Disconnected) | None => {
                    return Err(Failure::new("the console lost the node while it was told"));
                }
                Some(_) => {}
            }
        }
    };
    let late = |_| Failure::new("the console was not told all open alarms within a minute");
    let open_count = tokio::time::timeout(TOLD_WITHIN, all).await.map_err(late)??;
    let told_after = Duration::from_nanos(now().since_ns(begun_at));
    subscriber.close().await;
    Ok((open_count.into(), told_after))
}

/// The least of some looks.
async fn least_resident(host: &Host) -> Result<u64, Failure> {
    let process = host.process().ok_or_else(|| Failure::new("the node is no process"))?;
    let mut least = u64::MAX;
    for _ in 0..LOOKS {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let kib = resident_kib(process);
        least = least.min(kib.ok_or_else(|| Failure::new("the node's memory cannot be seen"))?);
    }
    Ok(least)
}

impl Stood<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        let (tags, zones, open) = (self.tags, self.zones, self.open_count);
        let more_kib = self.after_kib.saturating_sub(self.before_kib);
        let each = more_kib.saturating_mul(1_024).checked_div(open).unwrap_or(0);
        writeln!(text, "standing: {tags} tags in {zones} zones, an alarm each\n")?;
        writeln!(text, "{}", self.provenance.text())?;
        writeln!(text, "resident {} MiB without alarms", self.before_kib / 1_024)?;
        writeln!(text, "resident {} MiB with {open} that stand", self.after_kib / 1_024)?;
        writeln!(text, "{} MiB for them, {each} bytes each", more_kib / 1_024)?;
        writeln!(text, "a console knew all of them after {} ms", self.told_after_ms)?;
        let held = if self.is_held { "HELD" } else { "NOT HELD" };
        writeln!(text, "\nall stand, in {} MiB for 100,000 at most: {held}", KIB_MAX / 1_024)
    }
}
