//! Reads a file, but not more of it than is sensible.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::{Origin, Report};
use crate::finding::FindingKind;

/// Largest file. A hospital of 100,000 tagged subjects takes about 15 MiB of TOML.
pub(crate) const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) file: Arc<str>,
    pub(crate) text: String,
}

/// Reads `relative` below `root`; what hinders it is reported.
pub(crate) fn read_text(root: &Path, relative: &str, report: &Report) -> Option<Text> {
    let file: Arc<str> = Arc::from(relative);
    let origin = Origin::new(&file, None, "");
    let fail = |problem: String, remedy: &str| {
        report.error(FindingKind::Unreadable, &origin, &problem, remedy);
    };
    let path = root.join(relative);
    // A pipe or device would be opened for ever.
    match std::fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() => {
            fail("it is no ordinary file".to_owned(), "put a text file there");
            return None;
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fail("the file is missing".to_owned(), "write it; `ach site new` shows an example");
            return None;
        }
        Err(error) => {
            fail(format!("cannot look at the file: {error}"), "check its permissions");
            return None;
        }
    }
    let mut bytes = Vec::new();
    let read =
        File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        fail(format!("cannot read the file: {error}"), "check its permissions");
        return None;
    }
    if u64::try_from(bytes.len()).is_ok_and(|count| count > FILE_BYTES_MAX) {
        let problem = format!("the file is larger than {} MiB", FILE_BYTES_MAX >> 20);
        report.error(FindingKind::TooLarge, &origin, &problem, "split the site");
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            // Some editors open a file with a byte order mark.
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Some(Text { file, text })
        }
        Err(error) => {
            let sound = error.utf8_error().valid_up_to();
            fail(format!("it is not UTF-8 text from byte {sound} on"), "save it as UTF-8");
            None
        }
    }
}
