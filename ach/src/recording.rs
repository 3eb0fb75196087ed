//! Recordings of positions, as people have them: CSV with columns of any name, or omlox `Location`
//! objects as JSON lines.
//!
//! Reading is at the rim, so floats are allowed here and every value is checked: a line that cannot
//! be used is an error that names the line and says what to do. Nothing is skipped silently.

mod columns;
mod csv_lines;
mod omlox_lines;
mod short_lines;
mod stamp;
mod tag_names;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use ach_actors_model::{TagId, Timestamp};
use thiserror::Error;

pub(crate) use columns::{Columns, Unit};
pub(crate) use tag_names::TagNames;

/// Most rows of a recording. They are sorted in memory: 10 million of 72 bytes are 720 MB.
const ROWS_MAX: usize = 10_000_000;
/// Farthest from the site's origin in metres: 1,000 km, as of everything in a site.
const RANGE_M: f64 = 1e6;
/// Longest line in bytes, so that a file without line ends cannot fill the memory.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What some programs put before the first character of a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Where a row says the tag was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// Metres in the site frame.
    Local {
        /// East.
        x_m: f64,
        /// North.
        y_m: f64,
    },
    /// Degrees, WGS84.
    Wgs84 {
        /// East.
        lon_deg: f64,
        /// North.
        lat_deg: f64,
    },
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// When, in the recording's own time.
    pub(crate) at: Timestamp,
    /// The tag.
    pub(crate) tag: TagId,
    /// Where.
    pub(crate) place: Place,
    /// Height above the floor's slab.
    pub(crate) z_m: Option<f64>,
    /// Storey, may be a fraction.
    pub(crate) floor: Option<f64>,
    /// Radius of the circle that holds the tag.
    pub(crate) accuracy_m: Option<f64>,
}

/// Why a recording cannot be used.
#[derive(Debug, Error)]
pub(crate) enum RecordingError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A column is missing.
    #[error(
        "the recording has no column `{column}` (it has: {found}); map it with --columns {role}=NAME"
    )]
    Column {
        /// What it is for.
        role: &'static str,
        /// The name looked for.
        column: String,
        /// The names there.
        found: String,
    },
    /// Neither x and y nor lon and lat.
    #[error(
        "the recording has neither x and y nor lon and lat; map them with --columns x=NAME,y=NAME"
    )]
    NoPlace,
    /// The mapping is not understood.
    #[error(
        "--columns takes role=NAME pairs with commas between, and `{text}` is none; roles are time, tag, x, y, z, lon, lat, floor, accuracy"
    )]
    Mapping {
        /// The part.
        text: String,
    },
    /// A line cannot be used.
    #[error("line {line}: {what}; mend or remove the line")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Too many rows.
    #[error("the recording has more than {ROWS_MAX} rows; split it")]
    TooLong,
    /// Nothing in it.
    #[error("the recording has no rows")]
    Empty,
}

/// A whole recording, by time.
#[derive(Debug)]
pub(crate) struct Recording {
    /// Rows in order of time; rows of one time stay in the order of the file.
    pub(crate) rows: Vec<Row>,
    /// What it calls its tags.
    pub(crate) tag_names: TagNames,
}

impl Recording {
    /// Reads `path`: JSON lines if its first byte that is no space is `{`, else CSV.
    pub(crate) fn read(path: &Path, columns: &Columns) -> Result<Recording, RecordingError> {
        let failed = |source| RecordingError::File { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut reader = std::io::BufReader::new(file);
        let start = reader.fill_buf().map_err(failed)?;
        // Some programs begin a file with a byte order mark.
        let mark = if start.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        reader.consume(mark);
        let is_json = reader.fill_buf().map_err(failed)?.trim_ascii_start().starts_with(b"{");
        if is_json {
            Recording::from_omlox_lines(reader)
        } else {
            Recording::from_csv(reader, columns)
        }
    }

    /// Reads CSV.
    pub(crate) fn from_csv(
        reader: impl BufRead,
        columns: &Columns,
    ) -> Result<Recording, RecordingError> {
        let mut tag_names = TagNames::default();
        let rows = Recording::collect(csv_lines::rows(reader, columns, &mut tag_names)?)?;
        Ok(Recording { rows, tag_names })
    }

    /// Reads omlox `Location` objects, one a line.
    pub(crate) fn from_omlox_lines(reader: impl BufRead) -> Result<Recording, RecordingError> {
        let mut tag_names = TagNames::default();
        let rows = Recording::collect(omlox_lines::rows(reader, &mut tag_names))?;
        Ok(Recording { rows, tag_names })
    }

    /// How long it is, from its first row to its last.
    pub(crate) fn length_ns(&self) -> u64 {
        match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) => last.at.since_ns(first.at),
            _ => 0,
        }
    }

    /// Its tags, each once, ascending.
    pub(crate) fn tags(&self) -> Vec<TagId> {
        let mut tags: Vec<TagId> = self.rows.iter().map(|row| row.tag).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    fn collect(
        found: impl Iterator<Item = Result<Row, RecordingError>>,
    ) -> Result<Vec<Row>, RecordingError> {
        let mut rows = Vec::new();
        for row in found {
            if rows.len() == ROWS_MAX {
                return Err(RecordingError::TooLong);
            }
            rows.push(row?);
        }
        if rows.is_empty() {
            return Err(RecordingError::Empty);
        }
        rows.sort_by_key(|row: &Row| row.at);
        Ok(rows)
    }
}

/// A finite number within what a site can be, or what is wrong with it.
fn finite(role: &str, text: &str, limit: f64) -> Result<f64, String> {
    let value: f64 =
        text.trim().parse().map_err(|_| format!("{role} is `{text}`, which is no number"))?;
    if !value.is_finite() {
        return Err(format!("{role} is {value}, which is no position"));
    }
    if value.abs() > limit {
        return Err(format!("{role} is {value}, beyond {limit}"));
    }
    Ok(value)
}
