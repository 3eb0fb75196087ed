//! Plays seeds and says which of them break an invariant.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use ach_engine_sim::{Outcome, World};

/// Lines of the trace that are printed of a run that failed.
const TRACE_LINES: usize = 40;

/// What is to be played.
struct Wanted {
    first: u64,
    count: u64,
    shows_trace: bool,
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
    let mut wanted = Wanted { first: 1, count: 200, shows_trace: false };
    let mut arguments = std::env::args().skip(1);
    let mut has_count = false;
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or(format!("{argument} needs a number"))?;
            text.parse::<u64>().map_err(|error| format!("{argument} {text}: {error}"))
        };
        match argument.as_str() {
            "--seeds" => (wanted.count, has_count) = (number()?, true),
            "--seed" => {
                wanted.first = number()?;
                wanted.count = if has_count { wanted.count } else { 1 };
            }
            "--trace" => wanted.shows_trace = true,
            other => return Err(format!("unknown argument {other}; --seeds N, --seed S, --trace")),
        }
    }
    Ok(wanted)
}

#[expect(clippy::disallowed_methods, reason = "how fast seeds are played is told to people")]
fn play(wanted: &Wanted) -> Result<(), String> {
    let begun_at = Instant::now();
    let (mut entries, mut notices, mut faults) = (0, 0, 0);
    for (played, seed) in (1..=wanted.count).zip(wanted.first..) {
        let outcome = World::new(seed).play().map_err(|error| error.to_string())?;
        if wanted.shows_trace {
            outcome.trace.iter().for_each(|line| println!("{line}"));
        }
        if outcome.violation.is_some() {
            return Err(describe(&outcome));
        }
        entries += outcome.entry_count;
        notices += outcome.notice_count;
        faults += outcome.faults.len();
        if played % 20 == 0 || played == wanted.count {
            let seconds = begun_at.elapsed().as_secs_f64();
            let rate = f64::from(u32::try_from(played).unwrap_or(u32::MAX)) / seconds;
            println!(
                "{played} seeds, {faults} faults, {entries} entries, {notices} changes of alarms, \
                 {rate:.1} seeds/s"
            );
            // A pipe that nobody reads does not matter here.
            let _ = std::io::stdout().flush();
        }
    }
    Ok(())
}

fn describe(outcome: &Outcome) -> String {
    let Outcome { seed, faults, trace, violation, digest, .. } = outcome;
    let mut text = String::new();
    if let Some(violation) = violation {
        text = format!("seed {seed} breaks \"{}\": {}\n", violation.invariant, violation.detail);
    }
    text.push_str("faults:\n");
    for (at_ms, fault) in faults {
        text.push_str(&format!("  at {at_ms} ms: {}\n", fault.name()));
    }
    text.push_str(&format!("the end of its trace (digest {digest:016x}):\n"));
    for line in trace.iter().skip(trace.len().saturating_sub(TRACE_LINES)) {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!("again: cargo xtask sim --seed {seed} --trace"));
    text
}
