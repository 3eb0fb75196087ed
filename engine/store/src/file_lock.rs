//! Locks on files, waited for no longer than a person who typed a command would.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

/// How long a command waits for another one: who was stopped or hangs on its disk is to be named. A nightly
/// import reads two files for each who is known already and writes those for the others; a first one of a whole
/// hospital may take longer than this, and whoever waits for it is told so. `examples/persons_rate.rs` measures
/// both.
pub(crate) const COMMAND_WAIT: Duration = Duration::from_secs(10);

/// How often it is tried again meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Locks a file for this process alone. [`ErrorKind::WouldBlock`] if others had it all the time.
pub(crate) fn lock(file: &File, wait: Duration) -> Result<()> {
    within(wait, || file.try_lock())
}

/// Locks a file together with others who only read.
pub(crate) fn lock_shared(file: &File, wait: Duration) -> Result<()> {
    within(wait, || file.try_lock_shared())
}

fn within(
    wait: Duration,
    try_lock: impl Fn() -> std::result::Result<(), TryLockError>,
) -> Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(source),
            Err(TryLockError::WouldBlock) if waited >= wait => {
                return Err(Error::from(ErrorKind::WouldBlock));
            }
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(TRY_EVERY);
                waited = waited.saturating_add(TRY_EVERY);
            }
        }
    }
}
