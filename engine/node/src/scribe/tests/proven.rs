//! A version of the site is proven once, and what is not that version is never taken for it.

use super::*;
use crate::proven_sites::ProvenSites;
use crate::restore::prove;

/// A site is compiled when it is first read back, not with each checkpoint; and another one under its
/// number is compiled, and found out.
#[test]
fn a_site_that_was_proven_is_not_compiled_again_and_a_changed_one_is_found() {
    let (disk, floor) = (SimDisk::new(8, 64 << 20), Arc::new(JournalFloor::new()));
    let mut rig = rig(on_disk(&disk, &floor), policy(8));
    rig.step(vec![change(1)]);
    let (first, second) = (rig.checkpoint(), rig.checkpoint());
    let mut proven = ProvenSites::default();
    for index in [first, second, first] {
        prove(&disk, index, &kek(), &mut proven).unwrap();
        assert_eq!(proven.compiled_count(), 1, "entry {index}");
    }
    // Each byte of the site's sections, changed under the true seal.
    let mut sections = Vec::new();
    let seal = ach_engine_checkpoint::read(&disk, second, &kek(), &mut |section| {
        sections.push((section.kind, section.body.to_vec()));
        true
    });
    let seal = seal.unwrap();
    let places = |(number, (kind, body)): (usize, &(u32, Vec<u8>))| {
        let count = if *kind == kind::SITE { body.len() } else { 0 };
        (0..count).map(move |place| (number, place))
    };
    let places: Vec<_> = sections.iter().enumerate().flat_map(places).step_by(7).collect();
    assert!(places.len() > 20, "{}", places.len());
    for (number, place) in places {
        let changed = SimDisk::new(9, 64 << 20);
        let mut draft = Draft::begin(changed.clone(), &kek(), 0, second, 0).unwrap();
        for (at, (kind, body)) in sections.iter().enumerate() {
            let mut body = body.clone();
            if at == number {
                body[place] ^= 1;
            }
            draft.section(*kind, &mut body).unwrap();
        }
        draft.finish(&seal).unwrap();
        let found = prove(&changed, second, &kek(), &mut proven);
        assert!(found.is_err(), "byte {place} of section {number}");
    }
    let before = proven.compiled_count();
    assert!(before > 1, "other bytes are not taken for those that were proven");
    prove(&disk, second, &kek(), &mut proven).unwrap();
    assert_eq!(proven.compiled_count(), before, "what was proven is known still");
    // Another version is another site.
    rig.step(vec![change(2)]);
    let third = rig.checkpoint();
    prove(&disk, third, &kek(), &mut proven).unwrap();
    assert_eq!(proven.compiled_count(), before + 1);
}
