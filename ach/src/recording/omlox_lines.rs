//! Rows of omlox `Location` objects, one a line (omlox hub API 2.0.0, schema `Location`).

use std::io::{BufRead, Read};

use serde::Deserialize;

use super::{LINE_BYTES_MAX, Place, RANGE_M, RecordingError, Row, TagNames, finite, stamp};

/// The fields of a `Location` that a position needs.
#[derive(Debug, Deserialize)]
struct Location {
    position: Point,
    provider_id: String,
    timestamp_generated: Option<String>,
    timestamp_sent: Option<String>,
    #[serde(default)]
    crs: Option<String>,
    #[serde(default)]
    accuracy: Option<f64>,
    #[serde(default)]
    floor: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Point {
    coordinates: Vec<f64>,
}

/// The rows of `reader`, in the file's order; empty lines are passed over.
pub(super) fn rows(
    mut reader: impl BufRead,
    tag_names: &mut TagNames,
) -> impl Iterator<Item = Result<Row, RecordingError>> {
    let mut line = 0;
    std::iter::from_fn(move || {
        loop {
            line += 1;
            let mut text = String::new();
            let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let refuse = |what: String| Some(Err(RecordingError::Line { line, what }));
            match reader.by_ref().take(limit).read_line(&mut text) {
                Ok(0) => return None,
                Ok(bytes) if bytes == LINE_BYTES_MAX && !text.ends_with('\n') => {
                    return refuse(format!("it has more than {LINE_BYTES_MAX} bytes"));
                }
                Ok(_) if text.trim().is_empty() => {}
                Ok(_) => {
                    return Some(
                        row(&text, tag_names).map_err(|what| RecordingError::Line { line, what }),
                    );
                }
                Err(error) => return refuse(error.to_string()),
            }
        }
    })
}

fn row(text: &str, tag_names: &mut TagNames) -> Result<Row, String> {
    let location: Location =
        serde_json::from_str(text).map_err(|error| format!("it is no omlox Location: {error}"))?;
    let time = location
        .timestamp_generated
        .or(location.timestamp_sent)
        .ok_or("it has neither timestamp_generated nor timestamp_sent")?;
    let coordinate = |index: usize| location.position.coordinates.get(index).copied();
    let (first, second) =
        coordinate(0).zip(coordinate(1)).ok_or("its position has no 2 numbers")?;
    let place = match location.crs.as_deref() {
        None | Some("local") => Place::Local {
            x_m: finite("x", &first.to_string(), RANGE_M)?,
            y_m: finite("y", &second.to_string(), RANGE_M)?,
        },
        Some("EPSG:4326") => Place::Wgs84 {
            lon_deg: finite("lon", &first.to_string(), 180.0)?,
            lat_deg: finite("lat", &second.to_string(), 90.0)?,
        },
        Some(other) => {
            return Err(format!("its crs is `{other}`; convert it to local or EPSG:4326"));
        }
    };
    Ok(Row {
        at: stamp::parse(&time)?,
        tag: tag_names.tag(&location.provider_id),
        place,
        z_m: coordinate(2),
        floor: location.floor,
        accuracy_m: location.accuracy.filter(|accuracy| *accuracy >= 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Recording;
    use super::*;

    const GOOD: &str = r#"{"position":{"type":"Point","coordinates":[1.5,2.5]},"source":"z","provider_type":"uwb","provider_id":"00124B0001A2B3C4","timestamp_generated":"2026-01-01T00:00:00.000Z","floor":1.5,"accuracy":0.3}"#;

    #[test]
    fn locations_are_read_and_empty_lines_passed_over() {
        let text = format!("{GOOD}\n\n{GOOD}\n");
        let recording = Recording::from_omlox_lines(text.as_bytes()).unwrap();
        assert_eq!(recording.rows.len(), 2);
        let row = recording.rows[0];
        assert_eq!(row.place, Place::Local { x_m: 1.5, y_m: 2.5 });
        assert_eq!((row.floor, row.accuracy_m), (Some(1.5), Some(0.3)));
    }

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let error = Recording::from_omlox_lines(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_bad_location_is_named_with_its_line_and_reason() {
        check_refused("{}\n", "line 1: it is no omlox Location");
        check_refused(&GOOD.replace("[1.5,2.5]", "[1.5]"), "no 2 numbers");
        check_refused(&GOOD.replace("\"floor\"", "\"crs\":\"EPSG:25832\",\"floor\""), "convert it");
        check_refused(&GOOD.replace("2026-01-01T00:00:00.000Z", "soon"), "neither a number");
        check_refused(&GOOD.replace("1.5,2.5", "1.5,1e999"), "line 1");
        check_refused(&"x".repeat(LINE_BYTES_MAX + 1), "more than");
    }
}
