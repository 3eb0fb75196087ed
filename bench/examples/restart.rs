//! How long a node takes from its start until it listens, with much in its journal, beside how long the
//! shard alone takes to decide the same.
//!
//! ```console
//! cargo run --release -p ach-bench --example restart [PINGS] [TAGS] [FOLDER]
//! ```
//!
//! Entries of 256 pings, each tag once a second, are decided and journaled here without a checkpoint; then
//! a whole node is started on them, history off. It reads, checks, decrypts, decodes and decides them and
//! compares what they led to. A node that finds the first second alone shows what a start takes in any
//! case. All is told by the clock, the median of some starts: a start uses two cores. Slower here is a
//! hospital that is longer without alarms after a power cut.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use ach_actors_model::SiteConfig;
use ach_bench::{Moves, ShardSteps, Size};
use ach_engine_journal::{AppendError, Config, FileDisk, Journal, KekSource, RecordKind};
use ach_engine_net::Authority;
use ach_engine_node::{Arrangement, Node, NodeConfig, NodeLimits};
use ach_engine_shard::{Entry, Input, Shard};
use ach_engine_wire::encode_entry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pings in the journal, unless given.
const PINGS: Size = Size { smoke: 10_000, full: 10_000_000 };
/// Tags, unless given.
const TAGS: Size = Size { smoke: 500, full: 100_000 };
/// Starts that are measured.
const STARTS: usize = 3;
/// What a start must reach of the step's rate.
const RATE_PART_MIN: f64 = 0.8;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut given = std::env::args().skip(1);
    let first = given.next();
    let is_smoke = first.as_deref() == Some("smoke");
    let number = |text: Option<String>, size: Size| {
        let default = if is_smoke { size.smoke } else { size.full };
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let pings = number(first, PINGS);
    let tags = number(given.next(), TAGS);
    let folder = match given.next() {
        Some(below) => tempfile::tempdir_in(below)?,
        None => tempfile::tempdir()?,
    };
    let (bare, full) = (folder.path().join("bare"), folder.path().join("full"));
    let (mut told_bare, mut told) = (Told::new(&bare)?, Told::new(&full)?);
    let mut begun = Vec::new();
    let mut steps =
        ShardSteps::telling(ShardSteps::ZONES.full, tags, Moves::Walks, &mut |entry, _, _| {
            begun.push(entry.clone());
        });
    let site = begun.iter().flat_map(|entry| &entry.inputs).find_map(site_of);
    let site = site.ok_or("the first entries put no site in force")?;
    begun.extend(steps.next_round());
    told_bare.take(begun.clone())?;
    told.take(begun)?;
    told_bare.journal.close()?;
    let before = told.stepped;
    let mut behind = 0;
    while behind < pings {
        told.take(steps.next_round())?;
        behind += tags;
    }
    let stepped = told.stepped.saturating_sub(before);
    drop(steps);
    let entries = told.entries;
    told.journal.close()?;
    let took_ms = stepped.as_millis();
    println!("{behind} pings of {tags} tags in {entries} entries, decided in {took_ms} ms");
    drop(told.shard);
    let (mut bares, mut fulls) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        bares.push(start(&bare, &site)?);
        fulls.push(start(&full, &site)?);
    }
    let replayed = median(fulls).saturating_sub(median(bares));
    let pings = f64::from(u32::try_from(behind)?);
    let rate = |took: Duration| pings / took.as_secs_f64().max(f64::MIN_POSITIVE);
    let part = rate(replayed) / rate(stepped);
    println!(
        "replayed at {:.0} pings/s, the step alone does {:.0}: {:.0} %, at least {:.0} %: {}",
        rate(replayed),
        rate(stepped),
        part * 100.0,
        RATE_PART_MIN * 100.0,
        if part >= RATE_PART_MIN { "held" } else { "not held" },
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn site_of(input: &Input) -> Option<SiteConfig> {
    match input {
        Input::SiteChange(site) => Some(SiteConfig::clone(site)),
        _ => None,
    }
}

/// A shard that decides entries as they come, and the journal they go to.
struct Told {
    shard: Shard,
    journal: Journal,
    bytes: Vec<u8>,
    entries: u64,
    /// How long deciding took, by the clock.
    stepped: Duration,
}

impl Told {
    fn new(folder: &Path) -> Result<Told, Failure> {
        let disk = FileDisk::create(folder.join("data").join("journal"))?;
        let kek = key(folder).load_for(&disk)?;
        let (journal, _) = Journal::open(disk, Config::default(), kek, &mut |_| {})?;
        let stepped = Duration::ZERO;
        Ok(Told { shard: Shard::new(), journal, bytes: Vec::new(), entries: 0, stepped })
    }

    fn take(&mut self, mut entries: Vec<Entry>) -> Result<(), Failure> {
        let mut effects = Vec::new();
        let begun_at = now();
        for entry in &mut entries {
            effects.clear();
            entry.effects_hash = self.shard.step(entry, &mut effects);
        }
        self.stepped += now().duration_since(begun_at);
        for entry in &entries {
            self.bytes.clear();
            encode_entry(entry, &mut self.bytes)?;
            self.entries += 1;
            if let Err(AppendError::GroupFull { .. }) = self.append(entry.index) {
                self.journal.commit()?;
                self.append(entry.index)?;
            }
        }
        Ok(())
    }

    fn append(&mut self, index: u64) -> Result<(), AppendError> {
        self.journal.append(RecordKind::Entry, 0, 1, index, &self.bytes).map(drop)
    }
}

fn key(folder: &Path) -> KekSource {
    KekSource::File(folder.join("journal.key"))
}

/// Starts a node on what is in a folder, and ends it again. Says how long it took until it listened.
fn start(folder: &Path, site: &SiteConfig) -> Result<Duration, Failure> {
    let authority = Authority::open_or_create(&folder.join("pki"), &site.site)?;
    let name = ach_actors_model::Name::new("node-1")?;
    // No start finds a checkpoint of the one before.
    let mut limits = NodeLimits::default();
    limits.checkpoints.journal_bytes = u64::MAX;
    limits.checkpoints.entries = u64::MAX;
    let config = NodeConfig {
        bundle: authority.issue_node(&name, &[])?,
        name,
        site: site.clone(),
        frame: None,
        made_from: None,
        data: folder.join("data"),
        kek: key(folder),
        journal: Config::default(),
        listen: "127.0.0.1:0".parse()?,
        arrangement: Arrangement::Auto,
        limits,
    };
    let begun_at = now();
    let node = Node::start(config)?;
    let took = now().duration_since(begun_at);
    let what = folder.file_name().unwrap_or_default().display();
    println!("{what}: listens after {} ms, {:?}", took.as_millis(), node.drain());
    Ok(took)
}

/// The time by the clock.
#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}
