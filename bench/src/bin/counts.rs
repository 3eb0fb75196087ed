//! Does one workload once, between two marks that an instruction counter sees: `counts NAME`. Without a name
//! it lists them with the pings each handles. `cargo xtask counts` runs it.

use std::error::Error;
use std::hint::black_box;

use ach_bench::{COUNTED, Counted};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(name) = std::env::args().nth(1) else {
        for name in COUNTED {
            println!("{name}");
        }
        return Ok(());
    };
    let mut counted = Counted::new(&name)?
        .ok_or_else(|| format!("there is no `{name}`; there are {COUNTED:?}"))?;
    let checksum = counted_work(&mut counted);
    println!("{} pings, checksum {checksum:016x}", counted.pings);
    Ok(())
}

/// What is counted. Its name is what the counter is told to begin and end at.
#[inline(never)]
fn counted_work(counted: &mut Counted) -> u64 {
    black_box(black_box(counted).work())
}
