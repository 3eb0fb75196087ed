//! The bytes of a record: how the forms of tags and subjects are written and read.
//!
//! A number is little-endian base 128, so that what is near 0 is short.

/// Bits of a number in each byte; the eighth says that another byte follows.
const NUMBER_BITS: u32 = 7;
const MORE: u8 = 1 << NUMBER_BITS;
/// Numbers below are written at once: eight bytes of seven bits.
const WIDE: u64 = 1 << 56;

/// A record that is being made, in place: a checkpoint makes a million of them. ROOM is for the longest
/// one and what is written behind it that does not count.
#[derive(Debug)]
pub(crate) struct Writer<const ROOM: usize> {
    bytes: [u8; ROOM],
    len: usize,
}

impl<const ROOM: usize> Writer<ROOM> {
    #[inline]
    pub(crate) fn new() -> Self {
        Writer { bytes: [0; ROOM], len: 0 }
    }

    #[inline]
    pub(crate) fn put_bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        self.write(bytes, N);
    }

    /// Puts bytes, or none.
    #[inline]
    pub(crate) fn put_bytes_if<const N: usize>(&mut self, is_there: bool, bytes: [u8; N]) {
        // Written in any case, which is cheaper than to look.
        self.write(bytes, if is_there { N } else { 0 });
    }

    /// Writes bytes of which only the first so many count.
    #[inline]
    fn write<const N: usize>(&mut self, bytes: [u8; N], count: usize) {
        let rest = self.bytes.get_mut(self.len..);
        if let Some(place) = rest.and_then(|rest| rest.first_chunk_mut::<N>()) {
            *place = bytes;
            self.len += count;
        } else {
            // Never so; if it were, there would be no record rather than a wrong one.
            self.len = usize::MAX / 2;
        }
    }

    pub(crate) fn put_if(&mut self, number: u32) {
        if number > 0 {
            self.put(number);
        }
    }

    pub(crate) fn put(&mut self, number: impl Into<u64>) {
        let mut number = number.into();
        while number >= WIDE {
            let low = u8::try_from(number & u64::from(MORE - 1)).unwrap_or(0);
            self.put_bytes([low | MORE]);
            number >>= NUMBER_BITS;
        }
        let bits = u64::BITS - (number | 1).leading_zeros();
        let more = bits.div_ceil(NUMBER_BITS) - 1;
        let marks = EACH_MORE & ((1 << (u8::BITS * more)) - 1);
        let count = usize::try_from(more).unwrap_or(0) + 1;
        self.write((spread(number) | marks).to_le_bytes(), count);
    }

    /// Appends the record. False if there was no room for it.
    #[inline]
    pub(crate) fn finish(&self, record: &mut Vec<u8>) -> bool {
        let made = self.bytes.get(..self.len);
        made.inspect(|made| record.extend_from_slice(made)).is_some()
    }
}

/// A flag, if it is so.
pub(crate) fn flag(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

/// Each byte says that another one follows.
const EACH_MORE: u64 = u64::from_le_bytes([MORE; 8]);

/// The seven bits of each byte, the lowest first, of a number below [`WIDE`].
fn spread(number: u64) -> u64 {
    let halves = (number & 0x0fff_ffff) | ((number & 0x00ff_ffff_f000_0000) << 4);
    let quarters = (halves & 0x0000_3fff_0000_3fff) | ((halves & 0x0fff_c000_0fff_c000) << 2);
    (quarters & 0x007f_007f_007f_007f) | ((quarters & 0x3f80_3f80_3f80_3f80) << 1)
}

/// What is still to be read of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl Reader<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    /// Bytes that are there only if so; else zeros.
    pub(crate) fn take_if<const N: usize>(&mut self, is_there: bool) -> Option<[u8; N]> {
        if is_there { self.take() } else { Some([0; N]) }
    }

    pub(crate) fn int(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    pub(crate) fn short(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// The digests of pings.
    pub(crate) fn digests<const N: usize>(&mut self) -> Option<[u16; N]> {
        let mut digests = [0; N];
        for digest in &mut digests {
            *digest = u16::from_le_bytes(self.take()?);
        }
        Some(digests)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.take()?;
            let part = u64::from(byte & (MORE - 1));
            let placed = part << shift;
            if placed >> shift != part {
                return None;
            }
            number |= placed;
            if byte & MORE == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn narrow(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of any length, with each of its bits and without: byte by byte it is the same.
    #[test]
    fn numbers_are_base_128() {
        let each = (0..64).map(|bit| 1_u64 << bit);
        for number in each.flat_map(|bit| [bit - 1, bit, bit | 1, bit | 0x55]).chain([u64::MAX]) {
            let (mut writer, mut made, mut rest) = (Writer::<96>::new(), Vec::new(), number);
            writer.put(number);
            assert!(writer.finish(&mut made));
            let mut expected = Vec::new();
            while rest >= 128 {
                expected.push(u8::try_from(rest % 128).expect("below") + 128);
                rest /= 128;
            }
            expected.push(u8::try_from(rest).expect("below"));
            assert_eq!(made, expected, "{number:#x}");
            assert_eq!(Reader { rest: &made }.number(), Some(number));
        }
    }

    #[test]
    fn a_record_without_room_is_none() {
        let mut writer = Writer::<96>::new();
        (0..96).for_each(|_| writer.put_bytes([1]));
        assert!(writer.finish(&mut Vec::new()));
        writer.put_bytes([1]);
        writer.put(5_u32);
        let mut record = Vec::new();
        assert!(!writer.finish(&mut record) && record.is_empty());
    }
}
