//! Checkpoints: a file that was changed anywhere is refused or says what was written, with a key and
//! without; and whatever the pieces in one say, they are refused or make a shard whose own checkpoint makes
//! the same shard again.
//!
//! The first byte: in three, 0 is changes of the file that version 1 wrote (with bit 7 set its checksums are
//! made right again), 1 is pieces for a shard, 2 is the head of one.

#![no_main]

#[path = "../changes.rs"]
mod changes;

use std::cell::LazyCell;
use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::Timestamp;
use ach_engine_checkpoint::{name_of, read_file, verify};
use ach_engine_journal::{Kek, SimDisk};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Restoration, Shard, ShardHead};
use ach_engine_site::{SiteDirectory, write_example};
use ach_engine_wire::{decode_piece, decode_state, encode_piece, encode_state, split_pieces};
use libfuzzer_sys::fuzz_target;

const FILE: &[u8] =
    include_bytes!("../../engine/checkpoint/tests/fixtures/v1/0000000000000007.ckpt");
const INDEX: u64 = 7;

/// The key the file was written with.
fn kek() -> Kek {
    Kek::from_bytes(&[42; 32]).expect("a key")
}

/// Sections of a file as they are read.
type Sections = Vec<(u32, Vec<u8>)>;

fn sections(bytes: &[u8]) -> Option<Sections> {
    let mut found = Sections::new();
    let read = read_file(bytes, INDEX, &kek(), &mut |section| {
        found.push((section.kind, section.body.to_vec()));
        true
    });
    read.ok().map(|_| found)
}

/// A shard on the small example's site.
struct Begun {
    head: ShardHead,
    sites: Vec<Arc<Site>>,
}

impl Begun {
    fn new() -> Begun {
        let folder = tempfile::tempdir().expect("a folder");
        write_example(&folder.path().join("site")).expect("an example");
        let reading = SiteDirectory::read(&folder.path().join("site")).expect("a site");
        let config = reading.directory.config(1).expect("a site without mistakes");
        let mut shard = Shard::new();
        let entry = Entry {
            index: 1,
            at: Timestamp(1_763_798_400_000_000_000),
            site_version: 0,
            logic_version: LOGIC_VERSION,
            inputs: vec![Input::SiteChange(Box::new(config))],
            effects_hash: 0,
        };
        shard.step(&entry, &mut Vec::new());
        let sites = shard.site().cloned().into_iter().collect();
        Begun { head: shard.begin_checkpoint(), sites }
    }
}

thread_local! {
    static BEGUN: LazyCell<Begun> = LazyCell::new(Begun::new);
    static WRITTEN: LazyCell<Sections> = LazyCell::new(|| sections(FILE).expect("it is whole"));
}

fn change(input: &[u8], is_mended: bool) {
    let mut files = [("it", FILE.to_vec())];
    changes::apply(input, &mut files);
    let [(_, mut bytes)] = files;
    if is_mended {
        changes::mend(&mut bytes, 0, 252, 252);
        let mut at = 256;
        while let Some(length) = bytes.get(at + 32..at + 36).and_then(|it| it.first_chunk()) {
            let length = usize::try_from(u32::from_le_bytes(*length)).expect("32 bits fit");
            let body = (at + 48, at.saturating_add(64).saturating_add(length));
            changes::mend(&mut bytes, body.0, body.1, at + 36);
            changes::mend(&mut bytes, at, at + 44, at + 44);
            at = body.1;
        }
    }
    let found = sections(&bytes);
    let without_key = verify(&SimDisk::holding(&[(&name_of(INDEX), &bytes)]), INDEX);
    if let Some(found) = found {
        assert!(without_key.is_ok(), "what a key opens is whole without one as well");
        WRITTEN.with(|written| assert_eq!(found, **written, "nobody without the key writes this"));
    }
}

fn pieces(input: &[u8]) {
    let mut found = Vec::new();
    if split_pieces(input, &mut |piece| found.push(piece)).is_err() {
        return;
    }
    BEGUN.with(|begun| {
        let restored = Restoration::begin(begun.head.clone(), &begun.sites);
        let mut restoration = restored.expect("the head of a shard");
        for piece in found {
            let Ok(piece) = decode_piece(piece) else { return };
            if restoration.take(piece).is_err() {
                return;
            }
        }
        let mut shard = restoration.finish();
        let told = told(&mut shard);
        let mut again =
            Restoration::begin(begun.head.clone(), &begun.sites).expect("the head of a shard");
        split_pieces(&told, &mut |piece| {
            let piece = decode_piece(piece).expect("a piece that was written can be read");
            again.take(piece).expect("and be taken");
        })
        .expect("pieces that were written");
        assert_eq!(self::told(&mut again.finish()), told);
    });
}

/// All pieces of a shard.
fn told(shard: &mut Shard) -> Vec<u8> {
    let mut told = Vec::new();
    shard.begin_checkpoint();
    while !shard.checkpoint_slice(&mut |piece| {
        encode_piece(&piece, &mut told).expect("a piece that was taken can be written");
    }) {}
    told
}

fn head(input: &[u8]) {
    let Ok(head) = decode_state::<ShardHead>(input, "head") else { return };
    let mut bytes = Vec::new();
    encode_state(&head, &mut bytes).expect("a head that was read can be written");
    assert_eq!(decode_state::<ShardHead>(&bytes, "head").ok().as_ref(), Some(&head));
    BEGUN.with(|begun| drop(Restoration::begin(head, &begun.sites)));
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    match first % 128 % 3 {
        0 => change(rest, first & 128 != 0),
        1 => pieces(rest),
        _ => head(rest),
    }
});
