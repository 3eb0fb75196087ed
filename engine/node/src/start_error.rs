//! Why a node did not start.

use std::io;
use std::net::SocketAddr;

use ach_actors_entities::SiteError;
use ach_actors_model::Name;
use ach_engine_journal::{KekError, OpenError};
use ach_engine_net::EndpointError;
use ach_engine_wire::EntryError;
use thiserror::Error;

/// Why a node did not start. A damaged journal or a full disk is none of these: see
/// [`StoringStopped`](crate::StoringStopped).
#[derive(Debug, Error)]
pub enum StartError {
    /// The journal could not be opened and an operator can put it right.
    #[error("could not open the journal: {0}")]
    Journal(#[source] OpenError),
    /// There is no key for the journal.
    #[error("could not get the key of the journal: {0}")]
    Kek(#[from] KekError),
    /// The folder for data cannot be used.
    #[error("could not use the data folder {folder}: {source}")]
    Folder {
        /// Which.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
    /// An entry of the journal cannot be read by this build.
    #[error("entry {index} of the journal cannot be read: {source}; start the build that wrote it")]
    Unreadable {
        /// Which.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// A newer build decided an entry of the journal.
    #[error(
        "entry {index} of the journal was decided by logic {found}, newer than this program knows; \
         start the newer program"
    )]
    NewerLogic {
        /// Which.
        index: u64,
        /// By which logic.
        found: u16,
    },
    /// An entry of the journal does not follow the one before.
    #[error(
        "entry {index} of the journal does not follow entry {after}; keep the folder and report it"
    )]
    OutOfOrder {
        /// Which.
        index: u64,
        /// The one before.
        after: u64,
    },
    /// This build decides an entry of the journal differently than the build that wrote it.
    #[error(
        "entry {index} of the journal had other effects when it was written; start the build that \
         wrote it, and report this"
    )]
    Diverged {
        /// Which.
        index: u64,
        /// The entry of the checkpoint it went on from; 0 for none.
        from: u64,
    },
    /// The journal's beginning was given up, and no checkpoint is whole.
    #[error(
        "the journal begins with entry {index} and no checkpoint before it is whole; put the folder \
         back from a backup, or begin an empty one"
    )]
    NoCheckpoint {
        /// The first entry that is there.
        index: u64,
    },
    /// The journal's beginning was given up, and a newer program wrote the checkpoint.
    #[error(
        "the checkpoint of entry {index} is a newer program's, and the journal before it is gone; \
         start the newer program: {detail}"
    )]
    NewerCheckpoint {
        /// The entry.
        index: u64,
        /// What this program made of it.
        detail: String,
    },
    /// The journal's beginning was given up, and the disk does not give the checkpoint.
    #[error(
        "the disk does not give the checkpoint of entry {index}: {source}; put the disk right and \
         start again, the checkpoint may be whole"
    )]
    CheckpointDisk {
        /// The entry.
        index: u64,
        /// What the disk said.
        source: io::Error,
    },
    /// The journal's beginning was given up, and the checkpoint is whole but of no use.
    #[error(
        "the checkpoint of entry {index} is whole and this program cannot use it: {detail}; keep the \
         folder, start the build that wrote it, and report this"
    )]
    UnusableCheckpoint {
        /// The entry.
        index: u64,
        /// Why.
        detail: String,
    },
    /// The journal's beginning was given up, and the checkpoints cannot be listed.
    #[error("the checkpoints cannot be listed: {source}; put the disk right and start again")]
    Shelf {
        /// What the disk said.
        source: io::Error,
    },
    /// A checkpoint was made of another journal.
    #[error(
        "the checkpoint of entry {index} was made of another journal; put the folder back from one \
         backup, all its files"
    )]
    OtherJournal {
        /// The entry.
        index: u64,
    },
    /// The checkpoints were written with another key.
    #[error(
        "the checkpoints were written with another key-encryption key; give the key the journal was \
         made with"
    )]
    CheckpointKey,
    /// The journal belongs to another site.
    #[error("the data folder holds site {found}, not {wanted}; give each site its own folder")]
    OtherSite {
        /// Whose journal it is.
        found: Name,
        /// Which site was to be served.
        wanted: Name,
    },
    /// The node's certificate is of another site.
    #[error("the node's certificate is of site {found}, not {wanted}; make one for this site")]
    OtherCertificate {
        /// What it says.
        found: Name,
        /// Which site was to be served.
        wanted: Name,
    },
    /// The site's configuration cannot be put in force.
    #[error("the site cannot be put in force: {0}")]
    Site(#[from] SiteError),
    /// The endpoint could not be opened.
    #[error("could not listen: {0}")]
    Endpoint(#[from] EndpointError),
    /// The endpoint has no address.
    #[error("could not tell the address of the endpoint for {wanted}: {source}")]
    Address {
        /// What was asked for.
        wanted: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no thread or runtime.
    #[error("could not start a thread: {0}")]
    Thread(io::Error),
    /// The rim ended before it was ready.
    #[error("the node failed while it started; see the log")]
    Failed,
}

impl StartError {
    /// Whether an older checkpoint, or none, may do better.
    pub(crate) fn is_of_the_checkpoint(&self) -> bool {
        matches!(
            self,
            StartError::Diverged { .. }
                | StartError::OutOfOrder { .. }
                | StartError::OtherJournal { .. }
        )
    }
}
