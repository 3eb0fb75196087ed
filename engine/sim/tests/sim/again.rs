//! The same seed does the same, here and in another process.

use std::process::{Command, Output};

use ach_engine_sim::{Outcome, World};

/// Runs with and without faults of every kind, and one that once differed from itself.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;

fn play(seed: u64) -> Outcome {
    World::new(seed).play().unwrap()
}

#[test]
fn the_same_seed_has_the_same_trace_twice() {
    let mut digests = Vec::new();
    for seed in SEEDS {
        let (first, second) = (play(seed), play(seed));
        let lines = first.trace.iter().zip(&second.trace);
        for (number, (line, again)) in lines.enumerate() {
            assert_eq!(line, again, "seed {seed}, line {number}");
        }
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert_eq!(first, second, "seed {seed}");
        assert!(first.entry_count > 20, "seed {seed}: a world in which nothing happens");
        digests.push(first.digest);
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), SEEDS.count(), "other seeds are other worlds");
}

/// Seeds that broke an invariant once, each for a fault that was mended then.
#[test]
fn seeds_that_failed_once_hold() {
    for (seed, what_was_wrong) in [
        (17, "an alarm that rose and ended while its first receiver was cut off was never told"),
        (166, "the same, after the node had not stored"),
        (60, "an alarm that a damaged node lost and a backup brought back was not told again"),
        (251, "two pings of a clock that is ahead were taken for one input"),
        (275, "a fault that was planned struck after all was healed"),
        (1251, "a withdrawn end did not leave its alarm open"),
    ] {
        assert_eq!(play(seed).violation, None, "seed {seed}: {what_was_wrong}");
    }
}

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ach-engine-sim")).args(arguments).output().unwrap()
}

/// What a process says of a run, less the rates, which are those of the machine.
fn told(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| !line.contains("seeds/s")).map(str::to_owned).collect()
}

#[test]
fn another_process_does_the_same() {
    let (first, second) = (sim(&["--seed", "2", "--trace"]), sim(&["--seed", "2", "--trace"]));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(told(&first), told(&second));
    assert_eq!(told(&first), play(2).trace);
}

#[test]
fn a_seed_that_fails_says_how_to_repeat_it() {
    let failed = sim(&["--seeds", "20", "--plant", "OpenSetCutShort"]);
    assert!(!failed.status.success(), "the planted bug is found");
    let report = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(report.contains("breaks \"open set is whole\""), "{report}");
    assert!(report.contains("faults:\n"), "{report}");
    let (_, command) = report.split_once("again: cargo xtask sim ").unwrap();
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let again = sim(&arguments);
    assert!(!again.status.success(), "it fails again");
    assert_eq!(String::from_utf8_lossy(&again.stderr), report, "in the same way, to the last line");
}

#[test]
fn nonsense_is_refused_with_what_is_known() {
    for arguments in [&["--sed", "3"][..], &["--seed"], &["--seed", "x"], &["--plant", "No"]] {
        let output = sim(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("sim: "), "{arguments:?}");
    }
}
