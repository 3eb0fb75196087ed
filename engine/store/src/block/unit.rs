//! The unit in which the moments of a block are counted.

/// The coarsest unit that loses nothing. Most vendors stamp milliseconds, and a digit that is always
/// zero is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
}

impl Unit {
    /// Its length.
    pub(crate) const fn ns(self) -> u64 {
        match self {
            Unit::Ns => 1,
            Unit::Us => 1_000,
            Unit::Ms => 1_000_000,
        }
    }

    /// The coarsest unit that tells a moment exactly.
    pub(crate) fn of(moment_ns: u64) -> Unit {
        [Unit::Ms, Unit::Us].into_iter().find(|unit| unit.fits(moment_ns)).unwrap_or(Unit::Ns)
    }

    /// Whether it tells a moment exactly.
    pub(crate) fn fits(self, moment_ns: u64) -> bool {
        moment_ns.is_multiple_of(self.ns())
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Unit::Ns => 0,
            Unit::Us => 1,
            Unit::Ms => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Unit> {
        [Unit::Ns, Unit::Us, Unit::Ms].into_iter().find(|unit| unit.code() == code)
    }
}
