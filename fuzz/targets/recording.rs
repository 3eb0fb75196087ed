//! Recordings as people have them: any CSV or JSON lines end in rows within the limits or in an error
//! that names the line.
//!
//! The first byte chooses the format, the unit and what stands between the columns.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the command line uses more of its module")]

#[path = "../../ach/src"]
mod ach {
    pub(crate) mod recording;
}

use ach::recording::{Columns, Place, Recording, Unit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&first, text)) = input.split_first() else { return };
    let read = if first % 2 == 0 {
        Recording::from_omlox_lines(text)
    } else {
        let unit = [Unit::M, Unit::Cm, Unit::Mm][usize::from(first / 2) % 3];
        let delimiter = [b',', b';', b'\t'][usize::from(first / 8) % 3];
        Recording::from_csv(text, &Columns { unit, delimiter, ..Columns::default() })
    };
    let Ok(recording) = read else { return };
    assert!(!recording.rows.is_empty());
    assert!(recording.rows.is_sorted_by_key(|row| row.at));
    for row in &recording.rows {
        let (a, b) = match row.place {
            Place::Local { x_m, y_m } => (x_m, y_m),
            Place::Wgs84 { lon_deg, lat_deg } => (lon_deg, lat_deg),
        };
        assert!(a.is_finite() && b.is_finite(), "{row:?}");
        assert!(a.abs() <= 1e6 && b.abs() <= 1e6, "{row:?}");
    }
    drop(recording.tags());
});
