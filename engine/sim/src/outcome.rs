//! What became of a run, and how it is told to people.

use std::fmt::Write as _;

use ach_engine_node::PlantedBug;

use crate::fault::Fault;
use crate::invariants::Violation;

/// Lines of the trace that are told of a run that failed.
const TRACE_LINES: usize = 40;

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The bug that was planted in its node, if any.
    pub planted: Option<PlantedBug>,
    /// The faults it had, and when, in milliseconds.
    pub faults: Vec<(u64, Fault)>,
    /// What happened, line by line.
    pub trace: Vec<String>,
    /// A number that two runs share when they did the same.
    pub digest: u64,
    /// Entries in the journal in the end.
    pub entry_count: usize,
    /// Changes of alarms that the model demanded.
    pub notice_count: usize,
    /// Alarms that were due while a writing of history stalled and nothing else was wrong: they must not
    /// have waited.
    pub alarms_due_in_stalls: usize,
    /// The first invariant that does not hold.
    pub violation: Option<Violation>,
}

impl Outcome {
    /// The command that does the same again.
    pub fn command(&self) -> String {
        let planted = self.planted.map_or_else(String::new, |bug| format!(" --plant {bug:?}"));
        format!("cargo xtask sim --seed {}{planted} --trace", self.seed)
    }

    /// What broke, what had gone wrong before, the end of what happened, and how to see it again.
    pub fn report(&self) -> String {
        let Outcome { seed, faults, trace, violation, digest, .. } = self;
        let mut text = match violation {
            Some(Violation { invariant, detail }) => {
                format!("seed {seed} breaks \"{invariant}\": {detail}\n")
            }
            None => format!("seed {seed} breaks nothing\n"),
        };
        text.push_str("faults:\n");
        for (at_ms, fault) in faults {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  at {at_ms} ms: {}", fault.name());
        }
        let _ = writeln!(text, "the end of its trace (digest {digest:016x}):");
        for line in trace.iter().skip(trace.len().saturating_sub(TRACE_LINES)) {
            let _ = writeln!(text, "  {line}");
        }
        text.push_str("again: ");
        text.push_str(&self.command());
        text
    }
}
