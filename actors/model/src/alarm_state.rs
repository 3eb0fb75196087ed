//! The state of an alarm after ISA-18.2 and OPC UA Part 9, as flags; the named state follows from them.

use serde::{Deserialize, Serialize};

/// Flags. They are independent of each other but for what `docs/specs/alarm-life.md` says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct AlarmState(pub u16);

impl AlarmState {
    /// Its condition holds.
    pub const ACTIVE: AlarmState = AlarmState(1);
    /// Its condition has ended, and it stands until somebody resets it.
    pub const LATCHED: AlarmState = AlarmState(2);
    /// Somebody has taken notice of it.
    pub const ACKNOWLEDGED: AlarmState = AlarmState(4);
    /// Somebody has seen to it that what had to be done was done.
    pub const CONFIRMED: AlarmState = AlarmState(8);
    /// Somebody has said what its cause was.
    pub const CLOSED: AlarmState = AlarmState(16);
    /// Somebody has put it aside for a time.
    pub const SHELVED: AlarmState = AlarmState(32);
    /// Two persons have muted its place or rule for a time.
    pub const SUPPRESSED: AlarmState = AlarmState(64);
    /// Its place or rule is being worked on.
    pub const OUT_OF_SERVICE: AlarmState = AlarmState(128);
    /// It is to be shown: something of it is still to be waited for.
    pub const RETAINED: AlarmState = AlarmState(256);
    /// It is not over before it is acknowledged.
    pub const NEEDS_ACKNOWLEDGING: AlarmState = AlarmState(512);
    /// It is not over before it is confirmed.
    pub const NEEDS_CONFIRMING: AlarmState = AlarmState(1024);
    /// It is not over before it is closed with a cause.
    pub const NEEDS_CLOSING: AlarmState = AlarmState(2048);
    /// It latches when its condition ends.
    pub const LATCHES: AlarmState = AlarmState(4096);
    /// It is never shelved, suppressed or out of service.
    pub const LIFE_SAFETY: AlarmState = AlarmState(8192);
    /// Its condition was raised three times within a minute, this time with it.
    pub const CHATTERS: AlarmState = AlarmState(16_384);

    /// Every flag there is.
    pub const ALL: AlarmState = AlarmState(0x7fff);
    /// What keeps it from being announced.
    pub const QUIET: AlarmState =
        AlarmState(AlarmState::SHELVED.0 | AlarmState::SUPPRESSED.0 | AlarmState::OUT_OF_SERVICE.0);

    /// Whether any of these flags is set.
    pub fn is_any(self, flags: AlarmState) -> bool {
        self.0 & flags.0 != 0
    }

    /// With these flags.
    #[must_use]
    pub fn with(self, flags: AlarmState) -> AlarmState {
        AlarmState(self.0 | flags.0)
    }

    /// Without these flags.
    #[must_use]
    pub fn without(self, flags: AlarmState) -> AlarmState {
        AlarmState(self.0 & !flags.0)
    }

    /// With these flags set or not.
    #[must_use]
    pub fn set(self, flags: AlarmState, is_set: bool) -> AlarmState {
        if is_set { self.with(flags) } else { self.without(flags) }
    }

    /// Whether it is still to be shown.
    pub fn is_retained(self) -> bool {
        self.is_any(AlarmState::RETAINED)
    }

    /// Whether it is to be shown without a sound or a page.
    pub fn is_quiet(self) -> bool {
        self.is_any(AlarmState::QUIET)
    }

    /// The state as ISA-18.2 names it.
    pub fn name(self) -> AlarmStateName {
        let is_acknowledged = self.is_any(AlarmState::ACKNOWLEDGED);
        match () {
            () if !self.is_retained() => AlarmStateName::Normal,
            () if self.is_any(AlarmState::OUT_OF_SERVICE) => AlarmStateName::OutOfService,
            () if self.is_any(AlarmState::SUPPRESSED) => AlarmStateName::Suppressed,
            () if self.is_any(AlarmState::SHELVED) => AlarmStateName::Shelved,
            () if self.is_any(AlarmState::ACTIVE) => {
                if is_acknowledged {
                    AlarmStateName::Acknowledged
                } else {
                    AlarmStateName::Unacknowledged
                }
            }
            () if self.is_any(AlarmState::LATCHED) => {
                if is_acknowledged {
                    AlarmStateName::LatchedAcknowledged
                } else {
                    AlarmStateName::LatchedUnacknowledged
                }
            }
            () if is_acknowledged => AlarmStateName::ReturnedOpen,
            () => AlarmStateName::ReturnedUnacknowledged,
        }
    }
}

/// A state by name: ISA-18.2 has all but `ReturnedOpen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmStateName {
    /// Over.
    Normal,
    /// Active, and nobody has taken notice.
    Unacknowledged,
    /// Active, and somebody has.
    Acknowledged,
    /// Its condition ended before anybody took notice.
    ReturnedUnacknowledged,
    /// Its condition ended and somebody took notice; it still is to be confirmed or closed.
    ReturnedOpen,
    /// Its condition ended, it latched, and nobody has taken notice.
    LatchedUnacknowledged,
    /// Its condition ended, it latched, and somebody has taken notice.
    LatchedAcknowledged,
    /// Put aside for a time.
    Shelved,
    /// Muted for a time.
    Suppressed,
    /// Being worked on.
    OutOfService,
}
