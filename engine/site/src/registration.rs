//! Enters a tag in the files of a site directory, leaving all else in them as people wrote it.
//!
//! A new subject is written at the end of its file; a subject that is there gets the tag into its own
//! line. What is written oddly enough is not guessed at: the person is told where to write it.

mod exchange;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, SubjectClass, TagId};
use thiserror::Error;

pub use self::exchange::Exchange;
use crate::SiteDirectory;

/// A tag, and whom or what it is on.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The tag.
    pub tag: TagId,
    /// The feed that reports it.
    pub feed: Name,
    /// Whom or what it is on.
    pub subject: Name,
    /// What that is; not needed for a subject the site has.
    pub class: Option<SubjectClass>,
    /// What people call a new subject.
    pub name: Option<String>,
    /// Words rules select a new subject by.
    pub labels: Vec<Name>,
}

/// Names are not shown: they are personal.
impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tag = self.tag;
        f.debug_struct("Registration")
            .field("tag", &tag)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Why a tag was not entered.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The site has the tag.
    #[error("tag {tag} is on {subject} already, take it off there first")]
    Taken {
        /// The tag.
        tag: TagId,
        /// Whom it is on.
        subject: Name,
    },
    /// The tag is not on that subject.
    #[error("tag {tag} is not on {subject} in this site, look who wears it")]
    NotWorn {
        /// The tag.
        tag: TagId,
        /// Whom it was said to be on.
        subject: Name,
    },
    /// The site has no such feed.
    #[error("the site has no feed {feed}, give one of site.toml")]
    UnknownFeed {
        /// The feed.
        feed: Name,
    },
    /// A new subject needs a class.
    #[error("the site has no subject {subject}, say with its class what it is to be")]
    NoClass {
        /// The subject.
        subject: Name,
    },
    /// The subject is something else.
    #[error("{subject} is of another class in this site, leave the class out or take another id")]
    OtherClass {
        /// The subject.
        subject: Name,
    },
    /// The file is written in a way that is not edited by a program.
    #[error("cannot enter the tag into {file} without guessing, add it to {subject} there by hand")]
    ByHand {
        /// The file.
        file: String,
        /// The subject.
        subject: Name,
    },
    /// Somebody else changed a file meanwhile.
    #[error("{path} was changed by somebody else meanwhile, take the tag out there by hand")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("could not {verb} {path}: {source}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file as it was and as it is to be.
#[derive(Debug)]
pub struct SiteEdit {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl SiteEdit {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file as it is to be; a crash leaves the old one or this one.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self) -> Result<(), RegisterError> {
        write(&self.path, &self.after)
    }

    /// Puts the file back as it was.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or somebody has changed it since.
    pub fn undo(&self) -> Result<(), RegisterError> {
        if read(&self.path)?.as_ref() != Some(&self.after) {
            return Err(RegisterError::Changed { path: self.path.clone() });
        }
        match &self.before {
            Some(text) => write(&self.path, text),
            None => {
                fs::remove_file(&self.path).map_err(|source| failed("remove", &self.path, source))
            }
        }
    }
}

/// A new file with names of people is for its owner.
const NEW_MODE: u32 = 0o600;

fn failed(verb: &'static str, path: &Path, source: io::Error) -> RegisterError {
    RegisterError::File { verb, path: path.to_owned(), source }
}

fn write(path: &Path, text: &str) -> Result<(), RegisterError> {
    let beside = path.with_extension("new");
    let written = || -> io::Result<()> {
        // One that a kill left behind.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut new = fs::OpenOptions::new();
        let mut file = new.write(true).create_new(true).mode(NEW_MODE).open(&beside)?;
        if let Ok(kept) = fs::metadata(path) {
            // Names of people may be readable by few: before the first of them is written.
            file.set_permissions(kept.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|source| failed("write", path, source))
}

fn read(path: &Path) -> Result<Option<String>, RegisterError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path, source)),
    }
}

impl SiteDirectory {
    /// What a file of the directory `root`, which was read as this site, is to be so that the tag is on
    /// its subject. Nothing is written yet; read the directory again afterwards.
    ///
    /// # Errors
    ///
    /// See [`RegisterError`].
    pub fn register(&self, root: &Path, wish: &Registration) -> Result<SiteEdit, RegisterError> {
        if !self.feeds.iter().any(|feed| feed.id == wish.feed) {
            return Err(RegisterError::UnknownFeed { feed: wish.feed.clone() });
        }
        let worn = self.subjects().find(|it| it.tags.iter().any(|tag| tag.id == wish.tag));
        if let Some(subject) = worn {
            let (tag, subject) = (wish.tag, subject.id.clone());
            return Err(RegisterError::Taken { tag, subject });
        }
        let is_person = self.people.iter().any(|it| it.id == wish.subject);
        let Some(known) = self.subjects().find(|it| it.id == wish.subject) else {
            return new_subject(root, wish);
        };
        if wish.class.is_some_and(|class| class != known.class) {
            return Err(RegisterError::OtherClass { subject: wish.subject.clone() });
        }
        let stem = if is_person { "people" } else { "equipment" };
        let toml = root.join(format!("{stem}.toml"));
        if let Some(text) = read(&toml)? {
            match in_toml(&text, wish) {
                Found::Edited(after) => {
                    return Ok(SiteEdit { path: toml, before: Some(text), after });
                }
                Found::Oddly => return Err(by_hand(&toml, wish)),
                Found::Nowhere => {}
            }
        }
        let csv = root.join(format!("{stem}.csv"));
        let text = read(&csv)?.ok_or_else(|| by_hand(&toml, wish))?;
        let has_others = known.tags.iter().any(|tag| tag.feed != wish.feed);
        let after = in_csv(&text, wish).filter(|_| !has_others);
        let after = after.ok_or_else(|| by_hand(&csv, wish))?;
        Ok(SiteEdit { path: csv, before: Some(text), after })
    }
}

fn by_hand(path: &Path, wish: &Registration) -> RegisterError {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    RegisterError::ByHand { file, subject: wish.subject.clone() }
}

/// The table of a tag.
fn tag_table(wish: &Registration) -> String {
    format!("{{ id = \"{}\", feed = \"{}\" }}", wish.tag, wish.feed)
}

/// At the end of its file.
fn new_subject(root: &Path, wish: &Registration) -> Result<SiteEdit, RegisterError> {
    let no_class = || RegisterError::NoClass { subject: wish.subject.clone() };
    let (stem, table, class) = match wish.class.ok_or_else(no_class)? {
        SubjectClass::Patient => ("people", "person", Some("patient")),
        SubjectClass::Staff => ("people", "person", Some("staff")),
        SubjectClass::Visitor => ("people", "person", Some("visitor")),
        SubjectClass::Asset => ("equipment", "equipment", None),
    };
    let path = root.join(format!("{stem}.toml"));
    let before = read(&path)?;
    let mut lines = vec![format!("[[{table}]]"), format!("id = \"{}\"", wish.subject)];
    if let Some(name) = &wish.name {
        lines.push(format!("name = {}", toml::Value::String(name.clone())));
    }
    lines.extend(class.map(|class| format!("class = \"{class}\"")));
    if !wish.labels.is_empty() {
        let labels: Vec<String> = wish.labels.iter().map(|it| format!("\"{it}\"")).collect();
        lines.push(format!("labels = [{}]", labels.join(", ")));
    }
    lines.push(format!("tags = [{}]\n", tag_table(wish)));
    let mut after = before.clone().unwrap_or_default();
    if !after.is_empty() {
        let gap = if after.ends_with('\n') { "\n" } else { "\n\n" };
        after.push_str(gap);
    }
    after.push_str(&lines.join("\n"));
    Ok(SiteEdit { path, before, after })
}

/// Whether a subject is in a text.
enum Found {
    /// It is not.
    Nowhere,
    /// It is, written in a way that is not guessed at.
    Oddly,
    /// It is: the text with the tag in the subject's lines.
    Edited(String),
}

fn in_toml(text: &str, wish: &Registration) -> Found {
    let lines: Vec<&str> = text.split('\n').collect();
    let id = format!("\"{}\"", wish.subject);
    let is_id = |line: &&str| value_of(line, "id").is_some_and(|value| value == id);
    let Some(at) = lines.iter().position(is_id) else { return Found::Nowhere };
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let before = lines.get(..at).unwrap_or_default();
    let from = before.iter().rposition(|line| is_header(line)).map_or(0, |it| it.saturating_add(1));
    let rest = lines.get(from..).unwrap_or_default();
    let to = rest.iter().position(|line| is_header(line)).unwrap_or(rest.len());
    let block = rest.get(..to).unwrap_or_default();
    let tags = block.iter().position(|line| value_of(line, "tags").is_some());
    let mut edited: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let place = tags.map(|tags| from.saturating_add(tags));
    match place.and_then(|place| edited.get_mut(place)) {
        Some(line) => match with_tag(line, wish) {
            Some(new) => *line = new,
            None => return Found::Oddly,
        },
        None => edited.insert(at.saturating_add(1), format!("tags = [{}]", tag_table(wish))),
    }
    Found::Edited(edited.join("\n"))
}

/// The value of a line `key = value`, without blanks around it.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (found, value) = line.split_once('=')?;
    (found.trim() == key).then(|| value.trim())
}

/// A line `tags = [..]` with one more; nothing for a list of several lines, or one with a comment.
fn with_tag(line: &str, wish: &Registration) -> Option<String> {
    let (head, list) = line.trim_end().rsplit_once(']').filter(|(_, rest)| rest.is_empty())?;
    debug_assert!(list.is_empty());
    if head.contains('#') {
        return None;
    }
    let is_empty = head.trim_end().ends_with('[');
    let comma = if is_empty || head.trim_end().ends_with(',') { "" } else { ", " };
    Some(format!("{}{comma}{}]", head.trim_end(), tag_table(wish)))
}

/// The text with the tag in its subject's row. A row that quotes anything is not edited.
fn in_csv(text: &str, wish: &Registration) -> Option<String> {
    let mut header: Option<(usize, usize)> = None;
    let mut is_done = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let plain = line.trim_end_matches('\r');
        let mut cells: Vec<String> = plain.split(',').map(str::to_owned).collect();
        let is_row = !plain.starts_with('#') && !plain.trim().is_empty();
        match header {
            None if is_row => {
                let place = |name: &str| cells.iter().position(|cell| cell.trim() == name);
                header = Some((place("id")?, place("tags")?));
            }
            Some((id, tags)) if is_row => {
                let is_it = cells.get(id).is_some_and(|cell| cell.trim() == wish.subject.as_str());
                if is_it && !is_done {
                    if plain.contains('"') {
                        return None;
                    }
                    let cell = cells.get_mut(tags)?;
                    let before = cell.trim();
                    let gap = if before.is_empty() { "" } else { " " };
                    *cell = format!("{before}{gap}{}", wish.tag);
                    is_done = true;
                    lines.push(cells.join(","));
                    continue;
                }
            }
            None | Some(_) => {}
        }
        lines.push(line.to_owned());
    }
    is_done.then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests;
