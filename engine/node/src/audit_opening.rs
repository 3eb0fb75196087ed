//! How the audit log of a node is opened, as often as it takes: room may be made, a disk mounted, a key
//! put back while the node runs.

use std::io;
use std::path::PathBuf;

use ach_actors_model::Timestamp;
use ach_engine_audit::{Config, KeyError, Log, LogName, OpenError, SigningKey, has_log};
use ach_engine_journal::Disk;

use crate::audit_state::{AuditState, AuditTrouble};

/// Where the folder is, asked for at each try: it may be on a disk that is not there yet.
pub(crate) type AuditPlace<D> = Box<dyn FnMut() -> io::Result<D> + Send>;

/// What is needed to open the log.
pub(crate) struct Opening<D> {
    pub place: AuditPlace<D>,
    pub key_path: PathBuf,
    pub name: LogName,
    pub sizes: Config,
}

/// Why it was not opened.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// Somebody else has it, a command that enrols for one.
    InUse,
    /// It may do better the next time.
    Passing(AuditTrouble),
    /// It is wrong, and trying again makes it no better.
    Standing(AuditTrouble),
}

impl NotOpened {
    /// Shows it. False when it is of no use to try again.
    pub(crate) fn show(self, state: &AuditState) -> bool {
        let (trouble, may_pass) = match self {
            NotOpened::InUse => ((&OpenError::InUse).into(), true),
            NotOpened::Passing(trouble) => (trouble, true),
            NotOpened::Standing(trouble) => (trouble, false),
        };
        state.fail_to_open(trouble);
        may_pass
    }
}

impl<D: Disk + Clone> Opening<D> {
    /// Tries.
    pub(crate) fn open(&mut self, at: Timestamp) -> Result<OpenLog<D>, NotOpened> {
        let unusable = |error: io::Error| {
            let detail = format!("its folder cannot be used: {error}");
            NotOpened::Passing(AuditTrouble::NotOpened { detail })
        };
        let no_key = |error: KeyError| NotOpened::Passing((&error).into());
        let disk = (self.place)().map_err(unusable)?;
        let has_log = has_log(&disk).map_err(unusable)?;
        let key = SigningKey::load_or_create(&self.key_path, has_log).map_err(no_key)?;
        let opened = Log::open(disk.clone(), self.sizes, key.clone(), self.name.clone(), at);
        let (log, opened) = opened.map_err(|error| match error {
            OpenError::InUse => NotOpened::InUse,
            error if error.may_pass() => NotOpened::Passing((&error).into()),
            error => NotOpened::Standing((&error).into()),
        })?;
        if let Some(cut) = opened.cut {
            tracing::warn!(?cut, "a tail of the audit log was cut that nobody relied on");
        }
        if opened.is_new {
            tracing::info!("an audit log was begun");
        }
        if let Err(error) = key.publish(&self.key_path) {
            tracing::warn!(%error, "the public half of the audit log's key is not beside it");
        }
        Ok(OpenLog { log, disk, key })
    }
}

/// The log, and what a check of it needs.
pub(crate) struct OpenLog<D: Disk> {
    pub log: Log<D>,
    pub disk: D,
    pub key: SigningKey,
}
