//! House rules about names and words: what things are called, and what errors say.

use std::fs;

use crate::files::source_files;

/// Words that say nothing, alone or at the end of a name.
const BANNED_WORDS: &[&str] =
    &["Manager", "Helper", "Util", "Utils", "Common", "Misc", "Impls", "Data", "Info"];
/// What declares a name that callers read.
const DECLARATIONS: &[&str] = &["struct ", "enum ", "trait ", "type ", "mod "];

/// The declared name on a line, if there is one.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
    let rest = DECLARATIONS.iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// Whether a name is, or ends with, a word that says nothing.
fn says_nothing(name: &str) -> bool {
    let is_banned = |word: &&str| {
        let snake = word.to_lowercase();
        name.ends_with(*word) || name == snake || name.ends_with(&format!("_{snake}"))
    };
    BANNED_WORDS.iter().any(is_banned)
}

#[test]
fn no_type_or_module_has_a_name_that_says_nothing() {
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap();
        for name in text.lines().filter_map(declared) {
            assert!(!says_nothing(name), "{} declares `{name}`", path.display());
        }
    }
}

#[test]
fn a_name_that_says_nothing_is_told_from_one_that_does() {
    let check = |line: &str, expected: bool| {
        assert_eq!(declared(line).is_some_and(says_nothing), expected, "{line}");
    };
    check("pub struct TagManager {", true);
    check("    pub(crate) enum TagInfo {", true);
    check("mod time_util;", true);
    check("pub trait Common: Send {", true);
    check("pub struct Database;", false);
    check("pub struct Update(u32);", false);
    check("let data = 1;", false);
}

/// Messages begin in lower case and have no full stop: they end up within longer sentences.
fn is_badly_told(line: &str) -> bool {
    let Some((_, message)) = line.split_once("#[error(\"") else { return false };
    let Some((message, _)) = message.rsplit_once("\")]") else { return false };
    message.starts_with(char::is_uppercase) || message.ends_with('.')
}

#[test]
fn errors_are_told_in_lower_case_and_without_a_full_stop() {
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap();
        // The examples below are not errors of ours.
        if path.ends_with("xtask/src/prose.rs") {
            continue;
        }
        let told = text.lines().find(|line| is_badly_told(line));
        assert_eq!(told, None, "{}", path.display());
    }
}

#[test]
fn a_badly_told_error_is_seen() {
    assert!(is_badly_told("    #[error(\"Could not read\")]"));
    assert!(is_badly_told("    #[error(\"could not read.\")]"));
    assert!(!is_badly_told("    #[error(\"could not read {path}\")]"));
    assert!(!is_badly_told("    #[error(transparent)]"));
}
