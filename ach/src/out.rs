//! What is printed for whoever typed the command.
//!
//! A reader may hang up (`ach journal show DIR | head`), a disk may be full: unlike `println!`
//! nothing here panics for it. The first failure is kept; a command that runs for long ends by it
//! ([`gone`]), and the process's exit code tells of it ([`failure`]).

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use tokio::sync::Notify;

/// Why nothing more can be printed.
static FAILURE: OnceLock<io::Error> = OnceLock::new();
static HAS_FAILED: Notify = Notify::const_new();

/// Prints a line to stdout, for the one who asked for it.
macro_rules! say {
    ($($words:tt)*) => { $crate::out::line(format_args!($($words)*)) };
}

/// Prints a line to stderr: what is beside the point of stdout.
macro_rules! complain {
    ($($words:tt)*) => { $crate::out::aside(format_args!($($words)*)) };
}

/// Prints a line to stdout; once that has failed, nothing.
pub(crate) fn line(words: fmt::Arguments<'_>) {
    if FAILURE.get().is_some() {
        return;
    }
    let mut stdout = anstream::stdout().lock();
    if let Err(error) = writeln!(stdout, "{words}").and_then(|()| stdout.flush()) {
        // Another thread may have been quicker; its reason is as good.
        drop(FAILURE.set(error));
        HAS_FAILED.notify_waiters();
    }
}

/// Prints a line to stderr. Who cannot be told there cannot be told at all.
pub(crate) fn aside(words: fmt::Arguments<'_>) {
    drop(writeln!(anstream::stderr().lock(), "{words}"));
}

/// Why something could not be printed, if so.
pub(crate) fn failure() -> Option<&'static io::Error> {
    FAILURE.get()
}

/// Returns once something could not be printed.
pub(crate) async fn gone() {
    let failed = HAS_FAILED.notified();
    if failure().is_none() {
        failed.await;
    }
}
