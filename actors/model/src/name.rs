//! The identity a site's owner gave to a thing.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest name in bytes. Names travel in every alarm frame, so they stay short.
pub const NAME_BYTES_MAX: usize = 64;

/// An id given by people or foreign systems: 1 to 64 bytes of `A-Z a-z 0-9 . _ : -`.
///
/// Ids hold no personal data: they are journaled, and what is journaled is never erased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// Why a text is no [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("an id must not be empty")]
    Empty,
    /// More than [`NAME_BYTES_MAX`] bytes.
    #[error("an id has at most {NAME_BYTES_MAX} bytes, this has {bytes}")]
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
    /// A character outside the allowed set.
    #[error("an id is made of A-Z a-z 0-9 . _ : - and this has {character:?}")]
    Character {
        /// The first offender.
        character: char,
    },
}

impl Name {
    /// Checks and keeps a text.
    ///
    /// # Errors
    ///
    /// [`NameError`] for an empty or long text or one with other characters.
    pub fn new(text: &str) -> Result<Name, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { bytes: text.len() });
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        match text.chars().find(|&c| !is_allowed(c)) {
            Some(character) => Err(NameError::Character { character }),
            None => Ok(Name(Arc::from(text))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Name, NameError> {
        Name::new(&text)
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Name, NameError> {
        Name::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Result<(), NameError>) {
        assert_eq!(&Name::new(text).map(|name| assert_eq!(name.as_str(), text)), expected);
    }

    #[test]
    fn a_name_is_short_and_plain() {
        check("ward-3.east_A:1", &Ok(()));
        check("", &Err(NameError::Empty));
        check("Müller", &Err(NameError::Character { character: 'ü' }));
        // Nothing that ends a line, moves a terminal, or means something to a table, a page or HL7.
        for character in
            [' ', '\r', '\n', '\u{1b}', '=', '+', '@', '<', '"', '\'', ',', '|', '^', '/']
        {
            check(&format!("a{character}b"), &Err(NameError::Character { character }));
        }
        check(&"x".repeat(64), &Ok(()));
        check(&"x".repeat(65), &Err(NameError::TooLong { bytes: 65 }));
    }
}
