//! Entries as the journal keeps them: refused, or read as what they are written as.

#![no_main]

use ach_engine_wire::{decode_entry, encode_entry};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(entry) = decode_entry(input) else { return };
    let mut bytes = Vec::new();
    encode_entry(&entry, &mut bytes).expect("an entry that was read can be written");
    assert_eq!(decode_entry(&bytes).expect("an entry that was written can be read"), entry);
});
