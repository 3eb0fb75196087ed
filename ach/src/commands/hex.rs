//! Bytes as hexadecimal digits.

use std::fmt::Write;

/// Two small digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes; nothing of a text that is none.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok().filter(|it| it.len() == 2)?;
        let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_plain.then(|| u8::from_str_radix(digits, 16).ok())?
    };
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_their_digits_and_what_are_none_is_refused() {
        for bytes in [vec![], vec![0, 1, 0xfe, 0xff], (0..=255).collect::<Vec<u8>>()] {
            assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
        for text in ["0", "0g", "+1", "ää", " 1"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
