//! What a job leaves behind: the same results for people, programs and browsers.

use std::fs;
use std::path::Path;

use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use crate::failure::Failure;

/// Writes results as `name.txt`, `name.json` and, if there is a page, `name.html` into the folder below `out` of
/// the program and the machine they are from.
pub(crate) fn write(
    out: &Path,
    provenance: &Provenance,
    name: &str,
    text: &str,
    json: &impl Serialize,
    page: Option<&str>,
) -> Result<(), Failure> {
    let folder = out.join(provenance.folder());
    fs::create_dir_all(&folder)?;
    let file = |extension: &str| folder.join(format!("{name}.{extension}"));
    fs::write(file("txt"), text)?;
    fs::write(file("json"), format!("{}\n", serde_json::to_string_pretty(json)?))?;
    if let Some(page) = page {
        fs::write(file("html"), page)?;
    }
    println!("written to {}", folder.display());
    Ok(())
}
