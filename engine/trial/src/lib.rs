//! What tests ask of the machine they run on: a small file system of their own. A machine that has it not
//! leaves tests out, which is said aloud, and fails where nothing may be left out.

mod skip;
mod small_disk;

pub use skip::skipped;
pub use small_disk::{on_small_disk, resize};
