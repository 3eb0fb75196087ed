//! Numbers of varying length, and rows that know when they are damaged.

/// Appends a number, seven bits a byte, least significant first.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.push(u8::try_from(value & 0x7F).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Takes a number off the front. `None` if there is none, or one longer than 64 bits.
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7F);
        if (part << shift) >> shift != part {
            return None;
        }
        value |= part << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Takes a number that fits 32 bits off the front.
pub(crate) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_varint(bytes)?).ok()
}

/// A value with the checksum of its key and itself in front, so that a row that was exchanged or
/// changed is known.
pub(crate) fn sealed(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), payload);
    let mut value = Vec::with_capacity(payload.len().saturating_add(4));
    value.extend_from_slice(&crc.to_le_bytes());
    value.extend_from_slice(payload);
    value
}

/// What [`sealed`] was given; `None` if the checksum does not fit.
pub(crate) fn opened<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (crc, payload) = value.split_first_chunk()?;
    let expected = crc32c::crc32c_append(crc32c::crc32c(key), payload);
    (u32::from_le_bytes(*crc) == expected).then_some(payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(value in prop_oneof![any::<u64>(), 0u64..300, Just(u64::MAX)]) {
            let mut bytes = Vec::new();
            put_varint(value, &mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(take_varint(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut rest = &bytes[..];
            while take_varint(&mut rest).is_some() {}
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_none() {
        let mut bytes = &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02][..];
        assert_eq!(take_varint(&mut bytes), None);
    }

    #[test]
    fn a_row_under_another_key_is_damaged() {
        let value = sealed(b"a", b"payload");
        assert_eq!(opened(b"a", &value), Some(&b"payload"[..]));
        assert_eq!(opened(b"b", &value), None);
        assert_eq!(opened(b"a", &value[..5]), None);
        assert_eq!(opened(b"a", &[]), None);
    }
}
