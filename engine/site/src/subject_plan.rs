//! A person or thing with its tags. The one place where people have names.

use std::fmt;

use ach_actors_model::{Name, SubjectClass, TagId};

/// A name of a person. `Debug` does not show it, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalName(pub String);

impl fmt::Debug for PersonalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalName(..)")
    }
}

/// A person or thing.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectPlan {
    /// Its id; no personal data.
    pub id: Name,
    /// What people call it. Stays in the site directory and at the rim.
    pub name: PersonalName,
    /// Its class.
    pub class: SubjectClass,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Its tags.
    pub tags: Vec<TagPlan>,
    /// Its badges, by their ids in the system of doors; of things none.
    pub badges: Vec<Name>,
}

/// A tag on a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPlan {
    /// Its factory number.
    pub id: TagId,
    /// The feed that may report it.
    pub feed: Name,
}
