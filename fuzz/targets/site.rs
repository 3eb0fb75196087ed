//! Site directories: any text in the place of any file ends in findings, or in a site that compiles.
//!
//! The first byte chooses the file of the small example that the rest takes the place of.

#![no_main]

use std::cell::LazyCell;
use std::fs;

use ach_engine_site::{SiteDirectory, write_example};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

const FILES: [&str; 7] = [
    "site.toml",
    "people.toml",
    "equipment.toml",
    "rules.toml",
    "floors/ground.geojson",
    "people.csv",
    "equipment.csv",
];

/// Longest text: what matters about a longer one is that it is refused, which tests show.
const BYTES_MAX: usize = 64 * 1024;

thread_local! {
    /// Memory if there is some: a disk would be most of what is waited for.
    static FOLDER: LazyCell<TempDir> = LazyCell::new(|| {
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a folder");
        write_example(&folder.path().join("site")).expect("an example");
        folder
    });
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, text)) = input.split_first() else { return };
    if text.len() > BYTES_MAX {
        return;
    }
    FOLDER.with(|folder| {
        let site = folder.path().join("site");
        let file = site.join(FILES[usize::from(first) % FILES.len()]);
        let before = fs::read(&file).ok();
        fs::write(&file, text).expect("room for a text");
        if let Ok(reading) = SiteDirectory::read(&site) {
            reading.directory.config(1).expect("a site that is accepted compiles");
        }
        match before {
            Some(before) => fs::write(&file, before).expect("room for a text"),
            None => fs::remove_file(&file).expect("a file that was written"),
        }
    });
});
