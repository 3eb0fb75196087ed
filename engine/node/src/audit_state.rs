//! How the audit log of a node is: written by the thread that has it, read by everybody.

use std::sync::atomic::{AtomicU64, Ordering};

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
    /// The key is gone, exposed, or another than the log was begun with.
    #[error("the audit log cannot be signed: {detail}")]
    NoKey {
        /// What is wrong with it.
        detail: String,
    },
    /// It cannot be opened: in use, another node's, or a newer build's.
    #[error("the audit log cannot be opened: {detail}")]
    NotOpened {
        /// Why.
        detail: String,
    },
    /// There is no room. It is tried again every second.
    #[error("the audit log cannot be written: {detail}")]
    Full {
        /// What the log said.
        detail: String,
    },
    /// A write or a flush failed. It is never tried again by this process.
    #[error("the audit log is not written any more: {detail}; start the node again")]
    Failed {
        /// What the log said.
        detail: String,
    },
}

impl AuditTrouble {
    /// All the words of [`word`](Self::word).
    pub(crate) const WORDS: &[&str] =
        &["damaged", "no_key", "not_opened", "disk_full", "disk_failed"];

    /// Why, in a word that fits into the name of a number.
    pub fn word(&self) -> &'static str {
        match self {
            AuditTrouble::Damaged { .. } => "damaged",
            AuditTrouble::NoKey { .. } => "no_key",
            AuditTrouble::NotOpened { .. } => "not_opened",
            AuditTrouble::Full { .. } => "disk_full",
            AuditTrouble::Failed { .. } => "disk_failed",
        }
    }

    /// The log was found damaged.
    pub(crate) fn damage(damage: &Damage) -> AuditTrouble {
        AuditTrouble::Damaged { detail: damage.to_string() }
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
        AuditTrouble::NoKey { detail: error.to_string() }
    }
}

/// How it is.
#[derive(Debug, Default)]
pub(crate) struct AuditState {
    trouble: ArcSwapOption<AuditTrouble>,
    size: AtomicU64,
}

impl AuditState {
    /// What is wrong, if anything.
    pub(crate) fn trouble(&self) -> Option<AuditTrouble> {
        self.trouble.load().as_deref().cloned()
    }

    /// How many records are on disk.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    pub(crate) fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Relaxed);
    }

    /// Something is wrong, loudly; said once for each thing. A damage stays told whatever else comes.
    pub(crate) fn fail(&self, why: AuditTrouble) {
        let known = self.trouble.load();
        let is_known = known.as_deref().is_some_and(|known| {
            known.word() == why.word() || matches!(known, AuditTrouble::Damaged { .. })
        });
        if !is_known {
            tracing::error!(%why, "audit trouble; alarms go on");
            self.trouble.store(Some(why.into()));
        }
    }

    /// There is room again.
    pub(crate) fn recover(&self) {
        let is_over = matches!(self.trouble.load().as_deref(), Some(AuditTrouble::Full { .. }));
        if is_over {
            tracing::info!("the audit log is written again");
            self.trouble.store(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_comes_back_ends_the_trouble_and_a_damage_stays() {
        let state = AuditState::default();
        state.fail(AuditTrouble::Full { detail: "0 left".into() });
        assert_eq!(state.trouble().map(|why| why.word()), Some("disk_full"));
        state.recover();
        assert_eq!(state.trouble(), None);
        let damaged = AuditTrouble::Damaged { detail: "record 3".into() };
        state.fail(damaged.clone());
        state.fail(AuditTrouble::Full { detail: "0 left".into() });
        state.recover();
        assert_eq!(state.trouble(), Some(damaged));
    }

    #[test]
    fn every_trouble_has_its_word() {
        let detail = String::new;
        let words: Vec<&str> = [
            AuditTrouble::Damaged { detail: detail() },
            AuditTrouble::NoKey { detail: detail() },
            AuditTrouble::NotOpened { detail: detail() },
            AuditTrouble::Full { detail: detail() },
            AuditTrouble::Failed { detail: detail() },
        ]
        .iter()
        .map(AuditTrouble::word)
        .collect();
        assert_eq!(words, AuditTrouble::WORDS);
    }
}
