//! House rules about the shape of code: how long a function is, what a menu holds, what may decide.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::source_files;
use crate::layers::root;

const FUNCTION_LINES_MAX: usize = 70;
/// Crates that decide: a replica, a recovery and a simulation must come to the same.
const DECIDING: &[&str] =
    &["geo", "actors/model", "actors/runtime", "actors/entities", "engine/shard"];
/// What makes two runs differ, or waits.
const UNDECIDED: &[&str] =
    &["SystemTime", "Instant", "async fn", ".await", "rand::", "std::thread"];

/// Files of the crates that decide, without their tests.
fn deciding_sources() -> Vec<(PathBuf, String)> {
    let folders: Vec<PathBuf> = DECIDING.iter().map(|name| root().join(name).join("src")).collect();
    let is_test = |path: &Path| {
        path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
    };
    source_files()
        .into_iter()
        .filter(|path| folders.iter().any(|folder| path.starts_with(folder)) && !is_test(path))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            (path, text)
        })
        .collect()
}

/// Code without comments, which may well speak of what must not be done.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn what_decides_knows_no_clock_no_chance_and_no_waiting() {
    for (path, text) in deciding_sources() {
        for word in UNDECIDED {
            let found = code(&text).find(|line| line.contains(word));
            assert_eq!(found, None, "{} must not know of `{word}`", path.display());
        }
    }
}

/// Integers only: two machines round floats alike only as long as nobody changes a flag.
#[test]
fn what_decides_beyond_geometry_has_no_floats() {
    for (path, text) in deciding_sources() {
        if path.starts_with(root().join("geo")) {
            continue;
        }
        let is_float = |line: &&str| line.contains("f64") || line.contains("f32");
        assert_eq!(code(&text).find(is_float), None, "{} has a float", path.display());
    }
}

#[test]
fn every_queue_is_bounded() {
    for path in source_files().into_iter().filter(|path| !path.ends_with("xtask/src/shape.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        let found = code(&text).find(|line| line.contains("unbounded"));
        assert_eq!(found, None, "{} makes a queue without a limit", path.display());
    }
}

#[test]
fn every_lib_is_a_menu() {
    for path in source_files().into_iter().filter(|path| path.ends_with("src/lib.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        let is_logic = |line: &&str| {
            let line = line.trim_start();
            line.starts_with("fn ") || line.starts_with("pub fn ") || line.starts_with("impl")
        };
        assert_eq!(code(&text).find(is_logic), None, "{} holds logic", path.display());
    }
}

/// The functions of a file whose bodies are longer than they may be, with their lines.
fn too_long(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.iter().enumerate().filter(|(_, line)| is_head(line));
    heads
        .filter_map(|(start, line)| {
            let indent = &line[..line.len() - line.trim_start().len()];
            // rustfmt closes a body at the indentation of its head; a declaration without one ends
            // with a semicolon there.
            let is_end = |line: &&str| {
                let rest = line.strip_prefix(indent).unwrap_or(" ");
                rest == "}" || (rest.ends_with(';') && !rest.starts_with(' '))
            };
            let opens = lines[start..].iter().position(|line| line.ends_with('{'))?;
            let ends = lines[start..].iter().position(is_end)?;
            let body = ends.saturating_sub(opens + 1);
            let (_, name) = line.split_once("fn ")?;
            let name = name.split(['(', '<']).next()?;
            (body > FUNCTION_LINES_MAX).then(|| (name.to_owned(), body))
        })
        .collect()
}

/// Whether a line begins a function whose body is below it.
fn is_head(line: &str) -> bool {
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async"];
    let Some((before, _)) = line.split_once("fn ") else { return false };
    before.split_whitespace().all(|word| words.contains(&word)) && !line.ends_with(['}', ';'])
}

#[test]
fn no_function_outgrows_a_screen() {
    let mut found = Vec::new();
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap();
        found.extend(too_long(&text).into_iter().map(|long| (path.display().to_string(), long)));
    }
    assert!(found.is_empty(), "more than {FUNCTION_LINES_MAX} lines: {found:#?}");
}

#[test]
fn a_long_function_is_seen_and_a_short_one_is_not() {
    let body = |lines: usize| "    let x = 1;\n".repeat(lines);
    let function = |lines| format!("pub(crate) async fn long<T>() {{\n{}}}\n", body(lines));
    let check = |text: &str, lines: &[usize]| {
        let found: Vec<usize> = too_long(text).into_iter().map(|(_, lines)| lines).collect();
        assert_eq!(found, lines, "{text}");
    };
    check(&function(70), &[]);
    check(&function(71), &[71]);
    check(&format!("fn short() -> u32 {{ 1 }}\n{}", function(70)), &[]);
    check(&format!("fn told(\n    a: u32,\n) -> u32;\n{}", function(71)), &[71]);
    check(&format!("{}{}", function(40), function(40)), &[]);
}
