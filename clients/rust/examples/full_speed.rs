//! A vendor that publishes as much as it can for a while, and tells what became of it: what a feed's machine
//! can send, and what it costs. The tags are those of the load test (`fleet site`).
//!
//! `cargo run --release -p ach-clients-rust --example full_speed -- 127.0.0.1:7400 path/to/bundle 20000 64 262144 2`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use ach_clients_rust::{
    Bundle, Client, ClientConfig, Floor, Ping, PublishError, Publisher, PublisherOptions, TagId,
    now,
};

/// The load test's first tag.
const FIRST_TAG: u64 = 0x00AC_4C00_0000_0000;
/// A program that is watched instruction by instruction takes its time to shake hands.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, bundle, tags, batch, room, seconds] = arguments.as_slice() else {
        return Err("usage: full_speed ADDRESS BUNDLE TAGS BATCH ROOM SECONDS".into());
    };
    let (tags, batch): (u64, u64) = (tags.parse()?, batch.parse()?);
    let options = PublisherOptions { pings_max: room.parse()?, ..PublisherOptions::default() };
    let length_ns = seconds.parse::<u64>()?.saturating_mul(1_000_000_000);
    let mut config =
        ClientConfig::new(address.parse()?, "localhost", Bundle::load(Path::new(bundle))?);
    config.answer_within = ANSWER_WITHIN;
    // The connection has a thread of its own, so that this one does nothing but publish.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let vendor = runtime.block_on(async {
        let vendor = Client::connect(config).await?.publisher(options)?;
        let ids: Vec<TagId> = (0..tags).map(|number| TagId(FIRST_TAG + number)).collect();
        for (tag, code) in vendor.intern_tags(&ids).await? {
            println!("tag {tag} refused: {code}");
        }
        Ok::<Publisher, Box<dyn Error>>(vendor)
    })?;
    let begun_at = now();
    let (mut handed, mut turned_away) = (0_u64, 0_u64);
    let mut number = 0;
    while now().since_ns(begun_at) < length_ns {
        let pings = (0..batch).map(|at| {
            Ping::local(TagId(FIRST_TAG + (number + at) % tags), now(), 1_000, 1_000)
                .on_floor(Floor(0))
        });
        let pings: Vec<Ping> = pings.collect();
        number += batch;
        handed += batch;
        turned_away += handed_over(&vendor, &pings)?;
    }
    let gave_way = vendor.gave_way_count();
    runtime.block_on(vendor.drain())?;
    println!("{handed} handed over, {gave_way} gave way, {turned_away} found no room");
    println!("{:?}", vendor.progress().borrow().ping);
    Ok(runtime.block_on(vendor.close())?)
}

/// What is counted under an instruction counter: `valgrind --tool=callgrind --toggle-collect='*handed_over*'`.
#[inline(never)]
fn handed_over(vendor: &Publisher, mut pings: &[Ping]) -> Result<u64, PublishError> {
    let mut turned_away = 0;
    while !pings.is_empty() {
        let taken = match vendor.try_publish_all(pings) {
            Ok((count, _)) => count,
            Err(PublishError::Full { .. }) => {
                turned_away += 1;
                1
            }
            Err(error) => return Err(error),
        };
        pings = pings.get(taken..).unwrap_or_default();
    }
    Ok(turned_away)
}
