//! What is known of a door when it is forced.

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmTransition, DoorEvidence, LockMark, PassMark, Timestamp,
};

use super::play::play;
use super::render::clock;
use super::script::Script;

/// What was known, as `granted 1-6, asked -, locked 2, near anna sam`.
fn words(known: &DoorEvidence, site: &Site) -> String {
    let pass = |pass: Option<PassMark>| {
        pass.map_or("-".to_owned(), |it| format!("{}-{}", clock(it.at), clock(it.until)))
    };
    let lock = |lock: Option<LockMark>| match lock {
        None => "no lock".to_owned(),
        Some(LockMark { at, is_drawn_back: true }) => format!("unlocked {}", clock(at)),
        Some(LockMark { at, is_drawn_back: false }) => format!("locked {}", clock(at)),
    };
    let mut text = format!(
        "granted {}, asked {}, {}, near",
        pass(known.granted),
        pass(known.requested),
        lock(known.lock)
    );
    for &subject in &known.near {
        text.extend([" ", site.subject_name(subject).expect("a subject")]);
    }
    text
}

/// Tells a story and compares what was known of each door that was forced.
#[track_caller]
fn check(story: &str, expected: &[&str]) {
    let played = play(&Script::told(story).entries);
    let site = played.shard.site().expect("a site");
    let forced = |it: &&AlarmNotice| it.kind == AlarmKind::DoorForced;
    let mut told = Vec::new();
    let mut last: Option<(Timestamp, DoorEvidence)> = None;
    for notice in played.notices().filter(forced) {
        let known = notice.door.as_deref().expect("a forced door tells what is known of it");
        if notice.transition == AlarmTransition::Raised {
            told.push(words(known, site));
        } else {
            let raised = last.as_ref().map(|(_, known)| known);
            assert_eq!(raised, Some(known), "what was known stays as it was");
        }
        last = Some((notice.changed_at, known.clone()));
    }
    assert_eq!(told, expected, "of the story{story}");
}

#[test]
fn a_forced_door_tells_what_could_have_been_leave_and_was_not() {
    check("1 door exit opens", &["granted -, asked -, no lock, near"]);
    check(
        "1 door exit grants=5
         2 door exit locks
         8 door exit asks=3
         12 door exit opens
         13 door exit closes",
        &["granted 1-6, asked 8-11, locked 2, near"],
    );
    // What came after it opened was not known of it, though it may be told before.
    check(
        "1 door exit unlocks
         2 door exit locks
         20 door exit grants=5
         21 door exit asks=5
         22 door exit opens seen=10",
        &["granted -, asked -, locked 2, near"],
    );
}

#[test]
fn who_is_near_a_door_on_either_side_of_it_is_told_the_nearest_first() {
    check(
        "1 anna at 5,9
         & sam at 5,-3
         & vera at 15,-9
         & baby at 5,30
         & nora at 6,8 floor=1
         2 door exit opens",
        &["granted -, asked -, no lock, near sam anna"],
    );
    // Of a door that was forced a while ago nobody knows who was there then.
    check(
        "1 anna at 5,9
         2 door exit opens seen=1
         3 door exit closes
         70 sam at 5,3
         71 door exit opens seen=10",
        &["granted -, asked -, no lock, near anna", "granted -, asked -, no lock, near"],
    );
    // Of who was not heard for a minute nobody knows where he is.
    check(
        "1 anna at 5,9
         50 sam at 5,3
         62 door exit opens",
        &["granted -, asked -, no lock, near sam"],
    );
}
