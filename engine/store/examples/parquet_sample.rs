//! Writes the tables of the Parquet tests to a folder, to read them with another program.
//!
//! ```console
//! cargo run -p ach-engine-store --example parquet_sample -- FOLDER
//! python3 -c "import pyarrow.parquet as p; print(p.read_table('FOLDER/70000.parquet').to_pandas())"
//! ```

use ach_engine_store::{Cell, ColumnKind, ParquetWriter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    for rows in [0, 3, 70_000] {
        let file = std::fs::File::create(format!("{folder}/{rows}.parquet"))?;
        let columns = [
            ("tag", ColumnKind::Text),
            ("observed_at", ColumnKind::Moment),
            ("x_mm", ColumnKind::Int),
            ("floor", ColumnKind::Double),
        ];
        let mut writer = ParquetWriter::begin(std::io::BufWriter::new(file), &columns)?;
        for row in 0..rows {
            let tag = format!("00124B00000000{:02X}", row % 256);
            let moment = 1_795_334_400_000_000_000 + i64::from(row);
            let floor = (row % 3 != 1).then_some(Cell::Double(f64::from(row % 5) / 2.0));
            let cells =
                [Some(Cell::Text(&tag)), Some(Cell::Moment(moment)), Some(Cell::Int(-row)), floor];
            writer.row(&cells)?;
        }
        writer.finish()?;
    }
    Ok(())
}
