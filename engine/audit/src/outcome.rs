//! How it went, and why.

use std::borrow::Cow;

use crate::word::words;

/// Longest reason in bytes: one line.
pub const REASON_BYTES_MAX: usize = 160;

words! {
    /// How it went.
    Outcome: u8 {
        /// It was done.
        Done = 1, "done";
        /// It was taken and is about to be done: recorded before anything comes of it.
        Begun = 2, "begun";
        /// It was not allowed, or made no sense.
        Refused = 3, "refused";
        /// It was tried and failed.
        Failed = 4, "failed";
    }
}

/// Why, in words that the program itself has: nothing a peer said and no name can get in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// A reason. What is longer than [`REASON_BYTES_MAX`] is cut, what does not print is left out.
    pub fn new(words: &'static str) -> Reason {
        if is_plain(words.as_bytes()) {
            return Reason(Cow::Borrowed(words));
        }
        let plain = words.chars().filter(|&letter| is_printable(letter));
        Reason(Cow::Owned(plain.take(REASON_BYTES_MAX).collect()))
    }

    /// As it stands in a record.
    pub(crate) fn read(bytes: &[u8]) -> Option<Reason> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| is_plain(bytes))?;
        Some(Reason(Cow::Owned(text.to_owned())))
    }

    /// The words; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_printable(letter: char) -> bool {
    letter.is_ascii_graphic() || letter == ' '
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.len() <= REASON_BYTES_MAX && bytes.iter().all(|&byte| is_printable(char::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_plain_line() {
        assert_eq!(Reason::new("no seat is free").as_str(), "no seat is free");
        assert_eq!(Reason::new("two\nlines\u{1b}[31m").as_str(), "twolines[31m");
        assert_eq!(Reason::read(b"two\nlines"), None);
        assert_eq!(Reason::read(&[b'a'; REASON_BYTES_MAX + 1]), None);
    }
}
