//! Puts another tag in the place of one in the files of a site directory: a band that is changed.
//!
//! A tag is in one place of a site, so its number is looked for and written over, and nothing else of
//! the file is touched.

use std::path::Path;

use ach_actors_model::{Name, TagId};

use super::{RegisterError, SiteEdit, read};
use crate::SiteDirectory;

/// The files in which a tag may be on somebody.
const FILES: [&str; 4] = ["people.toml", "people.csv", "equipment.toml", "equipment.csv"];

/// A tag that takes another one's place on a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Whose.
    pub subject: Name,
    /// The tag that is on it.
    pub old: TagId,
    /// The one that is to be, of the same feed.
    pub new: TagId,
}

impl SiteDirectory {
    /// What a file of the directory `root`, which was read as this site, is to be so that the new tag is in
    /// the place of the old one. Nothing is written yet; read the directory again afterwards.
    ///
    /// # Errors
    ///
    /// See [`RegisterError`].
    pub fn exchange(&self, root: &Path, wish: &Exchange) -> Result<SiteEdit, RegisterError> {
        let wears = |tag: TagId| {
            let worn = self.subjects().find(|it| it.tags.iter().any(|worn| worn.id == tag));
            worn.map(|subject| subject.id.clone())
        };
        if let Some(subject) = wears(wish.new) {
            return Err(RegisterError::Taken { tag: wish.new, subject });
        }
        if wears(wish.old).as_ref() != Some(&wish.subject) {
            let (tag, subject) = (wish.old, wish.subject.clone());
            return Err(RegisterError::NotWorn { tag, subject });
        }
        let mut found: Vec<SiteEdit> = Vec::new();
        for file in FILES {
            let path = root.join(file);
            let Some(text) = read(&path)? else { continue };
            for (from, to) in places_of(&text, wish.old) {
                let (head, tail) = (text.get(..from), text.get(to..));
                let (head, tail) = (head.unwrap_or_default(), tail.unwrap_or_default());
                let after = format!("{head}{}{tail}", wish.new);
                found.push(SiteEdit { path: path.clone(), before: Some(text.clone()), after });
            }
        }
        let edit = found.pop();
        // Not as it is usually written, or something else looks like it.
        edit.filter(|_| found.is_empty()).ok_or_else(|| {
            let file = "the files of people and equipment".to_owned();
            RegisterError::ByHand { file, subject: wish.subject.clone() }
        })
    }
}

/// Where a tag is written in a text, in whatever spelling, outside of comments.
fn places_of(text: &str, tag: TagId) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut line_at = 0;
    for line in text.split_inclusive('\n') {
        let told = line.split('#').next().unwrap_or_default();
        let mut from = None;
        let end = [(told.len(), ' ')];
        for (at, character) in told.char_indices().chain(end) {
            let is_part = character.is_ascii_hexdigit() || matches!(character, ':' | '-');
            match (from, is_part) {
                (None, true) => from = Some(at),
                (Some(begun), false) => {
                    if told.get(begun..at).is_some_and(|word| is_tag(word, tag)) {
                        places.push((line_at + begun, line_at + at));
                    }
                    from = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        line_at += line.len();
    }
    places
}

fn is_tag(word: &str, tag: TagId) -> bool {
    let digits: String = word.chars().filter(|it| !matches!(it, ':' | '-')).collect();
    digits.len() == 16 && u64::from_str_radix(&digits, 16).is_ok_and(|number| number == tag.0)
}
