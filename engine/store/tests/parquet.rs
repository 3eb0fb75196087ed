//! Parquet files: the bytes that the official reader was seen to read stay as they are.

#![allow(clippy::unwrap_used, reason = "everything here is a test, also what is not marked as one")]

use ach_engine_store::{Cell, ColumnKind, ParquetWriter};

const COLUMNS: [(&str, ColumnKind); 4] = [
    ("tag", ColumnKind::Text),
    ("observed_at", ColumnKind::Moment),
    ("x_mm", ColumnKind::Int),
    ("floor", ColumnKind::Double),
];

fn table(rows: i32) -> Vec<u8> {
    let mut writer = ParquetWriter::begin(Vec::new(), &COLUMNS).unwrap();
    for row in 0..rows {
        let tag = format!("00124B00000000{:02X}", row % 256);
        let moment = 1_795_334_400_000_000_000 + i64::from(row);
        let floor = (row % 3 != 1).then_some(Cell::Double(f64::from(row % 5) / 2.0));
        let cells =
            [Some(Cell::Text(&tag)), Some(Cell::Moment(moment)), Some(Cell::Int(-row)), floor];
        writer.row(&cells).unwrap();
    }
    writer.finish().unwrap()
}

/// The checksums are of files that pyarrow and the crate `parquet` read back value for value; see
/// docs/specs/store.md. A change of the writer is to be read back again.
#[test]
fn tables_stay_readable() {
    for (rows, checksum) in [(0, EMPTY), (3, THREE), (70_000, MANY)] {
        let table = table(rows);
        assert!(table.starts_with(b"PAR1") && table.ends_with(b"PAR1"));
        let found = crc32c::crc32c(&table);
        assert_eq!(found, checksum, "{rows} rows, {} bytes: {found:#010x}", table.len());
    }
}

const EMPTY: u32 = 0x5b90_348e;
const THREE: u32 = 0xd235_fcce;
const MANY: u32 = 0x831d_82f6;

#[test]
fn a_row_that_does_not_fit_is_refused() {
    let mut writer = ParquetWriter::begin(Vec::new(), &COLUMNS).unwrap();
    assert!(writer.row(&[]).is_err());
    let mixed = [Some(Cell::Int(1)), None, None, None];
    assert!(writer.row(&mixed).is_err());
    writer.row(&[None, None, None, None]).unwrap();
}
