//! Tables of persons as hospitals write them, and lists of who is to be erased: any bytes end in persons, each once
//! and within the limits, or in an error that names the line and nobody.

#![no_main]

#[path = "../../ach/src/commands/person/erased_list.rs"]
mod erased_list;
#[path = "../../ach/src/commands/person/table.rs"]
mod table;

use std::collections::BTreeSet;

use ach_engine_store::{LINKS_MAX, Person};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(error) = erased_list::parse(input) {
        let text = error.to_string();
        assert!(text.starts_with("line ") && text.ends_with("; nobody is erased"), "{text}");
        assert!(text.len() < 200, "it repeats what it read: {text}");
    }
    let persons = match table::parse(input) {
        Ok(persons) => persons,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("line ") && text.ends_with("; nothing is kept"), "{text}");
            assert!(text.len() < 200, "it repeats what it read: {text}");
            return;
        }
    };
    let mut ids = BTreeSet::new();
    for (id, Person { name, links }) in persons {
        assert!(ids.insert(id), "an id that is there twice");
        assert!(!name.is_empty() && links.len() <= LINKS_MAX);
        let systems: BTreeSet<&str> = links.iter().map(|link| link.system.as_str()).collect();
        assert_eq!(systems.len(), links.len(), "two numbers in one system");
        assert!(links.iter().all(|link| !link.system.is_empty() && !link.number.is_empty()));
    }
});
