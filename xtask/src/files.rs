//! The files that the checks read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::root;

/// Every Rust file.
pub(crate) fn source_files() -> Vec<PathBuf> {
    files_with_extension("rs")
}

/// Every file with that extension.
pub(crate) fn files_with_extension(extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files
}

/// Every file of that name.
pub(crate) fn files_named(name: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.retain(|path| path.file_name().is_some_and(|found| found == name));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_ours = !name.starts_with('.') && name != "target";
        if path.is_dir() && is_ours {
            collect(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}
