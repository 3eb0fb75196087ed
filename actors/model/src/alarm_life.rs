//! What people and timers have done with an alarm since it was raised.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Name, Timestamp};

/// Longest remark in bytes: two lines of a terminal.
pub const REMARK_BYTES_MAX: usize = 256;

/// Words that go with an act. They are journaled, and what is journaled is never erased: people are
/// named by their ids, as everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Remark(Arc<str>);

/// Why a text is no [`Remark`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RemarkError {
    /// Nothing was said.
    #[error("a remark must not be empty")]
    Empty,
    /// More than [`REMARK_BYTES_MAX`] bytes.
    #[error("a remark has at most {REMARK_BYTES_MAX} bytes, this has {bytes}; say it shorter")]
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
    /// A line end, or what turns the rest of a line round or cannot be seen.
    #[error("a remark is one line of plain text, this has {character:?}")]
    Control {
        /// The first offender.
        character: char,
    },
}

impl Remark {
    /// Checks and keeps a text.
    ///
    /// # Errors
    ///
    /// [`RemarkError`] for an empty or long text or one with control characters.
    pub fn new(text: &str) -> Result<Remark, RemarkError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(RemarkError::Empty);
        }
        if text.len() > REMARK_BYTES_MAX {
            return Err(RemarkError::TooLong { bytes: text.len() });
        }
        match text.chars().find(|&character| character.is_control() || is_unseen(character)) {
            Some(character) => Err(RemarkError::Control { character }),
            None => Ok(Remark(Arc::from(text))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters without a width, that order what follows the other way, or that end a line in Unicode.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for Remark {
    type Error = RemarkError;

    fn try_from(text: String) -> Result<Remark, RemarkError> {
        Remark::new(&text)
    }
}

impl From<Remark> for String {
    fn from(remark: Remark) -> String {
        remark.as_str().to_owned()
    }
}

/// What an alarm turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmCause {
    /// It was as it said.
    Real,
    /// It was as it said, and allowed: leave nobody had told the system of.
    Allowed,
    /// The position was wrong.
    WrongPosition,
    /// A tag, band, button, door or reader was broken, or not worn as it should be.
    DeviceFault,
    /// The rule asks for too little: it is to be changed.
    RuleTooStrict,
    /// Somebody tried it out.
    Test,
    /// The same thing raised another alarm too.
    Duplicate,
    /// Something else; a remark says what.
    Other,
}

/// Who did something, and when by shard time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActMark {
    /// Who.
    pub by: Name,
    /// When.
    pub at: Timestamp,
}

/// Everything that was done with an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct AlarmLife {
    /// Counts what was done, by people and timers; each is told once.
    pub revision: u32,
    /// Who did the last of it; nobody for a timer.
    pub by: Option<Name>,
    /// What was said with it.
    pub remark: Option<Remark>,
    /// Who took notice, since it last called for attention.
    pub acknowledged: Option<ActMark>,
    /// Who confirmed.
    pub confirmed: Option<ActMark>,
    /// Who said what it was.
    pub closed: Option<ActMark>,
    /// What it was.
    pub cause: Option<AlarmCause>,
    /// Who is to see to it.
    pub assignee: Option<Name>,
    /// Until when it is put aside.
    pub quiet_until: Option<Timestamp>,
    /// How often it was passed on because nobody took notice.
    pub level: u8,
    /// To whom it was passed on last.
    pub escalated_to: Option<Name>,
    /// From when on nobody taking notice counts; none is from when it was raised.
    pub calls_since: Option<Timestamp>,
    /// How many comments there are.
    pub comment_count: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_one_short_line() {
        let check = |text: &str, expected: Result<&str, RemarkError>| {
            let found = Remark::new(text);
            assert_eq!(found.as_ref().map(Remark::as_str), expected.as_ref().map(|it| *it));
        };
        check(" found in the garden ", Ok("found in the garden"));
        check("Tür klemmt", Ok("Tür klemmt"));
        check("", Err(RemarkError::Empty));
        check("  ", Err(RemarkError::Empty));
        check("a\nb", Err(RemarkError::Control { character: '\n' }));
        check("\u{1b}[31m", Err(RemarkError::Control { character: '\u{1b}' }));
        for character in ['\u{202e}', '\u{2066}', '\u{2028}', '\u{200b}', '\u{feff}'] {
            check(&format!("a{character}b"), Err(RemarkError::Control { character }));
        }
        check(&"x".repeat(257), Err(RemarkError::TooLong { bytes: 257 }));
    }
}
