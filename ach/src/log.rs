//! The log: on stderr, so that stdout stays for what was asked.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;

/// Which lines are written, as in `ACH_LOG=debug` or `ACH_LOG=ach_engine_node=debug,warn`.
const VARIABLE: &str = "ACH_LOG";

/// Starts it at `level`, unless the environment says otherwise.
pub(crate) fn start(level: &str, is_json: bool) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Forgiving(io::stderr()))
        .with_ansi(io::stderr().is_terminal());
    // A second start in one process keeps the first.
    let started = if is_json { builder.json().try_init() } else { builder.try_init() };
    drop(started);
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
