//! Numbers that are mostly small: Rice codes whose parameter follows the numbers themselves.
//!
//! A number is its quotient by 2^k in ones, a zero, and k bits of remainder. `k` is the binary
//! logarithm of a running mean, so no table is kept and a still tag costs one bit a coordinate. A
//! quotient of [`QUOTIENT_MAX`] stands for a number written out: six bits of length, then the number.
//!
//! A [`Toggle`] is for what is mostly the same as before, or as before that.

use crate::bits::{BitReader, BitWriter};

/// Quotients from here on are written out. Beyond, a code would be longer than the number itself.
const QUOTIENT_MAX: u32 = 20;

/// The largest `k`: quotient, zero and remainder fit one run of 56 bits.
const SHIFT_MAX: u32 = 32;

/// The mean is kept in sixteenths and forgets a sixteenth a number: half of it after 11 numbers, as a
/// walker turns round within seconds.
const MEAN_SHIFT: u32 = 4;

/// A number counts for no more in the mean than this and eight times the mean, so that one jump does
/// not make all that follows costly; numbers that stay large are followed within some.
const HEAVIEST: u64 = 16;

/// Beyond, `k` grows no more.
const MEAN_MAX: u64 = 1 << 40;

/// One column of numbers, as writer and reader see it alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rice {
    mean_16ths: u64,
}

impl Rice {
    /// A column whose numbers have some 2^`shift` as their mean, at most 2^32.
    pub(crate) const fn with_shift(shift: u8) -> Rice {
        let shift = if shift > 32 { 32 } else { shift };
        Rice { mean_16ths: (1 << MEAN_SHIFT) << shift }
    }

    /// How many bits of remainder the next number has.
    pub(crate) fn shift(self) -> u32 {
        (self.mean_16ths >> MEAN_SHIFT).checked_ilog2().unwrap_or(0).min(SHIFT_MAX)
    }

    fn learn(&mut self, value: u64) {
        let mean = self.mean_16ths >> MEAN_SHIFT;
        let weight = value.min((mean << 3) + HEAVIEST);
        self.mean_16ths = (self.mean_16ths - mean + weight).min(MEAN_MAX);
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
                // A number with a quotient this large is not 0.
                let bits = value.checked_ilog2().unwrap_or(0);
                let ones = (1 << QUOTIENT_MAX) - 1;
                out.put(ones | (u64::from(bits) << QUOTIENT_MAX), QUOTIENT_MAX + 6);
                let low = bits.min(32);
                out.put(value & ((1 << low) - 1), low);
                // The highest bit is known to be one.
                out.put((value & !(1 << bits)) >> low, bits - low);
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
            let bits = u32::try_from(from.take(6)?).ok()?;
            let low = bits.min(32);
            from.take(low)? | (from.take(bits - low)? << low) | (1 << bits)
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

/// A column of numbers that are mostly the last one (a bit), or the one before that (two bits), as
/// intervals, levels and floors are; others are told by how far they are from the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Toggle {
    last: u64,
    other: u64,
    steps: Rice,
}

impl Toggle {
    /// A column that begins after `last`.
    pub(crate) const fn after(last: u64, steps: Rice) -> Toggle {
        Toggle { last, other: last, steps }
    }

    /// The last number.
    pub(crate) fn last(self) -> u64 {
        self.last
    }

    /// How large steps are, as the parameter of their code.
    pub(crate) fn shift(self) -> u32 {
        self.steps.shift()
    }

    /// Writes the next number.
    pub(crate) fn put(&mut self, value: u64, out: &mut BitWriter) {
        if value == self.last {
            out.put(0, 1);
            return;
        }
        if value == self.other {
            out.put(0b01, 2);
        } else {
            out.put(0b11, 2);
            self.steps.put_signed(value.wrapping_sub(self.last).cast_signed(), out);
        }
        self.other = std::mem::replace(&mut self.last, value);
    }

    /// Reads the next number.
    pub(crate) fn take(&mut self, from: &mut BitReader<'_>) -> Option<u64> {
        if from.take(1)? == 1 {
            let value = if from.take(1)? == 0 {
                self.other
            } else {
                self.last.wrapping_add(self.steps.take_signed(from)?.cast_unsigned())
            };
            self.other = std::mem::replace(&mut self.last, value);
        }
        Some(self.last)
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
        let (mut rice, mut out, mut bytes) =
            (Rice::with_shift(3), BitWriter::default(), Vec::new());
        for &value in values {
            rice.put_signed(value, &mut out);
        }
        out.append_to(&mut bytes);
        bytes
    }

    fn any_number() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -1000i64..1000, Just(0), Just(i64::MIN), Just(i64::MAX)]
    }

    proptest! {
        #[test]
        fn numbers_come_back(values in prop::collection::vec(any_number(), 0..200)) {
            let bytes = written(&values);
            let (mut rice, mut reader) = (Rice::with_shift(3), BitReader::new(&bytes));
            for &value in &values {
                prop_assert_eq!(rice.take_signed(&mut reader), Some(value));
            }
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn toggled_numbers_come_back(
            values in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..3], 0..200),
        ) {
            let (mut out, mut bytes) = (BitWriter::default(), Vec::new());
            let mut column = Toggle::after(1, Rice::with_shift(0));
            for &value in &values {
                column.put(value, &mut out);
            }
            out.append_to(&mut bytes);
            let (mut column, mut reader) =
                (Toggle::after(1, Rice::with_shift(0)), BitReader::new(&bytes));
            for &value in &values {
                prop_assert_eq!(column.take(&mut reader), Some(value));
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
        assert!(written(&values).len() <= calm + 30, "{} for {calm}", written(&values).len());
    }
}
