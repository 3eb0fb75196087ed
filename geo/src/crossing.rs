//! What is said about a mover and a watch.

/// Bits of [`Crossing::gates_passed`].
pub mod gate {
    /// On the line.
    pub const LINE: u16 = 1;
    /// The entry margin.
    pub const ENTRY_MARGIN: u16 = 2;
    /// The exit tolerance.
    pub const EXIT_TOLERANCE: u16 = 4;
    /// The tolerance timeout.
    pub const TOLERANCE_TIMEOUT: u16 = 8;
    /// The exit delay.
    pub const EXIT_DELAY: u16 = 16;
    /// N of M positions.
    pub const CONFIRM: u16 = 32;
    /// Dwell.
    pub const DWELL: u16 = 64;
    /// The error circle.
    pub const ERROR_CIRCLE: u16 = 128;
    /// The fence timeout.
    pub const FENCE_TIMEOUT: u16 = 256;
    /// A line was crossed between two positions.
    pub const CROSSED: u16 = 512;
    /// A second position bore out a jump.
    pub const JUMP_CONFIRMED: u16 = 1024;
    /// All of it held for as long as a rule wants before it tells anybody.
    pub const ON_DELAY: u16 = 2048;
}

/// What changed between a mover and a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrossingKind {
    /// All gates have passed: it has left.
    Exited,
    /// There is evidence that it has left, and a gate is still open.
    ExitSuspected,
    /// The evidence that it had left is gone.
    ExitDropped,
    /// All gates have passed: it is in.
    Entered,
    /// There is evidence that it has entered, and a gate is still open.
    EntrySuspected,
    /// The evidence that it had entered is gone.
    EntryDropped,
    /// It has been in for the dwell time. Said once a stay.
    Dwelled,
}

/// One change between a mover and a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crossing {
    /// The watch's key.
    pub watch: u32,
    /// What changed.
    pub kind: CrossingKind,
    /// When: what a position decided happened when it was observed, what a deadline decided when
    /// it was due.
    pub at_ns: u64,
    /// The gates that were passed, as bits of [`gate`].
    pub gates_passed: u16,
    /// All the evidence came from positions that did not know their floor, and the region has one.
    /// Never enough, alone, to say that a person has gone.
    pub is_floor_unknown: bool,
}

impl Crossing {
    /// Exits come before entries, those before dwelling.
    pub(crate) fn family(&self) -> u8 {
        match self.kind {
            CrossingKind::Exited | CrossingKind::ExitSuspected | CrossingKind::ExitDropped => 0,
            CrossingKind::Entered | CrossingKind::EntrySuspected | CrossingKind::EntryDropped => 1,
            CrossingKind::Dwelled => 2,
        }
    }
}
