//! Bits, least significant first, packed into bytes; reading never goes past the end.

/// Most bits one call may write or read.
pub(crate) const RUN_BITS_MAX: u32 = 56;

/// Packs bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that do not make eight bytes yet, the first written lowest.
    open: u64,
    open_bits: u32,
}

impl BitWriter {
    /// Adds the lowest `bits` of `value`, at most [`RUN_BITS_MAX`]; those above must be zero.
    pub(crate) fn put(&mut self, value: u64, bits: u32) {
        self.open |= value << self.open_bits;
        self.open_bits += bits;
        if self.open_bits >= 64 {
            self.bytes.extend_from_slice(&self.open.to_le_bytes());
            self.open_bits -= 64;
            // What did not fit; nothing if it fitted exactly.
            self.open = value >> (bits - self.open_bits);
        }
    }

    /// Bytes so far, an open one among them.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.open_bytes()
    }

    /// Appends what was written, the last byte filled up with zeros.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        let open = self.open.to_le_bytes();
        out.extend_from_slice(open.get(..self.open_bytes()).unwrap_or(&open));
    }

    fn open_bytes(&self) -> usize {
        usize::try_from(self.open_bits.div_ceil(8)).unwrap_or(0)
    }
}

/// Unpacks bits.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    open: u64,
    open_bits: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { rest: bytes, open: 0, open_bits: 0 }
    }

    /// Has at least [`RUN_BITS_MAX`] bits at hand, or all that are left.
    fn fill(&mut self) {
        if let Some(eight) = self.rest.first_chunk() {
            let whole = (64 - self.open_bits) / 8;
            self.open |= u64::from_le_bytes(*eight) << self.open_bits;
            self.open_bits += whole * 8;
            // Of the byte that fitted in part nothing is taken.
            self.open &= u64::MAX >> (64 - self.open_bits);
            let taken = usize::try_from(whole).unwrap_or(0);
            self.rest = self.rest.get(taken..).unwrap_or_default();
            return;
        }
        while self.open_bits <= RUN_BITS_MAX {
            let Some((&byte, rest)) = self.rest.split_first() else { return };
            self.open |= u64::from(byte) << self.open_bits;
            self.open_bits += 8;
            self.rest = rest;
        }
    }

    /// The next `bits`, at most [`RUN_BITS_MAX`]; `None` if there are not so many.
    pub(crate) fn take(&mut self, bits: u32) -> Option<u64> {
        if bits > self.open_bits {
            self.fill();
            if bits > self.open_bits {
                return None;
            }
        }
        let value = self.open & ((1 << bits) - 1);
        self.open >>= bits;
        self.open_bits -= bits;
        Some(value)
    }

    /// How many ones come next, but no more than `most`, which is below [`RUN_BITS_MAX`]; they are
    /// taken, and the zero that ends them.
    pub(crate) fn ones(&mut self, most: u32) -> Option<u32> {
        if most >= self.open_bits {
            self.fill();
        }
        let ones = self.open.trailing_ones().min(most);
        let taken = if ones == most { ones } else { ones + 1 };
        self.take(taken).map(|_| ones)
    }

    /// Whether nothing but the zeros that fill up the last byte is left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty() && self.open_bits < 8 && self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_come_back_as_they_were_put(runs in prop::collection::vec((any::<u64>(), 0..=RUN_BITS_MAX), 0..200)) {
            let mut writer = BitWriter::default();
            let masked: Vec<(u64, u32)> =
                runs.iter().map(|&(value, bits)| (value & ((1 << bits) - 1), bits)).collect();
            for &(value, bits) in &masked {
                writer.put(value, bits);
            }
            let mut bytes = Vec::new();
            writer.append_to(&mut bytes);
            prop_assert_eq!(bytes.len(), writer.len());
            let mut reader = BitReader::new(&bytes);
            for &(value, bits) in &masked {
                prop_assert_eq!(reader.take(bits), Some(value));
            }
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn ones_are_counted_up_to_the_most(ones in 0u32..40, most in 1u32..40) {
            let mut writer = BitWriter::default();
            writer.put((1 << ones) - 1, ones + 1);
            writer.put(0b101, 3);
            let mut bytes = Vec::new();
            writer.append_to(&mut bytes);
            let mut reader = BitReader::new(&bytes);
            prop_assert_eq!(reader.ones(most), Some(ones.min(most)));
            if ones < most {
                prop_assert_eq!(reader.take(3), Some(0b101));
            }
        }
    }

    #[test]
    fn the_end_is_noticed() {
        let mut reader = BitReader::new(&[0xFF]);
        assert_eq!(reader.take(9), None);
        assert_eq!(reader.ones(20), None, "ones without a zero behind them");
        assert_eq!(reader.take(8), Some(0xFF));
        assert!(reader.is_at_end());
        assert!(!BitReader::new(&[0]).is_at_end(), "a whole byte is more than filling");
    }
}
