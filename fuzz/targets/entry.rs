//! Entries as the journal keeps them, and sites as operators offer them: refused, or read as what they are
//! written as. A site that reads is compiled, as a node does with one that it is offered.

#![no_main]

use ach_actors_entities::Site;
use ach_engine_wire::{decode_entry, decode_site, encode_entry, encode_site};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(site) = decode_site(input) {
        let bytes = encode_site(&site).expect("a site that was read can be written");
        assert_eq!(decode_site(&bytes).expect("a site that was written can be read"), site);
        drop(Site::compile(None, &site));
    }
    let Ok(entry) = decode_entry(input) else { return };
    let mut bytes = Vec::new();
    encode_entry(&entry, &mut bytes).expect("an entry that was read can be written");
    assert_eq!(decode_entry(&bytes).expect("an entry that was written can be read"), entry);
});
