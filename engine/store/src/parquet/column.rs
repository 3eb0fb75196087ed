//! One column: its cells until they make a page.

use super::thrift::Thrift;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, UTF-8.
    Text,
    /// Whole numbers of 32 bits.
    Int,
    /// Whole numbers of 64 bits.
    Long,
    /// Decimal numbers.
    Double,
    /// Moments: nanoseconds since 1970 UTC.
    Moment,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number.
    Int(i32),
    /// A whole number.
    Long(i64),
    /// A decimal number.
    Double(f64),
    /// Nanoseconds since 1970 UTC.
    Moment(i64),
}

/// `Encoding`: PLAIN for values, RLE for what is missing.
const PLAIN: i32 = 0;
const RLE: i32 = 3;

#[derive(Debug)]
pub(super) struct Column {
    name: String,
    kind: ColumnKind,
    values: Vec<u8>,
    /// Whether each row has a value.
    has_value: Vec<bool>,
}

impl Column {
    pub(super) fn new(name: &str, kind: ColumnKind) -> Column {
        Column { name: name.to_owned(), kind, values: Vec::new(), has_value: Vec::new() }
    }

    /// Whether a cell is of this column's kind.
    pub(super) fn takes(&self, cell: Option<&Cell<'_>>) -> bool {
        let kind = match cell {
            None => return true,
            Some(Cell::Text(_)) => ColumnKind::Text,
            Some(Cell::Int(_)) => ColumnKind::Int,
            Some(Cell::Long(_)) => ColumnKind::Long,
            Some(Cell::Double(_)) => ColumnKind::Double,
            Some(Cell::Moment(_)) => ColumnKind::Moment,
        };
        kind == self.kind
    }

    pub(super) fn push(&mut self, cell: Option<&Cell<'_>>) {
        self.has_value.push(cell.is_some());
        match cell {
            None => {}
            Some(Cell::Text(text)) => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                self.values.extend_from_slice(&length.to_le_bytes());
                self.values.extend_from_slice(text.as_bytes());
            }
            Some(Cell::Int(value)) => self.values.extend_from_slice(&value.to_le_bytes()),
            Some(Cell::Double(value)) => self.values.extend_from_slice(&value.to_le_bytes()),
            Some(Cell::Long(value) | Cell::Moment(value)) => {
                self.values.extend_from_slice(&value.to_le_bytes());
            }
        }
    }

    /// The page of the rows so far: header, levels, values.
    pub(super) fn take_page(&mut self, rows: usize) -> Vec<u8> {
        let levels = levels(&std::mem::take(&mut self.has_value));
        let values = std::mem::take(&mut self.values);
        let length = levels.len().saturating_add(4).saturating_add(values.len());
        let number = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
        // `PageHeader`: a data page, not compressed.
        let mut header = Thrift::default();
        header.i32(1, 0);
        header.i32(2, number(length));
        header.i32(3, number(length));
        header.struct_field(5);
        header.i32(1, number(rows));
        header.i32(2, PLAIN);
        header.i32(3, RLE);
        header.i32(4, RLE);
        header.struct_end();
        let mut page = header.finish();
        page.extend_from_slice(&u32::try_from(levels.len()).unwrap_or(u32::MAX).to_le_bytes());
        page.extend_from_slice(&levels);
        page.extend_from_slice(&values);
        page
    }

    /// `Type`.
    fn physical(&self) -> i32 {
        match self.kind {
            ColumnKind::Int => 1,
            ColumnKind::Long | ColumnKind::Moment => 2,
            ColumnKind::Double => 5,
            ColumnKind::Text => 6,
        }
    }

    /// `SchemaElement`, optional.
    pub(super) fn put_schema(&self, meta: &mut Thrift) {
        meta.i32(1, self.physical());
        meta.i32(3, 1);
        meta.text(4, &self.name);
        match self.kind {
            ColumnKind::Text => {
                // `ConvertedType` UTF8, and `LogicalType` STRING.
                meta.i32(6, 0);
                meta.struct_field(10);
                meta.struct_field(1);
                meta.struct_end();
                meta.struct_end();
            }
            ColumnKind::Moment => {
                // `LogicalType` TIMESTAMP, adjusted to UTC, `TimeUnit` NANOS.
                meta.struct_field(10);
                meta.struct_field(8);
                meta.bool(1, true);
                meta.struct_field(2);
                meta.struct_field(3);
                meta.struct_end();
                meta.struct_end();
                meta.struct_end();
                meta.struct_end();
            }
            ColumnKind::Int | ColumnKind::Long | ColumnKind::Double => {}
        }
    }

    /// `ColumnMetaData`.
    pub(super) fn put_chunk(&self, meta: &mut Thrift, rows: i64, offset: i64, bytes: i64) {
        meta.i32(1, self.physical());
        meta.list_of_i32(2, &[PLAIN, RLE]);
        meta.list_of_texts(3, &[&self.name]);
        meta.i32(4, 0);
        meta.i64(5, rows);
        meta.i64(6, bytes);
        meta.i64(7, bytes);
        meta.i64(9, offset);
    }
}

/// Which rows have a value, as runs of ones and zeros (the RLE half of Parquet's hybrid, width 1).
fn levels(has_value: &[bool]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in has_value.chunk_by(|a, b| a == b) {
        crate::coding::put_varint(u64::try_from(run.len()).unwrap_or(0) << 1, &mut out);
        out.push(u8::from(run.first() == Some(&true)));
    }
    out
}
