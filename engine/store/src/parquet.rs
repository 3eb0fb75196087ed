//! Tables as Apache Parquet files, version 1, without compression: what analysts' tools open as they
//! are (specification: `parquet.thrift` of apache/parquet-format 2.10, Thrift's compact protocol).
//!
//! The official crate builds for 50 s on two cores and brings 17 others; what is needed of it is one
//! direction of a small format. A file is written row group by row group, so it may be larger than
//! memory:
//!
//! ```text
//! "PAR1"  row group: for each column one page   ...   footer  its length u32  "PAR1"
//! ```

mod column;
mod thrift;

use std::io::{self, Write};

use self::column::Column;
pub use self::column::{Cell, ColumnKind};
use self::thrift::Thrift;

/// Rows of a group: a few MB in memory.
const GROUP_ROWS: usize = 65_536;

const MAGIC: &[u8; 4] = b"PAR1";

/// Who wrote it, as the format asks.
const CREATED_BY: &str = "HMS-ACH";

/// A row group that is written.
#[derive(Debug)]
struct Group {
    rows: i64,
    chunks: Vec<Chunk>,
}

/// A column of a row group.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    offset: i64,
    bytes: i64,
}

/// A table that is being written.
#[derive(Debug)]
pub struct ParquetWriter<W> {
    out: W,
    at: i64,
    columns: Vec<Column>,
    waiting: usize,
    groups: Vec<Group>,
}

impl<W: Write> ParquetWriter<W> {
    /// Begins a table of these columns; every one may be empty.
    ///
    /// # Errors
    ///
    /// When `out` refuses.
    pub fn begin(mut out: W, columns: &[(&str, ColumnKind)]) -> io::Result<ParquetWriter<W>> {
        out.write_all(MAGIC)?;
        let columns = columns.iter().map(|(name, kind)| Column::new(name, *kind)).collect();
        Ok(ParquetWriter { out, at: 4, columns, waiting: 0, groups: Vec::new() })
    }

    /// Adds a row: a cell for each column, `None` where there is nothing.
    ///
    /// # Errors
    ///
    /// When a cell is missing, of another kind than its column, or `out` refuses.
    pub fn row(&mut self, cells: &[Option<Cell<'_>>]) -> io::Result<()> {
        let fits = cells.len() == self.columns.len()
            && cells.iter().zip(&self.columns).all(|(cell, column)| column.takes(cell.as_ref()));
        if !fits {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a row does not fit its table",
            ));
        }
        for (cell, column) in cells.iter().zip(&mut self.columns) {
            column.push(cell.as_ref());
        }
        self.waiting += 1;
        if self.waiting >= GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    ///
    /// When `out` refuses.
    pub fn finish(mut self) -> io::Result<W> {
        if self.waiting > 0 {
            self.write_group()?;
        }
        let footer = self.footer();
        let length = u32::try_from(footer.len())
            .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "too many row groups"))?;
        self.out.write_all(&footer)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let mut chunks = Vec::new();
        for column in &mut self.columns {
            let page = column.take_page(rows);
            self.out.write_all(&page)?;
            let bytes = i64::try_from(page.len()).unwrap_or(i64::MAX);
            chunks.push(Chunk { offset: self.at, bytes });
            self.at = self.at.saturating_add(bytes);
        }
        self.groups.push(Group { rows: i64::try_from(rows).unwrap_or(i64::MAX), chunks });
        Ok(())
    }

    /// `FileMetaData`.
    fn footer(&self) -> Vec<u8> {
        let mut meta = Thrift::default();
        meta.i32(1, 1);
        meta.list_of_structs(2, self.columns.len() + 1);
        meta.struct_begin();
        meta.text(4, "rows");
        meta.i32(5, i32::try_from(self.columns.len()).unwrap_or(i32::MAX));
        meta.struct_end();
        for column in &self.columns {
            meta.struct_begin();
            column.put_schema(&mut meta);
            meta.struct_end();
        }
        meta.i64(3, self.groups.iter().map(|group| group.rows).sum());
        meta.list_of_structs(4, self.groups.len());
        for group in &self.groups {
            meta.struct_begin();
            meta.list_of_structs(1, group.chunks.len());
            for (column, chunk) in self.columns.iter().zip(&group.chunks) {
                meta.struct_begin();
                meta.i64(2, chunk.offset);
                meta.struct_field(3);
                column.put_chunk(&mut meta, group.rows, chunk.offset, chunk.bytes);
                meta.struct_end();
                meta.struct_end();
            }
            meta.i64(2, group.chunks.iter().map(|chunk| chunk.bytes).sum());
            meta.i64(3, group.rows);
            meta.struct_end();
        }
        meta.text(6, CREATED_BY);
        meta.finish()
    }
}
