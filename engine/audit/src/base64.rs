//! Base64 with padding (RFC 4648, section 4), as signed notes and PEM have it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        for (place, byte) in word.iter_mut().skip(1).zip(chunk) {
            *place = *byte;
        }
        let word = u32::from_be_bytes(word);
        for place in 0..4 {
            let letter = ALPHABET.get(usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or(0));
            let is_there = place <= chunk.len();
            text.push(letter.filter(|_| is_there).map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

/// The bytes of a text; none when it is not exactly what [`encode`] makes of some bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.as_bytes().chunks(4) {
        let mut word: u32 = 0;
        for letter in chunk {
            let value = ALPHABET.iter().position(|known| known == letter);
            let value = value.or((*letter == b'=').then_some(0))?;
            word = word << 6 | u32::try_from(value).ok()?;
        }
        bytes.extend(word.to_be_bytes().into_iter().skip(1));
    }
    let padding = text.bytes().rev().take_while(|&letter| letter == b'=').count();
    bytes.truncate(bytes.len().saturating_sub(padding));
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648, section 10, and one with every bit set.
    #[test]
    fn the_text_is_that_of_the_rfc() {
        let check = |bytes: &[u8], text: &str| {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        };
        check(b"", "");
        check(b"f", "Zg==");
        check(b"fo", "Zm8=");
        check(b"foo", "Zm9v");
        check(b"foob", "Zm9vYg==");
        check(b"fooba", "Zm9vYmE=");
        check(b"foobar", "Zm9vYmFy");
        check(&[0xff; 3], "////");
        check(&[0xfb, 0xef, 0xbe], "++++");
    }

    #[test]
    fn a_text_that_is_not_exactly_so_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm8", "Zm9v\n", "Z=9v", "Zm9v=", "Zm9!"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
