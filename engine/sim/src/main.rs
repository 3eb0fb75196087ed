//! Plays seeds and says which of them break an invariant.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use ach_engine_node::PlantedBug;
use ach_engine_sim::World;

/// Among so many worlds some must be of every kind that an invariant needs: as many as are played at every
/// change.
const MANY_SEEDS: u64 = 200;

/// What is to be played.
struct Wanted {
    first: u64,
    count: u64,
    shows_trace: bool,
    /// Whether a failure does not end it.
    goes_on: bool,
    planted: Option<PlantedBug>,
}

impl Wanted {
    fn world(&self, seed: u64) -> World {
        let world = World::new(seed);
        // A build without debug assertions has no bugs to plant.
        #[cfg(debug_assertions)]
        let world = self.planted.map_or(world, |bug| world.with_bug(bug));
        world
    }
}

fn main() -> ExitCode {
    match wanted().map(|wanted| play(&wanted)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(reason)) | Err(reason) => {
            eprintln!("sim: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted =
        Wanted { first: 1, count: 200, shows_trace: false, goes_on: false, planted: None };
    let mut arguments = std::env::args().skip(1);
    let mut has_count = false;
    while let Some(argument) = arguments.next() {
        let mut text = || arguments.next().ok_or(format!("{argument} needs a value"));
        let mut number = || {
            let text = text()?;
            text.parse::<u64>().map_err(|error| format!("{argument} {text}: {error}"))
        };
        match argument.as_str() {
            "--seeds" => (wanted.count, has_count) = (number()?, true),
            "--seed" => {
                wanted.first = number()?;
                wanted.count = if has_count { wanted.count } else { 1 };
            }
            "--trace" => wanted.shows_trace = true,
            "--go-on" => wanted.goes_on = true,
            "--plant" => wanted.planted = Some(bug(&text()?)?),
            other => {
                let known = "--seeds N, --seed S, --trace, --go-on, --plant BUG";
                return Err(format!("unknown argument {other}; {known}"));
            }
        }
    }
    Ok(wanted)
}

fn bug(name: &str) -> Result<PlantedBug, String> {
    if !cfg!(debug_assertions) {
        return Err("a release build has no bugs to plant".to_owned());
    }
    let known = PlantedBug::ALL.map(|bug| format!("{bug:?}"));
    let found = PlantedBug::ALL.into_iter().zip(&known).find(|(_, known)| *known == name);
    found.map(|(bug, _)| bug).ok_or_else(|| format!("no bug {name}; {}", known.join(", ")))
}

#[expect(clippy::disallowed_methods, reason = "how fast seeds are played is told to people")]
fn play(wanted: &Wanted) -> Result<(), String> {
    let begun_at = Instant::now();
    let (mut entries, mut notices, mut faults, mut in_stalls) = (0, 0, 0, 0);
    let mut failed = Vec::new();
    for (played, seed) in (1..=wanted.count).zip(wanted.first..) {
        let outcome = wanted.world(seed).play().map_err(|error| error.to_string())?;
        if wanted.shows_trace {
            outcome.trace.iter().for_each(|line| println!("{line}"));
        }
        if outcome.violation.is_some() && !wanted.goes_on {
            return Err(outcome.report());
        }
        if let Some(violation) = &outcome.violation {
            println!("seed {seed} breaks \"{}\": {}", violation.invariant, violation.detail);
            failed.push(seed);
        }
        entries += outcome.entry_count;
        notices += outcome.notice_count;
        faults += outcome.faults.len();
        in_stalls += outcome.alarms_due_in_stalls;
        if played % 20 == 0 || played == wanted.count {
            let seconds = begun_at.elapsed().as_secs_f64();
            let rate = f64::from(u32::try_from(played).unwrap_or(u32::MAX)) / seconds;
            println!(
                "{played} seeds, {faults} faults, {entries} entries, {notices} changes of alarms, \
                 {in_stalls} of them due while history stalled, {rate:.1} seeds/s"
            );
            // A pipe that nobody reads does not matter here.
            let _ = std::io::stdout().flush();
        }
    }
    if wanted.count >= MANY_SEEDS && in_stalls == 0 {
        let told = "no alarm was due while history stalled: that alarms do not wait is not shown";
        return Err(told.to_owned());
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("these seeds failed: {failed:?}")) }
}
