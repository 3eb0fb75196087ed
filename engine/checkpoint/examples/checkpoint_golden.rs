//! Writes the checkpoint that is kept as a fixture of this format:
//! `cargo run -p ach-engine-checkpoint --example checkpoint_golden DIR`.
//!
//! Run it for a new format, never for an old one: what was written stays as it is.

use std::error::Error;

use ach_engine_checkpoint::{Draft, Seal};
use ach_engine_journal::{FileDisk, Kek};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give a folder")?;
    let (index, kek) = (7_u64, Kek::from_bytes(&[42; 32])?);
    let mut draft = Draft::begin(FileDisk::create(folder)?, &kek, 0, index, 0)?;
    for at in 0..9_u64 {
        let length = usize::try_from((index * 7 + at * 131) % 9 * 3_000 % 40_001)?;
        let mut body = vec![u8::try_from((index + at) % 251)?; length];
        draft.section(u32::try_from(at % 5 + 1)?, &mut body)?;
    }
    let wide = u128::from(index) << 70;
    let lsn = index + 5;
    draft.finish(&Seal { index, lsn, entry_hash: wide, chain: wide + 1, state_hash: wide + 2 })?;
    Ok(())
}
