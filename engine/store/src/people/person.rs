//! What is known about a person.

use ach_actors_model::Name;
use serde::{Deserialize, Serialize};

use super::PeopleError;

/// Longest text about a person, in bytes.
pub const PERSON_TEXT_BYTES_MAX: usize = 256;

/// Most numbers in other systems a person has.
pub const LINKS_MAX: usize = 16;

/// A person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name people call them by.
    pub name: String,
    /// Who they are in other systems.
    pub links: Vec<Link>,
}

/// Who a person is in another system.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The system: the hospital's, the ward's, the insurer's.
    pub system: String,
    /// The number there.
    pub number: String,
}

/// Nothing of a person gets into a log by chance.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link(..)")
    }
}

impl Person {
    pub(super) fn check(&self, subject: &Name) -> Result<(), PeopleError> {
        let too_much =
            |what, limit| Err(PeopleError::TooMuch { subject: subject.clone(), what, limit });
        if self.links.len() > LINKS_MAX {
            return too_much("numbers in other systems", LINKS_MAX);
        }
        let links = self.links.iter().flat_map(|link| [&link.system, &link.number]);
        if links.chain([&self.name]).any(|text| text.len() > PERSON_TEXT_BYTES_MAX) {
            return too_much("bytes of a text", PERSON_TEXT_BYTES_MAX);
        }
        Ok(())
    }

    pub(super) fn to_text(&self) -> Result<Vec<u8>, PeopleError> {
        serde_json::to_vec(self).map_err(|_| PeopleError::Damaged { detail: "no text".to_owned() })
    }

    pub(super) fn from_text(text: &[u8]) -> Result<Person, PeopleError> {
        let no_person = |_| PeopleError::Damaged { detail: "a person is no person".to_owned() };
        serde_json::from_slice(text).map_err(no_person)
    }
}
