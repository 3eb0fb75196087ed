//! What a ping costs on walks, for each layout of a campus, beside the same without safe boxes and
//! beside tree and exact test. The least of several passes, in nanoseconds.
//!
//! `cargo run --profile bench -p ach-bench --example geofence_layouts [ZONES [LAYOUT]]`

use std::time::{Duration, Instant};

use ach_bench::{Geofence, Layout, Moves};

/// Zones, unless given.
const ZONES: usize = 10_000;
const PASSES: usize = 7;

fn main() {
    let mut given = std::env::args().skip(1);
    let zones = given.next().and_then(|count| count.parse().ok()).unwrap_or(ZONES);
    let name = given.next();
    println!("{zones} zones, walks      ours  exact  plain  ours/plain  from the box");
    for layout in Layout::ALL {
        if name.as_ref().is_none_or(|name| *name == format!("{layout:?}")) {
            measure(layout, zones);
        }
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "for people to read")]
fn measure(layout: Layout, zones: usize) {
    let size = (Geofence::TAGS.full, Geofence::ROUNDS.full);
    let mut geofence = Geofence::new(layout, zones, Moves::Walks, size);
    let (mut least, mut box_count, mut checksum) = ([Duration::MAX; 3], 0, 0_u64);
    for _ in 0..PASSES {
        let begun = now();
        let answered = geofence.ours();
        least[0] = least[0].min(begun.elapsed());
        box_count = answered.box_count;
        let begun = now();
        let exact = geofence.exact();
        least[1] = least[1].min(begun.elapsed());
        let begun = now();
        let plain = geofence.plain();
        least[2] = least[2].min(begun.elapsed());
        checksum = checksum.wrapping_add(answered.checksum ^ exact.checksum ^ plain);
    }
    let count = geofence.position_count() as f64;
    let [ours, exact, plain] = least.map(|time| time.as_nanos() as f64 / count);
    let boxed = 100.0 * box_count as f64 / count;
    let (ratio, name) = (ours / plain, format!("{layout:?}"));
    println!(
        "{name:22} {ours:6.0} {exact:6.0} {plain:6.0} {ratio:11.2} {boxed:11.0} %  {checksum:x}"
    );
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}
