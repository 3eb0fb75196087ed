//! The log: on stderr, so that stdout stays for what was asked.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Which lines are written, as in `ACH_LOG=debug` or `ACH_LOG=ach_engine_node=debug,warn`.
const VARIABLE: &str = "ACH_LOG";

/// Starts it at `level`, unless the environment says otherwise.
pub(crate) fn start(level: &str, is_json: bool) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process keeps the first.
    let started = if is_json { builder.json().try_init() } else { builder.try_init() };
    drop(started);
}
