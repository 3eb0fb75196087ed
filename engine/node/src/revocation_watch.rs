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

/// Looks at the list.
#[derive(Debug)]
struct Look {
    path: PathBuf,
    counters: Arc<Counters>,
    /// Whether there was a list in an earlier run.
    was_there: bool,
    is_told: bool,
}

impl Look {
    fn new(path: PathBuf, counters: Arc<Counters>, was_there: bool) -> Look {
        Look { path, counters, was_there, is_told: false }
    }

    /// What has changed against what is known. A list that cannot be read, or is not there any more,
    /// leaves that in force, is counted, and told once.
    fn look(&mut self, known: &Revocations) -> Option<Revocations> {
        match Revocations::load(&self.path) {
            // Nobody is let in again by a file that is moved, or by a volume that is not mounted, while a node
            // runs. One that starts knows nobody, and lets in whose certificates are good: alarms come first.
            Ok(list) if list.is_empty() && self.was_there(known) && !self.path.exists() => {
                if self.is_first() {
                    tracing::error!(
                        path = %self.path.display(),
                        known = !known.is_empty(),
                        "the list of revoked certificates is gone: put it back from your backup; what this run \
                         knew of it stays in force, and after a start without it whoever was revoked is let in"
                    );
                }
                None
            }
            Ok(list) => {
                self.is_told = false;
                (list != *known).then_some(list)
            }
            Err(error) => {
                if self.is_first() {
                    tracing::error!(%error, "cannot tell which certificates are revoked");
                }
                None
            }
        }
    }

    fn was_there(&self, known: &Revocations) -> bool {
        self.was_there || !known.is_empty()
    }

    fn is_first(&mut self) -> bool {
        self.counters.revocations_unread.count();
        !std::mem::replace(&mut self.is_told, true)
    }
}

/// Reads the list and goes on watching it until the sender it gives is dropped. That there is none is
/// told aloud where there was one in an earlier run.
///
/// # Errors
///
/// There is no thread.
pub(crate) fn start(
    path: PathBuf,
    counters: Arc<Counters>,
    was_there: bool,
) -> io::Result<(watch::Receiver<Revocations>, Sender<()>)> {
    let mut look = Look::new(path, counters, was_there);
    let first = look.look(&Revocations::default()).unwrap_or_default();
    let (tell, told) = watch::channel(first);
    let (end, ended) = channel::<()>();
    std::thread::Builder::new().name("ach-revoked".to_owned()).spawn(move || {
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let changed = look.look(&tell.borrow());
            if let Some(list) = changed {
                tracing::info!("the list of revoked certificates has changed");
                tell.send_replace(list);
            }
        }
    })?;
    Ok((told, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ach_actors_model::{Name, Timestamp};
    use ach_engine_net::Role;

    #[test]
    fn a_list_that_is_gone_lets_nobody_in_again_and_one_that_is_empty_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revoked");
        let counters = Arc::new(Counters::default());
        let mut list = Revocations::default();
        list.revoke(Role::Vendor, &Name::new("uwb").unwrap(), Timestamp(1));
        list.save(&path).unwrap();
        let mut look = Look::new(path.clone(), counters.clone(), false);
        assert_eq!(look.look(&Revocations::default()), Some(list.clone()));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(look.look(&list), None);
        assert_eq!(counters.revocations_unread.get(), 1);
        Revocations::default().save(&path).unwrap();
        assert_eq!(look.look(&list), Some(Revocations::default()));
    }
}
