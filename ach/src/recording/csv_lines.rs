//! Rows of a CSV file.

use std::io::BufRead;

use csv::StringRecord;

use super::short_lines::ShortLines;
use super::{Columns, Place, RANGE_M, RecordingError, Row, TagNames, finite, stamp};

/// Where each role is among the columns.
struct Layout {
    time: usize,
    tag: usize,
    place: PlaceColumns,
    z: Option<usize>,
    floor: Option<usize>,
    accuracy: Option<usize>,
    per_metre: f64,
}

enum PlaceColumns {
    Local(usize, usize),
    Wgs84(usize, usize),
}

/// The rows of `reader`, in the file's order. The first line names the columns.
pub(super) fn rows<'n, R: BufRead>(
    reader: R,
    columns: &Columns,
    tag_names: &'n mut TagNames,
) -> Result<impl Iterator<Item = Result<Row, RecordingError>> + use<'n, R>, RecordingError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(columns.delimiter)
        .trim(csv::Trim::All)
        .from_reader(ShortLines::new(reader));
    let header = reader.headers().map_err(|error| line_error(1, &error))?.clone();
    let layout = layout(&header, columns)?;
    Ok(reader.into_records().enumerate().map(move |(count, record)| {
        let line = u64::try_from(count).unwrap_or(u64::MAX).saturating_add(2);
        let record = record.map_err(|error| line_error(line, &error))?;
        let line = record.position().map_or(line, csv::Position::line);
        row(&record, &layout, tag_names).map_err(|what| RecordingError::Line { line, what })
    }))
}

fn line_error(line: u64, error: &csv::Error) -> RecordingError {
    let line = error.position().map_or(line, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} columns and the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    RecordingError::Line { line, what }
}

fn layout(header: &StringRecord, columns: &Columns) -> Result<Layout, RecordingError> {
    let find = |name: &str| header.iter().position(|column| column == name);
    let need = |role: &'static str, name: &str| {
        find(name).ok_or_else(|| RecordingError::Column {
            role,
            column: name.to_owned(),
            found: header.iter().collect::<Vec<_>>().join(", "),
        })
    };
    let local = find(&columns.x).zip(find(&columns.y));
    let wgs84 = find(&columns.lon).zip(find(&columns.lat));
    let place = match (local, wgs84) {
        (Some((x, y)), _) => PlaceColumns::Local(x, y),
        (None, Some((lon, lat))) => PlaceColumns::Wgs84(lon, lat),
        (None, None) => return Err(RecordingError::NoPlace),
    };
    Ok(Layout {
        time: need("time", &columns.time)?,
        tag: need("tag", &columns.tag)?,
        place,
        z: find(&columns.z),
        floor: find(&columns.floor),
        accuracy: find(&columns.accuracy),
        per_metre: columns.unit.per_metre(),
    })
}

fn row(record: &StringRecord, layout: &Layout, tag_names: &mut TagNames) -> Result<Row, String> {
    let text =
        |column: usize, role: &str| record.get(column).ok_or_else(|| format!("it has no {role}"));
    let length = |column: usize, role: &str| {
        let limit = RANGE_M * layout.per_metre;
        finite(role, text(column, role)?, limit).map(|value| value / layout.per_metre)
    };
    let optional = |column: Option<usize>, role: &str| match column {
        Some(column) if !text(column, role)?.is_empty() => length(column, role).map(Some),
        _ => Ok::<Option<f64>, String>(None),
    };
    let place = match layout.place {
        PlaceColumns::Local(x, y) => Place::Local { x_m: length(x, "x")?, y_m: length(y, "y")? },
        PlaceColumns::Wgs84(lon, lat) => Place::Wgs84 {
            lon_deg: finite("lon", text(lon, "lon")?, 180.0)?,
            lat_deg: finite("lat", text(lat, "lat")?, 90.0)?,
        },
    };
    let floor = match layout.floor.map(|column| text(column, "floor")).transpose()? {
        None | Some("") => None,
        Some(floor) => Some(finite("floor", floor, 300.0)?),
    };
    let tag = text(layout.tag, "tag")?;
    if tag.is_empty() {
        return Err("its tag is empty".to_owned());
    }
    Ok(Row {
        at: stamp::parse(text(layout.time, "time")?)?,
        tag: tag_names.tag(tag),
        place,
        z_m: optional(layout.z, "z")?,
        floor,
        accuracy_m: optional(layout.accuracy, "accuracy")?.filter(|accuracy| *accuracy >= 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Recording, Unit};
    use super::*;

    fn read(text: &str, columns: &Columns) -> Result<Recording, RecordingError> {
        Recording::from_csv(text.as_bytes(), columns)
    }

    #[test]
    fn columns_of_any_name_are_mapped() {
        let columns = Columns::default().mapped("time=t_s,tag=walk,x=x_m,y=y_m,z=z_m").unwrap();
        let text = "walk,t_s,x_m,y_m,z_m,floor\nb,5.0,14.0,21.8,1.3,0\na,1.0,-1,2,,1.5\n";
        let recording = read(text, &columns).unwrap();
        let [first, second] = recording.rows.as_slice() else { panic!("two rows") };
        assert_eq!(first.place, Place::Local { x_m: -1.0, y_m: 2.0 });
        assert_eq!((first.z_m, first.floor, first.accuracy_m), (None, Some(1.5), None));
        assert_eq!((second.z_m, second.tag), (Some(1.3), TagNames::default().tag("b")));
        assert_eq!(recording.tag_names.equipment_lines().len(), 3);
        assert_eq!(recording.length_ns(), 4_000_000_000);
    }

    #[test]
    fn millimetres_and_semicolons_are_read() {
        let mut columns = Columns::default().mapped("tag=id").unwrap();
        columns.unit = Unit::Mm;
        columns.delimiter = b';';
        let text = "id;x;y;z;time\n0x6733;1995;946;552;2019-05-16 10:24:06.577\n";
        let row = *read(text, &columns).unwrap().rows.first().unwrap();
        assert_eq!(row.place, Place::Local { x_m: 1.995, y_m: 0.946 });
        assert_eq!(row.z_m, Some(0.552));
    }

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let error = read(text, &Columns::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_bad_line_is_named_with_its_number_and_reason() {
        check_refused("time,tag,x,y\n1,a,1,2\n2,a,NaN,2\n", "line 3: x is NaN");
        check_refused("time,tag,x,y\n1,a,inf,2\n", "line 2: x is inf");
        check_refused("time,tag,x,y\n1,a,1e12,2\n", "beyond 1000000");
        check_refused("time,tag,x,y\n1,a,1000001,2\n", "beyond 1000000");
        check_refused("time,tag,x,y\n1,a,east,2\n", "no number");
        check_refused("time,tag,x,y\n1,,1,2\n", "tag is empty");
        check_refused("time,tag,x,y\n1,a,1\n", "line 2: it has 3 columns and the header has 4");
        let endless = format!("time,tag,x,y\n1,a,1,2\n1,{}", "a".repeat(200_000));
        check_refused(&endless, "more than 65536 bytes");
        check_refused("time,tag,lon,lat\n1,a,181,2\n", "beyond 180");
        check_refused("time,tag,x\n1,a,1\n", "neither x and y");
        check_refused("time,x,y\n1,1,1\n", "--columns tag=NAME");
        check_refused("time,tag,x,y\n", "no rows");
    }
}
