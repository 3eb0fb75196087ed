//! Numbers that are mostly small: Rice codes whose parameter follows the numbers themselves.
//!
//! A number is its quotient by 2^k in ones, a zero, and k bits of remainder. `k` is the binary
//! logarithm of a running mean, so no table is kept and a still tag costs one bit a coordinate. A
//! quotient of [`QUOTIENT_MAX`] stands for 64 plain bits: a jump costs 84, and moves the mean little.

use crate::bits::{BitReader, BitWriter};

/// Quotients from here on are written out. Beyond, a code would be longer than the number itself.
const QUOTIENT_MAX: u32 = 20;

/// The largest `k`: quotient, zero and remainder fit one run of 56 bits.
const SHIFT_MAX: u32 = 32;

/// The mean is kept in sixteenths and forgets a sixteenth a number: half of it after 11 numbers, as a
/// walker turns round within seconds.
const MEAN_SHIFT: u32 = 4;

/// A number counts for no more in the mean than this and eight times the mean, so that one jump does
/// not make all that follows costly; numbers that stay large are followed within a few.
const HEAVIEST: u64 = 1_024;

/// Beyond, `k` grows no more.
const MEAN_MAX: u64 = 1 << 40;

/// One column of numbers, as writer and reader see it alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rice {
    mean_16ths: u64,
}

impl Rice {
    /// A column whose numbers are about `mean` to begin with.
    pub(crate) const fn about(mean: u64) -> Rice {
        Rice { mean_16ths: mean << MEAN_SHIFT }
    }

    fn shift(self) -> u32 {
        (self.mean_16ths >> MEAN_SHIFT).checked_ilog2().unwrap_or(0).min(SHIFT_MAX)
    }

    fn learn(&mut self, value: u64) {
        let mean = self.mean_16ths >> MEAN_SHIFT;
        let weight = value.min((mean << 3) + HEAVIEST);
        // A mean that no longer fits sixteen times over stays where it is.
        self.mean_16ths = (self.mean_16ths - mean).saturating_add(weight).min(MEAN_MAX);
    }

    /// Writes the next number.
    pub(crate) fn put(&mut self, value: u64, out: &mut BitWriter) {
        let shift = self.shift();
        match u32::try_from(value >> shift) {
            Ok(quotient) if quotient < QUOTIENT_MAX => {
                let ones = (1_u64 << quotient) - 1;
                let remainder = value & ((1 << shift) - 1);
                out.put(ones | (remainder << (quotient + 1)), quotient + 1 + shift);
            }
            _ => {
                out.put((1 << QUOTIENT_MAX) - 1, QUOTIENT_MAX);
                out.put(value & 0xFFFF_FFFF, 32);
                out.put(value >> 32, 32);
            }
        }
        self.learn(value);
    }

    /// Reads the next number.
    pub(crate) fn take(&mut self, from: &mut BitReader<'_>) -> Option<u64> {
        let shift = self.shift();
        let quotient = from.ones(QUOTIENT_MAX)?;
        let value = if quotient < QUOTIENT_MAX {
            (u64::from(quotient) << shift) | from.take(shift)?
        } else {
            from.take(32)? | (from.take(32)? << 32)
        };
        self.learn(value);
        Some(value)
    }

    /// Writes the next number, which may be negative.
    pub(crate) fn put_signed(&mut self, value: i64, out: &mut BitWriter) {
        self.put(zigzag(value), out);
    }

    /// Reads the next number, which may be negative.
    pub(crate) fn take_signed(&mut self, from: &mut BitReader<'_>) -> Option<i64> {
        self.take(from).map(unzigzag)
    }
}

/// 0, -1, 1, -2 ... as 0, 1, 2, 3 ...
pub(crate) fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

/// The other way.
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[i64]) -> Vec<u8> {
        let (mut rice, mut out, mut bytes) = (Rice::about(8), BitWriter::default(), Vec::new());
        for &value in values {
            rice.put_signed(value, &mut out);
        }
        out.append_to(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn numbers_come_back(values in prop::collection::vec(prop_oneof![
            any::<i64>(), -1000i64..1000, Just(0), Just(i64::MIN), Just(i64::MAX),
        ], 0..200)) {
            let bytes = written(&values);
            let (mut rice, mut reader) = (Rice::about(8), BitReader::new(&bytes));
            for &value in &values {
                prop_assert_eq!(rice.take_signed(&mut reader), Some(value));
            }
            prop_assert!(reader.is_at_end());
        }
    }

    #[test]
    fn what_stands_still_costs_a_bit() {
        assert!(written(&[0; 800]).len() <= 110, "{}", written(&[0; 800]).len());
    }

    #[test]
    fn a_jump_is_soon_forgotten() {
        let mut values = vec![1; 1_000];
        let calm = written(&values).len();
        values[300] = i64::MAX;
        assert!(written(&values).len() <= calm + 60, "{} for {calm}", written(&values).len());
    }
}
