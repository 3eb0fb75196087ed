//! How many pings a second become durable through a whole node on loopback, and how late alarms are.
//!
//! `cargo run --release -p ach-engine-node --example node_rate -- FOLDER [SECONDS] [one|two] [history]`
//!
//! With `history` the node remembers; how far that is behind at the end, and when it has caught up, is told.
//!
//! A rough hand tool: node and vendor share the process and the machine. `load-tests` measures.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use ach_actors_model::{
    Name, NameError, SiteConfig, SourceConfig, SubjectClass, SubjectConfig, TagConfig, TagId,
    Timestamp, UtcOffset, ZoneConfig,
};
use ach_clients_rust::{Client, ClientConfig, Ping, PublisherOptions, now};
use ach_engine_journal::{Config, KekSource};
use ach_engine_net::{Authority, Role};
use ach_engine_node::{
    Arrangement, HistoryPolicy, Node, NodeConfig, NodeLimits, Rung, Running, ring,
};
use ach_geo::{Floor, Gates, Outline};

const TAGS: u32 = 10_000;
const BATCH: usize = 256;

fn site() -> Result<SiteConfig, NameError> {
    let zones = (0..1_000).map(|n| {
        let (x_mm, y_mm) = ((n % 40) * 6_000, (n / 40) * 6_000);
        Ok(ZoneConfig {
            id: Name::new(&format!("zone-{n}"))?,
            labels: Vec::new(),
            floor: Some(Floor(0)),
            outline: Outline::Polygon {
                outer_mm: vec![
                    (x_mm, y_mm),
                    (x_mm + 5_000, y_mm),
                    (x_mm + 5_000, y_mm + 5_000),
                    (x_mm, y_mm + 5_000),
                ],
                holes_mm: Vec::new(),
            },
            height: None,
            capacity: None,
            motion_source: None,
            gates: Gates::default(),
        })
    });
    let subjects = (0..TAGS).map(|n| {
        let id = Name::new(&format!("subject-{n}"))?;
        Ok(SubjectConfig { id, class: SubjectClass::Staff, labels: Vec::new() })
    });
    Ok(SiteConfig {
        site: Name::new("rate")?,
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: Vec::new(),
        sources: vec![SourceConfig { id: Name::new("uwb")?, silence_ns: None, zones: vec![] }],
        anchors: Vec::new(),
        zones: zones.collect::<Result<_, NameError>>()?,
        doors: Vec::new(),
        lines: Vec::new(),
        subjects: subjects.collect::<Result<_, NameError>>()?,
        tags: (0..TAGS)
            .map(|n| TagConfig { id: TagId(u64::from(n)), source: 0, subject: Some(n) })
            .collect(),
        rules: Vec::new(),
        largest_gap_ns: 2_000_000_000,
        holidays: Vec::new(),
        badges: Vec::new(),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(
        arguments.first().ok_or("usage: node_rate FOLDER [SECONDS] [one|two] [history]")?,
    );
    let seconds: u64 = arguments.get(1).map_or(Ok(5), |text| text.parse())?;
    let is_two = arguments.get(2).is_some_and(|word| word == "two");
    let has_history = arguments.iter().skip(2).any(|word| word == "history");
    let history = has_history.then(HistoryPolicy::default);
    let authority = Authority::open_or_create(&folder.join("pki"), &Name::new("rate")?)?;
    let node = Node::start(NodeConfig {
        name: Name::new("node-1")?,
        site: site()?,
        frame: None,
        made_from: None,
        data: folder.join("data"),
        kek: KekSource::File(folder.join("journal.key")),
        journal: Config::default(),
        bundle: authority.issue_node(&Name::new("node-1")?, &[])?,
        listen: "127.0.0.1:0".parse()?,
        arrangement: if is_two { Arrangement::TwoThread } else { Arrangement::OneThread },
        limits: NodeLimits { history, ..NodeLimits::default() },
    })?;
    let bundle = authority.issue(Role::Vendor, &Name::new("uwb")?)?;
    let config = ClientConfig::new(node.address(), "localhost", bundle);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(publish(config, seconds))?;
    if has_history {
        tell_history(&node, &folder.join("data"))?;
    }
    for (name, count) in node.counters().read().into_iter().filter(|(_, count)| *count > 0) {
        println!("{name:28} {count}");
    }
    println!("{:?}", node.drain());
    Ok(())
}

/// How far history is, and when it has everything.
fn tell_history(node: &Running, data: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let began_at = now();
    let pings = node.counters().pings_accepted.get();
    let left_out = node.counters().history_entries_left_out.get();
    let durable = node.health().durable_index;
    println!("history: {left_out} of {durable} entries left out for it to read later");
    loop {
        match ring(data)? {
            Rung::Written { through } if through >= durable => break,
            Rung::Written { .. } => {}
            Rung::NotWritten { why } => println!("history: {why}"),
        }
    }
    println!(
        "history: all {pings} pings written after {} ms",
        now().since_ns(began_at) / 1_000_000
    );
    Ok(())
}

async fn publish(config: ClientConfig, seconds: u64) -> Result<(), Box<dyn Error>> {
    let options = PublisherOptions::default().keeping_every_position();
    let vendor = Client::connect(config).await?.publisher(options)?;
    let tags: Vec<TagId> = (0..TAGS).map(|n| TagId(u64::from(n))).collect();
    vendor.intern_tags(&tags).await?;
    let started_at = now();
    let mut published: u64 = 0;
    let mut batch: Vec<Ping> = Vec::with_capacity(BATCH);
    let mut turn: i32 = 0;
    while now().since_ns(started_at) < seconds * 1_000_000_000 {
        turn = (turn + 1) % 400;
        for chunk in tags.chunks(BATCH) {
            let observed_at = now();
            batch.clear();
            batch.extend(chunk.iter().zip(0..).map(|(&tag, at)| {
                let x_mm = (at % 200) * 1_000 + turn * 50;
                Ping::local(tag, observed_at, x_mm, (at / 8) * 2_000).on_floor(Floor(0))
            }));
            vendor.publish_all(&batch).await?;
            published += u64::try_from(batch.len())?;
            // Lets the connection's own tasks run.
            tokio::task::yield_now().await;
        }
    }
    tokio::time::timeout(Duration::from_mins(1), vendor.drain()).await??;
    let took_ns = now().since_ns(started_at);
    println!("{published} pings durable in {} ms", took_ns / 1_000_000);
    println!("{} pings/s", published * 1_000_000 / (took_ns / 1_000));
    println!("{:?}", vendor.progress().borrow().ping);
    Ok(vendor.close().await?)
}
