//! The commented example that `ach site new` writes.

use std::path::Path;

use crate::WriteError;
use crate::write::write_files;

const FILES: &[(&str, &str)] = &[
    ("site.toml", include_str!("../example/site.toml")),
    ("people.toml", include_str!("../example/people.toml")),
    ("equipment.toml", include_str!("../example/equipment.toml")),
    ("rules.toml", include_str!("../example/rules.toml")),
    ("floors/ground.geojson", include_str!("../example/floors/ground.geojson")),
];

/// Writes a small commented site into a new or empty folder; it passes its check without a finding.
///
/// # Errors
///
/// The folder holds something already, or the disk refuses.
pub fn write_example(root: &Path) -> Result<(), WriteError> {
    write_files(root, FILES.iter().copied())
}
