//! Fixed stories have fixed hashes and ids: a difference here is a difference between replicas of
//! two builds, and from the first release on needs a new logic version.

use ach_actors_entities::{Accepted, Effect};
use ach_actors_model::{
    Escort, Event, EventKind, Lane, Pass, PassEnd, PassNotice, Place, Remark, SourceRef,
    SubjectRef, TagRef, Timestamp, ZoneRef,
};

use super::hospital::name;
use super::play::play;
use super::script::Script;
use crate::digest::Digest;

#[track_caller]
fn check(effects: &[Effect], expected: u64) {
    let actual = Digest::default().of(effects);
    assert_eq!(actual, expected, "{actual:#018x} of {effects:?}");
}

#[test]
fn the_bytes_of_effects_are_those_of_the_specification() {
    let accepted = Accepted {
        source: SourceRef(1),
        lane: Lane::Ping,
        epoch: 2,
        through_seq: 3,
        accepted_count: 4,
        duplicate_count: 5,
        late_count: 6,
        refused_count: 7,
        conflated_count: 8,
    };
    let entered = EventKind::ZoneEntered {
        subject: SubjectRef(1),
        zone: ZoneRef(2),
        tag: TagRef(3),
        occupant_count: 4,
    };
    let event = Effect::Event(Event { at: Timestamp(9), kind: entered });
    let bytes = |bytes: &[u8]| twox_hash::XxHash3_64::oneshot(bytes);
    check(&[], 0x2d06_8005_38d3_94c2);
    check(&[Effect::SiteInForce { version: 1 }], bytes(&[4, 1, 0, 0, 0]));
    check(&[Effect::SiteRefused { version: 258 }], bytes(&[5, 2, 1, 0, 0]));
    let opened = Effect::EpochOpened { source: SourceRef(7), epoch: 1 };
    check(&[opened], bytes(&[6, 7, 0, 0, 0, 1, 0, 0, 0]));
    let accepted_bytes = [
        &[3, 1, 0, 0, 0, 3, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0][..],
        &[6, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0],
    ]
    .concat();
    check(&[Effect::Accepted(accepted)], bytes(&accepted_bytes));
    let event_bytes =
        [2, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
    check(std::slice::from_ref(&event), bytes(&event_bytes));
    let both = [&accepted_bytes[..], &event_bytes[..]].concat();
    check(&[Effect::Accepted(accepted), event], bytes(&both));
}

#[test]
fn the_bytes_of_leave_are_those_of_the_specification() {
    let pass = Pass {
        subject: SubjectRef(1),
        places: vec![Place::Zone(ZoneRef(2))],
        given_at: Timestamp(3),
        until: Timestamp(4),
        is_until_back: true,
        escort: Some(Escort { subject: SubjectRef(5), within_mm: 6, gap_ns: 7 }),
        by: name("n"),
        reason: Remark::new("why").expect("plain"),
    };
    let changed_at = Timestamp(8);
    let given = Effect::Pass(PassNotice { pass: pass.clone().into(), end: None, changed_at });
    let rest = [
        &[8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &[1, 0, 1, 2, 0, 0, 0, 1, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, b'n', 3, 0, b'w', b'h', b'y'],
    ]
    .concat();
    let bytes = |head: &[u8]| twox_hash::XxHash3_64::oneshot(&[head, &rest].concat());
    check(&[given], bytes(&[10, 1, 0, 0, 0, 0]));
    let over = PassNotice { pass: pass.into(), end: Some(PassEnd::CameBack), changed_at };
    check(&[Effect::Pass(over)], bytes(&[10, 1, 0, 0, 0, 1, 2]));
}

#[test]
fn a_fixed_story_has_fixed_hashes() {
    let story = Script::told(
        "1 anna at 3,1
         2 anna at 3,-1 acc=0.5
         3 sam presses
         4 door exit opens
         5 anchor a1 lost
         30 tick
         31 anna at 3,1 battery=3",
    );
    let played = play(&story.entries);
    let hashes: Vec<String> = played.hashes.iter().map(|hash| format!("{hash:016x}")).collect();
    let ids: Vec<String> = played.notices().map(|notice| notice.id.to_string()).collect();
    assert_eq!(hashes, HASHES);
    assert_eq!(ids, IDS);
}

const HASHES: [&str; 8] = [
    "2c314bfae9d64305",
    "1a2b05216139885a",
    "c2600953456079d7",
    "e8c94f0805975223",
    "49a87c9174e009a3",
    "9528a6a7c12ac9e2",
    "87d4f8f3c017919c",
    "deda5e39f9499dd1",
];

const IDS: [&str; 8] = [
    "6ad1d3e0ddaa1a0d0925d6b41bcb5f27",
    "60778122bf6a4727f8636ac7ed894a6f",
    "d2afaf84ab4ab301ad663c9c0ea262b3",
    "d2c249f50bce7fc6412c7034aa2505b1",
    "9f0e51ea9d011cd5836135fe9251d8c2",
    "9f0e51ea9d011cd5836135fe9251d8c2",
    "1b18bd6a74dfb3c0ae7674f4a21adc8c",
    "6ad1d3e0ddaa1a0d0925d6b41bcb5f27",
];
