//! What happens when an actor fails, and when entries are not what they must be.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ach_actors_entities::{DoorInput, SubjectInput, TagInput, Turn, ZoneInput};
use ach_actors_model::{DoorRef, EntityRef, SubjectRef, TagRef, ZoneRef};

use super::play::{Played, play_with, run};
use super::script::Script;
use crate::call::Call;
use crate::{Entry, Shard};

/// A site numbers its zones by their ids: attic, drugs, lobby.
const LOBBY: ZoneRef = ZoneRef(2);

/// Anna's tag fails on pings west of the building.
fn tag_bug(call: &Call<'_>) -> bool {
    match call {
        Call::Tag(TagRef(0), TagInput::Ping { ping, .. }) => ping.position.x_mm < 0,
        _ => false,
    }
}

/// The lobby fails whenever somebody comes in.
fn lobby_bug(call: &Call<'_>) -> bool {
    matches!(call, Call::Zone(LOBBY, ZoneInput::Entered { .. }))
}

/// Anna fails when she is on the line between ward and lobby.
fn subject_bug(call: &Call<'_>) -> bool {
    match call {
        Call::Subject(SubjectRef(0), SubjectInput::Fix { fix, .. }) => fix.position.y_mm == -500,
        _ => false,
    }
}

/// Anna's tag fails in its deadline.
fn deadline_bug(call: &Call<'_>) -> bool {
    matches!(call, Call::Tag(TagRef(0), TagInput::Due { .. }))
}

/// The exit fails when the site changes.
fn site_bug(call: &Call<'_>) -> bool {
    matches!(call, Call::Door(DoorRef(0), DoorInput::SiteChanged { .. }))
}

/// Whether a zone is blind at the end.
fn is_blind(played: &Played, zone: ZoneRef) -> bool {
    let site = played.shard.site().expect("a site");
    let (health, now) = (&played.shard.stage.health, played.shard.entry_at());
    Turn { site, health, now }.is_blind(zone)
}

/// Tells a story with a bug planted, and compares the alarms it has.
#[track_caller]
fn check(bug: fn(&mut Shard), story: &str, expected: &[&str]) -> Played {
    let played = play_with(&Script::told(story).entries, bug);
    assert_eq!(played.alarms(), expected, "of the story{story}");
    played
}

#[test]
fn a_tag_that_panics_is_undone_and_set_aside_and_the_shard_goes_on() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(tag_bug),
        "1 anna at 1,5
         1.5 anna at -1,5
         2 anna at 2,5
         3 anna presses
         & sam presses
         4 sam at 3,5",
        &["1.500 raised ActorQuarantined anna", "3 raised Duress anna", "3 raised Duress sam"],
    );
    let status = played.shard.status();
    assert_eq!(status.quarantined, [EntityRef::Tag(TagRef(0))]);
    assert_eq!(status.set_aside_input_count, 3, "the ping it failed on, one more, and the button");
    assert_eq!((status.pings.accepted_count, status.reports.accepted_count), (4, 2));
    let fix = played.shard.fix(TagRef(0)).expect("the fix before");
    assert_eq!(fix.position.x_mm, 1_000, "its state is that before the panic");
}

#[test]
fn who_calls_for_help_while_set_aside_is_heard_once_a_kind() {
    check(
        |shard| shard.stage.actors.bug = Some(tag_bug),
        "1 anna at 1,5
         2 anna at -1,5
         3 anna presses
         4 anna presses
         5 anna is-cut
         6 release tag=0
         7 anna presses",
        &[
            "2 raised ActorQuarantined anna",
            "3 raised Duress anna",
            "5 raised BandCut anna",
            "6 cleared ActorQuarantined anna (Released)",
            "6 cleared Duress anna (Released)",
            "6 cleared BandCut anna (Released)",
            "7 raised Duress anna",
        ],
    );
}

#[test]
fn what_the_site_no_longer_has_is_set_aside_no_longer() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(tag_bug),
        "1 anna at 1,5
         2 anna at -1,5
         3 site no-anna-tag",
        &["2 raised ActorQuarantined anna", "3 cleared ActorQuarantined anna (Released)"],
    );
    assert!(played.shard.status().quarantined.is_empty());
}

#[test]
fn a_released_actor_works_again_and_a_second_failure_is_a_second_episode() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(tag_bug),
        "1 anna at 1,5
         2 anna at -1,5
         3 release tag=0
         4 anna at 2,5
         5 anna presses
         6 anna at -1,5
         7 anna resets
         8 release tag=0
         9 anna resets",
        &[
            "2 raised ActorQuarantined anna",
            "3 cleared ActorQuarantined anna (Released)",
            "5 raised Duress anna",
            "6 raised ActorQuarantined anna",
            "8 cleared ActorQuarantined anna (Released)",
            "9 cleared Duress anna (ConditionEnded)",
        ],
    );
    assert!(played.shard.status().quarantined.is_empty());
    let mut ids: Vec<_> = played.notices().map(|notice| notice.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "two quarantines and one duress");
}

#[test]
fn a_zone_that_panics_costs_nobody_an_alarm() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(lobby_bug),
        "1 anna at 3,1
         2 anna at 3,-1
         3 anna at 3,1",
        &[
            "2 raised ActorQuarantined - lobby",
            "2 raised Elopement anna ward",
            "3 cleared Elopement anna ward (ConditionEnded)",
        ],
    );
    let status = played.shard.status();
    assert_eq!(status.quarantined, [EntityRef::Zone(LOBBY)]);
    assert_eq!(status.set_aside_message_count, 2, "she came and went unseen by the lobby");
}

#[test]
fn a_subject_that_panics_is_set_aside_and_its_tag_still_has_a_position() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(subject_bug),
        "1 anna at 3,1
         2 anna at 3,-0.5
         3 anna at 3,-1
         4 anna at 3,-0.6",
        &["2 raised ActorQuarantined anna"],
    );
    assert_eq!(played.shard.fix(TagRef(0)).expect("a fix").position.y_mm, -600);
}

#[test]
fn a_panic_in_a_deadline_keeps_the_deadline_for_the_release() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(deadline_bug),
        "1 anna at 3,5
         12 sam at 3,5
         24 sam at 3,5
         36 sam at 3,5
         48 sam at 3,5
         49 release tag=0
         50 sam at 3,5",
        &[
            "36 raised ActorQuarantined anna",
            "49 cleared ActorQuarantined anna (Released)",
            "50 raised ActorQuarantined anna",
        ],
    );
    assert_eq!(played.shard.status().quarantined, [EntityRef::Tag(TagRef(0))]);
}

#[test]
fn a_released_zone_learns_who_came_and_went_and_what_it_cannot_see() {
    let played = check(
        |_| {},
        "1 vera at 3,-5
         2 sam at 4,-5
         3 hold zone=2
         & hold zone=1
         4 victor at 5,-5
         5 anna at 6,-5
         6 sam at 4,5
         7 anchor a1 lost
         8 release zone=2
         9 release zone=1",
        &[
            "3 raised ActorQuarantined - lobby",
            "3 raised ActorQuarantined - drugs",
            "7 raised ZoneBlind - a1",
            "8 cleared ActorQuarantined - lobby (Released)",
            "8 raised OverCapacity - lobby",
            "9 cleared ActorQuarantined - drugs (Released)",
        ],
    );
    let inside = [SubjectRef(0), SubjectRef(5), SubjectRef(6)];
    assert_eq!(played.shard.occupants(LOBBY), inside, "anna, vera and victor by their ids");
    assert!(is_blind(&played, ZoneRef(1)), "the drug store is blind");
}

#[test]
fn a_zone_that_is_set_aside_is_blind_all_the_same_while_its_feed_is_silent() {
    let played = check(
        |_| {},
        "1 site rtls-sees-drugs
         2 anna at 3,1
         3 hold zone=1
         30 tick
         31 release zone=1",
        &[
            "3 raised ActorQuarantined - drugs",
            "30 raised FeedSilent - rtls",
            "31 cleared ActorQuarantined - drugs (Released)",
        ],
    );
    assert!(is_blind(&played, ZoneRef(1)), "the drug store is blind");
}

#[test]
fn a_feeds_clock_is_compared_without_a_sign_of_life() {
    check(
        |_| {},
        "1 anna at 3,1
         2 clock behind=600
         20 clock ahead=700
         30 tick
         31 clock ahead=100
         32 anna at 3,1",
        &[
            "2 raised ClockSkewed - rtls",
            "30 raised FeedSilent - rtls",
            "31 cleared ClockSkewed - rtls (ConditionEnded)",
            "32 cleared FeedSilent - rtls (ConditionEnded)",
        ],
    );
}

/// A session says how its clock was found once; whoever is set aside then hears it afterwards.
#[test]
fn a_feed_learns_at_its_release_how_its_clock_was_found_meanwhile() {
    check(
        |_| {},
        "1 anna at 3,1
         2 hold source=1
         3 clock ahead=700
         4 release source=1
         5 hold source=1
         6 clock ahead=900
         7 clock ahead=10
         8 release source=1",
        &[
            "2 raised ActorQuarantined - rtls",
            "4 cleared ActorQuarantined - rtls (Released)",
            "4 raised ClockSkewed - rtls",
            "5 raised ActorQuarantined - rtls",
            "8 cleared ActorQuarantined - rtls (Released)",
            "8 cleared ClockSkewed - rtls (ConditionEnded)",
        ],
    );
}

/// What a plain ping goes through fails: its tag is set aside for the tag's failure, and who bears
/// it for his own.
#[test]
fn who_fails_on_the_short_way_of_a_plain_ping_is_set_aside_and_nobody_else() {
    let story = "1 sam at 3,5
         2 anna at 3,5
         2.2 sam at 3,5
         2.4 anna at 3,5
         3 anna at 3,5.1
         4 sam at 3,5.1
         5 sam presses";
    for culprit in [EntityRef::Tag(TagRef(0)), EntityRef::Subject(SubjectRef(0))] {
        let setup = |shard: &mut Shard| shard.stage.quiet_bug = Some(culprit);
        let played = run(&Script::told(story).entries, setup);
        let alarms = played.alarms();
        assert_eq!(alarms.len(), 2, "{culprit:?}: {alarms:?}");
        assert!(alarms[0].ends_with("raised ActorQuarantined anna"), "{alarms:?}");
        assert_eq!(alarms[1], "5 raised Duress sam");
        assert_eq!(played.shard.status().quarantined, [culprit]);
        assert_eq!(played.shard.status().pings.accepted_count, 6);
    }
}

#[test]
fn an_actor_that_missed_a_change_of_the_site_learns_of_it_when_it_is_released() {
    check(
        |_| {},
        "1 anna at 3,1
         2 anna at 3,-1
         3 hold subject=0
         4 site no-wander
         5 release subject=0",
        &[
            "2 raised Elopement anna ward",
            "3 raised ActorQuarantined anna",
            "5 cleared ActorQuarantined anna (Released)",
            "5 cleared Elopement anna ward (RuleRemoved)",
        ],
    );
}

#[test]
fn a_panic_in_a_change_of_the_site_sets_one_actor_aside_and_the_site_is_in_force() {
    let played = check(
        |shard| shard.stage.actors.bug = Some(site_bug),
        "1 door exit opens
         2 site same
         3 door exit closes
         4 sam presses",
        &["1 raised DoorForced - exit", "2 raised ActorQuarantined - exit", "4 raised Duress sam"],
    );
    assert_eq!(played.shard.status().site_version, 2);
}

#[test]
fn wishes_about_nobody_change_nothing() {
    let played = check(
        |_| {},
        "1 release tag=0
         2 hold tag=999
         3 hold zone=4000000000
         4 hold door=0
         5 hold door=0
         6 release door=0
         7 release door=0",
        &["4 raised ActorQuarantined - exit", "6 cleared ActorQuarantined - exit (Released)"],
    );
    assert!(played.shard.status().quarantined.is_empty());
}

/// Makes an entry one that does not follow.
type Spoil = fn(&mut Entry);

#[test]
fn an_entry_that_does_not_follow_stops_the_shard() {
    let story = Script::told("1 anna at 3,5\n2 anna at 3,6").entries;
    let spoil: [(&str, Spoil); 6] = [
        ("index", |entry| entry.index += 1),
        ("index", |entry| entry.index -= 1),
        ("time", |entry| entry.at.0 -= 2_000_000_000),
        ("site", |entry| entry.site_version += 1),
        ("logic", |entry| entry.logic_version += 1),
        ("logic", |entry| entry.logic_version -= 1),
    ];
    for (what, spoil) in spoil {
        let mut shard = Shard::new();
        let mut effects = vec![];
        shard.step(&story[0], &mut effects);
        shard.step(&story[1], &mut effects);
        let mut entry = story[2].clone();
        spoil(&mut entry);
        let outcome = catch_unwind(AssertUnwindSafe(|| shard.step(&entry, &mut effects)));
        assert!(outcome.is_err(), "a wrong {what} is not stepped");
    }
}

#[test]
fn a_broken_site_is_refused_and_the_one_before_stays() {
    let played = check(
        |_| {},
        "1 anna at 3,1
         2 site broken
         3 anna at 3,-1",
        &["3 raised Elopement anna ward"],
    );
    assert_eq!(played.shard.status().site_version, 1);
    let refused = ach_actors_entities::Effect::SiteRefused { version: 2 };
    assert_eq!(played.effects[2], [refused]);
}
