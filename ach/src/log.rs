//! The log: on stderr, so that stdout stays for what was asked.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

/// Which lines are written, as in `ACH_LOG=debug` or `ACH_LOG=ach_engine_node=debug,warn`.
const VARIABLE: &str = "ACH_LOG";

/// Starts it at `level`, unless the environment says otherwise.
pub(crate) fn start(level: &str, is_json: bool) {
    let asked = std::env::var(VARIABLE).ok();
    let (targets, wrong) = wanted(asked.as_deref(), level);
    let lines =
        fmt::layer().with_writer(|| Forgiving(io::stderr())).with_ansi(io::stderr().is_terminal());
    let lines = if is_json { lines.json().boxed() } else { lines.boxed() };
    // A second start in one process keeps the first.
    drop(registry().with(lines.with_filter(targets)).try_init());
    if let Some(wrong) = wrong {
        tracing::warn!(
            "{VARIABLE} is not understood and is passed over: {wrong}; write `debug`, or `ach_engine_node=debug,warn`"
        );
    }
}

/// Which lines are wanted, and what is wrong with what the environment says.
fn wanted(asked: Option<&str>, level: &str) -> (Targets, Option<String>) {
    let usual = || level.parse().unwrap_or_default();
    match asked.map(str::parse) {
        None => (usual(), None),
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (usual(), Some(ToString::to_string(&error))),
    }
}

/// A writer that never fails. The log may lie on the disk that is full, or its reader be gone; what
/// cannot be written is lost, and the thread that wanted to say it goes on. (Of a writer that fails
/// the library complains by `eprintln!`, which panics when stderr is what fails.)
struct Forgiving<W>(W);

impl<W: Write> Write for Forgiving<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.0.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        drop(self.0.flush());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_which_lines_are_written() {
        let cases = [
            (None, true, false),
            (Some("error"), false, false),
            (Some("ach_engine_node=debug,error"), true, true),
            (Some("ach_engine_node=loud"), true, false),
        ];
        for (asked, says_warning, says_debug) in cases {
            let (targets, wrong) = wanted(asked, "warn");
            let said = (
                targets.would_enable("ach_engine_node", &tracing::Level::WARN),
                targets.would_enable("ach_engine_node", &tracing::Level::DEBUG),
            );
            assert_eq!(said, (says_warning, says_debug), "{asked:?}");
            assert_eq!(wrong.is_some(), asked == Some("ach_engine_node=loud"), "{asked:?}");
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_log_on_a_full_disk_fails_nobody() {
        let mut log = Forgiving(Full);
        assert_eq!(log.write(b"storing has stopped").ok(), Some(19));
        assert!(log.flush().is_ok());
    }
}
