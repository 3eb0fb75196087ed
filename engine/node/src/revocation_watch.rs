//! Watches the list of revoked certificates: what an operator writes into it is in force within
//! seconds, without a start.
//!
//! On a thread of its own, because a disk may stall and no session may wait for it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ach_engine_net::Revocations;
use tokio::sync::watch;

use crate::counters::Counters;

/// How often the list is read: it has some hundred bytes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Reads the list and goes on watching it until the sender it gives is dropped. A list that cannot be
/// read leaves what was known in force, is counted, and told once.
///
/// # Errors
///
/// There is no thread.
pub(crate) fn start(
    path: PathBuf,
    counters: Arc<Counters>,
) -> io::Result<(watch::Receiver<Revocations>, Sender<()>)> {
    let mut is_told = false;
    let mut look = move |known: &Revocations| match Revocations::load(&path) {
        Ok(list) => {
            is_told = false;
            (list != *known).then_some(list)
        }
        Err(error) => {
            counters.revocations_unread.count();
            if !std::mem::replace(&mut is_told, true) {
                tracing::error!(%error, "cannot tell which certificates are revoked");
            }
            None
        }
    };
    let first = look(&Revocations::default()).unwrap_or_default();
    let (tell, told) = watch::channel(first);
    let (end, ended) = channel::<()>();
    std::thread::Builder::new().name("ach-revoked".to_owned()).spawn(move || {
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let changed = look(&tell.borrow());
            if let Some(list) = changed {
                tracing::info!("the list of revoked certificates has changed");
                tell.send_replace(list);
            }
        }
    })?;
    Ok((told, end))
}
