//! Each change of a file of persons is a step, so that tests can end the process before any of them.

use std::io;

/// Is called before a change. Nothing, but where a test has said after how many steps the process ends: from
/// then on every one fails, as none is done by a process that is not there.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails when it is told to")]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
thread_local! {
    static LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(super) fn step() -> io::Result<()> {
    LEFT.with(|left| match left.get() {
        None => Ok(()),
        Some(0) => Err(io::Error::other("the process ended here")),
        Some(count) => {
            left.set(Some(count - 1));
            Ok(())
        }
    })
}

/// Does something in a process that ends after so many steps; `None` if it lives on.
#[cfg(test)]
pub(super) fn ending_after<T>(steps: Option<u32>, act: impl FnOnce() -> T) -> T {
    LEFT.with(|left| left.set(steps));
    let outcome = act();
    LEFT.with(|left| left.set(None));
    outcome
}
