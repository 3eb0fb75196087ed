//! The columns of a block: what writer and reader remember alike of the pings so far.

use crate::rice::{Rice, Toggle};

/// The parameters with which the columns begin: a block of a tag begins as the one before ended, so
/// that nothing is learned twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codes(pub(super) [u8; 6]);

impl Codes {
    /// For a tag of which nothing is known: walkers move some 500 mm a ping, the rest stands still.
    pub(crate) const UNKNOWN: Codes = Codes([8, 2, 8, 8, 8, 4]);
}

/// Columns of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) interval: Toggle,
    pub(super) lag: Rice,
    pub(super) x: Rice,
    pub(super) y: Rice,
    pub(super) z: Rice,
    pub(super) accuracy: Toggle,
    /// 0 where the floor is not known, else the floor and 32,769.
    pub(super) floor: Toggle,
    /// 0 where no charge was told, else the charge and 1.
    pub(super) battery: Toggle,
    /// Whether heights are told.
    pub(super) height: Toggle,
    /// What the next lag and height are compared with: means of those before, in sixteenths.
    pub(super) lag_mean: Mean,
    pub(super) z_mean: Mean,
}

impl Columns {
    pub(super) fn beginning(codes: Codes) -> Columns {
        let [interval, lag, x, y, z, accuracy] = codes.0;
        let still = Rice::with_shift(0);
        Columns {
            interval: Toggle::after(0, Rice::with_shift(interval)),
            lag: Rice::with_shift(lag),
            x: Rice::with_shift(x),
            y: Rice::with_shift(y),
            z: Rice::with_shift(z),
            accuracy: Toggle::after(0, Rice::with_shift(accuracy)),
            floor: Toggle::after(0, still),
            battery: Toggle::after(0, still),
            height: Toggle::after(0, still),
            lag_mean: Mean::default(),
            z_mean: Mean::default(),
        }
    }

    /// The parameters as they are now.
    pub(super) fn codes(&self) -> Codes {
        let shifts = [
            self.interval.shift(),
            self.lag.shift(),
            self.x.shift(),
            self.y.shift(),
            self.z.shift(),
            self.accuracy.shift(),
        ];
        Codes(shifts.map(|shift| u8::try_from(shift).unwrap_or(32)))
    }
}

/// A running mean that forgets a sixteenth a number; the first number is the mean.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    sixteenths: Option<i64>,
}

impl Mean {
    /// The mean, 0 before the first number.
    pub(super) fn now(self) -> i64 {
        self.sixteenths.map_or(0, |sum| sum >> 4)
    }

    /// Takes a number; those beyond 2^48 either way count as that, so that nothing overflows.
    pub(super) fn learn(&mut self, value: i64) {
        let value = value.clamp(-(1 << 48), 1 << 48);
        self.sixteenths = Some(self.sixteenths.map_or(value << 4, |sum| sum - (sum >> 4) + value));
    }
}
