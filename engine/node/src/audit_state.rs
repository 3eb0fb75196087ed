//! How the audit log of a node is: written by the thread that has it, read by everybody.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};

use ach_actors_model::Timestamp;
use ach_engine_audit::{Damage, KeyError, OpenError};
use arc_swap::ArcSwapOption;

/// Why the audit log is not as it must be. Alarms go on; an operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditTrouble {
    /// Records were changed, cut off or damaged.
    #[error("the audit log is damaged: {detail}; keep its folder and find out who did it")]
    Damaged {
        /// What and where.
        detail: String,
    },
    /// There was one, and it is not there. It is looked for every second.
    #[error("the audit log is gone: {detail}")]
    Gone {
        /// What to do.
        detail: String,
    },
    /// The key is gone, exposed, or another than the log was begun with.
    #[error("the audit log cannot be signed: {detail}")]
    NoKey {
        /// What is wrong with it.
        detail: String,
    },
    /// It cannot be opened: its folder cannot be used, or it is in use, another node's, or a newer
    /// build's. In the first two cases it is tried again every second.
    #[error("the audit log cannot be opened: {detail}")]
    NotOpened {
        /// Why.
        detail: String,
    },
    /// A write or a flush failed. It is never tried again by this process.
    #[error("the audit log is not written any more: {detail}; start the node again")]
    Failed {
        /// What the log said.
        detail: String,
    },
    /// There is no room. It is tried again every second.
    #[error("the audit log cannot be written: {detail}")]
    Full {
        /// What the log said.
        detail: String,
    },
    /// What others have laid down beside the log cannot be read. It is tried again every second.
    #[error(
        "records lie beside the audit log and cannot be taken in: {detail}; give the files to the \
         node's user, or upgrade the node"
    )]
    Left {
        /// How many and why.
        detail: String,
    },
}

/// Kinds of trouble.
const TROUBLES: usize = 7;

impl AuditTrouble {
    /// All the words of [`word`](Self::word), the worst first.
    pub(crate) const WORDS: &[&str; TROUBLES] =
        &["damaged", "gone", "no_key", "not_opened", "disk_failed", "disk_full", "left_beside"];

    /// Why, in a word that fits into the name of a number.
    pub fn word(&self) -> &'static str {
        AuditTrouble::WORDS.get(self.rank()).copied().unwrap_or_default()
    }

    /// The log was found damaged.
    pub(crate) fn damage(damage: &Damage) -> AuditTrouble {
        AuditTrouble::Damaged { detail: damage.to_string() }
    }

    /// 0 is the worst.
    fn rank(&self) -> usize {
        match self {
            AuditTrouble::Damaged { .. } => 0,
            AuditTrouble::Gone { .. } => 1,
            AuditTrouble::NoKey { .. } => 2,
            AuditTrouble::NotOpened { .. } => 3,
            AuditTrouble::Failed { .. } => 4,
            AuditTrouble::Full { .. } => 5,
            AuditTrouble::Left { .. } => 6,
        }
    }

    /// Whether it is of a log that is not open yet.
    fn is_of_opening(&self) -> bool {
        match self {
            AuditTrouble::Gone { .. }
            | AuditTrouble::NoKey { .. }
            | AuditTrouble::NotOpened { .. }
            | AuditTrouble::Full { .. } => true,
            AuditTrouble::Damaged { .. }
            | AuditTrouble::Failed { .. }
            | AuditTrouble::Left { .. } => false,
        }
    }
}

impl From<&OpenError> for AuditTrouble {
    fn from(error: &OpenError) -> AuditTrouble {
        let detail = error.to_string();
        match error {
            OpenError::Corrupt(damage) => AuditTrouble::damage(damage),
            OpenError::OtherKey => AuditTrouble::NoKey { detail },
            OpenError::Full { .. } => AuditTrouble::Full { detail },
            OpenError::Disk { .. } => AuditTrouble::Failed { detail },
            OpenError::InUse | OpenError::OtherLog { .. } | OpenError::NewerFormat { .. } => {
                AuditTrouble::NotOpened { detail }
            }
        }
    }
}

impl From<&KeyError> for AuditTrouble {
    fn from(error: &KeyError) -> AuditTrouble {
        let detail = error.to_string();
        match error {
            KeyError::LogGone { .. } => AuditTrouble::Gone { detail },
            KeyError::System { source, .. } => {
                let detail = format!("{detail}: {source}");
                match source.kind() {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                        AuditTrouble::Full { detail }
                    }
                    _ => AuditTrouble::NoKey { detail },
                }
            }
            KeyError::Missing { .. }
            | KeyError::Lost { .. }
            | KeyError::Malformed { .. }
            | KeyError::Exposed { .. }
            | KeyError::Cipher => AuditTrouble::NoKey { detail },
        }
    }
}

/// How it is.
#[derive(Debug, Default)]
pub(crate) struct AuditState {
    /// By rank.
    troubles: [ArcSwapOption<AuditTrouble>; TROUBLES],
    size: AtomicU64,
    checked_at: AtomicU64,
}

impl AuditState {
    /// What is wrong, if anything: the worst of it.
    pub(crate) fn trouble(&self) -> Option<AuditTrouble> {
        self.troubles().next()
    }

    /// All that is wrong, the worst first.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = AuditTrouble> {
        self.troubles.iter().filter_map(|trouble| trouble.load().as_deref().cloned())
    }

    /// How many records are on disk.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    pub(crate) fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Relaxed);
    }

    /// When the last check of the whole log began that found nothing wrong; 0 before there was one.
    pub(crate) fn checked_at(&self) -> Timestamp {
        Timestamp(self.checked_at.load(Ordering::Relaxed))
    }

    pub(crate) fn set_checked(&self, at: Timestamp) {
        self.checked_at.store(at.0, Ordering::Relaxed);
    }

    /// Something is wrong, loudly; said once for each thing, until it is over.
    pub(crate) fn fail(&self, why: AuditTrouble) {
        let Some(place) = self.troubles.get(why.rank()) else { return };
        if place.load().is_none() {
            tracing::error!(%why, "audit trouble; alarms go on");
        }
        place.store(Some(why.into()));
    }

    /// The log was not opened, for another reason than the last time, maybe.
    pub(crate) fn fail_to_open(&self, why: AuditTrouble) {
        let word = why.word();
        self.fail(why);
        self.forget(|trouble| trouble.is_of_opening() && trouble.word() != word);
    }

    /// The log is open.
    pub(crate) fn open(&self) {
        if self.forget(AuditTrouble::is_of_opening) {
            tracing::info!("the audit log is open again");
        }
    }

    /// There is room again.
    pub(crate) fn make_room(&self) {
        if self.forget(|trouble| matches!(trouble, AuditTrouble::Full { .. })) {
            tracing::info!("the audit log is written again");
        }
    }

    /// Nothing lies beside the log any more.
    pub(crate) fn take_all_in(&self) {
        if self.forget(|trouble| matches!(trouble, AuditTrouble::Left { .. })) {
            tracing::info!("what lay beside the audit log is in it");
        }
    }

    fn forget(&self, is_over: impl Fn(&AuditTrouble) -> bool) -> bool {
        let mut is_any = false;
        for place in &self.troubles {
            if place.load().as_deref().is_some_and(&is_over) {
                place.store(None);
                is_any = true;
            }
        }
        is_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail() -> String {
        "why".to_owned()
    }

    #[test]
    fn room_that_comes_back_ends_the_trouble_and_a_damage_stays() {
        let state = AuditState::default();
        state.fail(AuditTrouble::Full { detail: detail() });
        assert_eq!(state.trouble().map(|why| why.word()), Some("disk_full"));
        state.make_room();
        assert_eq!(state.trouble(), None);
        let damaged = AuditTrouble::Damaged { detail: detail() };
        state.fail(AuditTrouble::Full { detail: detail() });
        state.fail(damaged.clone());
        assert_eq!(state.troubles().count(), 2, "one does not hide the other");
        assert_eq!(state.trouble(), Some(damaged.clone()), "the worst is told");
        state.make_room();
        state.open();
        state.take_all_in();
        assert_eq!(state.troubles().collect::<Vec<_>>(), [damaged]);
    }

    #[test]
    fn why_it_is_not_open_is_told_as_it_is_now() {
        let state = AuditState::default();
        state.fail(AuditTrouble::Left { detail: detail() });
        state.fail_to_open(AuditTrouble::NotOpened { detail: detail() });
        state.fail_to_open(AuditTrouble::Full { detail: detail() });
        let words: Vec<&str> = state.troubles().map(|why| why.word()).collect();
        assert_eq!(words, ["disk_full", "left_beside"]);
        state.open();
        let words: Vec<&str> = state.troubles().map(|why| why.word()).collect();
        assert_eq!(words, ["left_beside"]);
    }

    #[test]
    fn every_trouble_has_its_word() {
        let words: Vec<&str> = [
            AuditTrouble::Damaged { detail: detail() },
            AuditTrouble::Gone { detail: detail() },
            AuditTrouble::NoKey { detail: detail() },
            AuditTrouble::NotOpened { detail: detail() },
            AuditTrouble::Failed { detail: detail() },
            AuditTrouble::Full { detail: detail() },
            AuditTrouble::Left { detail: detail() },
        ]
        .iter()
        .map(AuditTrouble::word)
        .collect();
        assert_eq!(words, AuditTrouble::WORDS);
    }
}
