//! Writes the journal that is kept, for every version of the format, in `tests/fixtures`.
//!
//! A kept fixture is never written again: it shows that what an old program wrote is still read.
//!
//! ```console
//! $ cargo run -p ach-engine-journal --example journal_golden -- engine/journal/tests/fixtures/v1
//! ```

use std::error::Error;

use ach_engine_journal::{Config, FileDisk, Journal, Kek, RecordKind};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder to write to")?;
    let disk = FileDisk::create(&folder)?;
    let config = Config { segment_bytes: 16 << 10, group_bytes_max: 4 << 10, reserve_bytes: 0 };
    let key: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap_or(0));
    let open = || {
        Journal::open(disk.clone(), config, Kek::from_bytes(&key)?, &mut |_| {})
            .map_err(Box::<dyn Error>::from)
    };

    let (mut first, _) = open()?;
    first.append(RecordKind::Vote, 3, 7, 0, b"for node 2")?;
    first.append(RecordKind::Entry, 3, 7, 100, b"a ping of tag 4711")?;
    first.commit()?;
    first.append(RecordKind::Committed, 3, 7, 100, b"")?;
    first.close()?;

    let (mut second, _) = open()?;
    second.append(RecordKind::Truncate, 4, 8, 50, b"")?;
    second.append(RecordKind::Purge, u32::MAX, u64::MAX, u64::MAX, &[255; 100])?;
    second.close()?;
    std::fs::remove_file(disk.folder().join("lock"))?;
    Ok(())
}
