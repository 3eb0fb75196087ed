//! Leave, against the tables of `docs/specs/leave.md`.

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{
    AlarmKind, Command, CommandKind, DoorRef, Escort, NS_PER_S, PassWish, Place, Remark,
    SubjectRef, ZoneRef,
};

use super::hospital::{hospital, name};
use super::play::{Played, play, play_with};
use super::render;
use super::script::Script;
use crate::Input;

const SPEC: &str = include_str!("../../../../docs/specs/leave.md");

/// The rows of the table under a heading, less its head.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = SPEC.split_once(&format!("\n## {heading}\n")).expect(heading);
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn subject(id: &str) -> SubjectRef {
    let site = Site::compile(None, &hospital()).expect("sound");
    site.subject(id).unwrap_or(SubjectRef(99))
}

fn place(id: &str) -> Place {
    let site = Site::compile(None, &hospital()).expect("sound");
    let zone = site.zone(id).map(Place::Zone);
    let line = || site.line(id).map(Place::Line);
    let door = || site.door(id).map(|DoorRef(door)| Place::Door(DoorRef(door)));
    zone.or_else(line).or_else(door).unwrap_or(Place::Zone(ZoneRef(99)))
}

/// Stories with further lines: `5 nurse gives anna for=600`, further words: `out-of=ward`, `back`,
/// `mute`, `escort=sam` with `within=10` metres and `gap=30`; and `6 nurse ends anna`.
fn told(story: &str) -> Script {
    let mut script = Script::new(hospital());
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [at, by, verb @ ("gives" | "ends"), whom, ref more @ ..] => {
                script.tell(&format!("{at} tick"));
                let kind = CommandKind::Pass(wish(verb, whom, more));
                script.add(Input::Command(Command { by: name(by), kind }));
            }
            _ => script.tell(line),
        }
    }
    script
}

fn wish(verb: &str, whom: &str, more: &[&str]) -> PassWish {
    let option = |key: &str| more.iter().find_map(|word| word.strip_prefix(key));
    let number =
        |key: &str, absent: u64| option(key).map_or(absent, |text| text.parse().expect("a number"));
    let times = usize::try_from(number("times=", 1)).expect("few");
    PassWish {
        subject: subject(whom),
        for_ns: (verb == "gives").then(|| number("for=", 600) * NS_PER_S),
        places: option("out-of=").map(place).into_iter().cycle().take(times).collect(),
        is_until_back: more.contains(&"back"),
        escort: option("escort=").map(|who| Escort {
            subject: subject(who),
            within_mm: u32::try_from(number("within=", 10) * 1_000).expect("metres"),
            gap_ns: number("gap=", 30) * NS_PER_S,
        }),
        person: None,
        reason: (!more.contains(&"mute")).then(|| Remark::new("to the garden").expect("words")),
    }
}

/// What an effect says of leave, or of alarms but for silence, without the time and the place.
fn words(effect: &Effect, site: &Site) -> Option<String> {
    match effect {
        Effect::WishRefused { why, .. } => Some(format!("refused {why:?}")),
        Effect::Pass(notice) => Some(match notice.end {
            None => "given".to_owned(),
            Some(end) => format!("over ({end:?})"),
        }),
        Effect::Alarm(notice) => {
            let text = render::alarm(notice, site);
            let words: Vec<&str> = text.split(' ').collect();
            let reason = text.rfind('(').map_or("", |at| &text[at - 1..]);
            let is_silence = text.contains("Silent") && !text.contains("TagSilent anna");
            (!is_silence).then(|| format!("{} {}{reason}", words[1], words[2]))
        }
        _ => None,
    }
}

/// What was told in the last `last` entries.
fn said(played: &Played, last: usize) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let effects = &played.effects[played.effects.len() - last..];
    effects.iter().flatten().filter_map(|effect| words(effect, site)).collect()
}

/// All that a story tells but for silence.
fn said_of(story: &str) -> Vec<String> {
    let script = told(story);
    let told = said(&play(&script.entries), script.entries.len());
    told.into_iter().filter(|words| !words.contains("Silent")).collect()
}

#[track_caller]
fn check(story: &str, expected: &[&str]) {
    assert_eq!(said_of(story), expected, "of the story\n{story}");
}

/// Long enough in the lobby to loiter, and heard all the while.
const STAY: &str =
    "2 vera at 5,-5\n17 vera at 5,-5\n32 vera at 5,-5\n47 vera at 5,-5\n62 vera at 5,-5
    64 vera at 5,-5";

/// A story in which a condition alarms about anna or, of guests, about vera, at a place; leave comes first.
fn alarming(condition: &str) -> (&'static str, &'static str, &'static str) {
    match condition {
        "leaves" => ("anna", "ward", "2 anna at 5,5\n3 anna at 5,-5"),
        "inside" => ("vera", "drugs", "2 vera at 19,5\n3 vera at 25,5"),
        "stays" => ("vera", "lobby", STAY),
        "over_capacity" => {
            ("vera", "lobby", "2 vera at 5,-5\n3 victor at 6,-5\n4 pump at 7,-5\n5 sam at 7,-6")
        }
        "tag_silent" => (
            "anna",
            "ward",
            "2 anna at 5,5\n12 sam at 5,5\n22 sam at 5,5\n32 sam at 5,5\n42 sam at 5,5",
        ),
        "battery_low" => ("anna", "ward", "2 anna at 5,5 battery=5"),
        "band_cut" => ("anna", "ward", "2 anna is-cut"),
        "button_pressed" => ("anna", "ward", "2 anna presses"),
        _ => panic!("{condition}"),
    }
}

#[test]
fn leave_covers_what_the_table_says() {
    let rows = table("What it covers");
    assert_eq!(rows.len(), 8);
    for row in rows {
        let (who, place, story) = alarming(row[0]);
        let raised = |leave: &str| {
            let script = told(&format!("1 tick\n{leave}\n{story}"));
            let said = said(&play(&script.entries), script.entries.len());
            said.iter().any(|words| words.starts_with("raised"))
        };
        assert!(raised(""), "{}: without leave it alarms", row[0]);
        let leave = format!("1 nurse gives {who}");
        assert_eq!(!raised(&leave), row[1] == "covered", "{} and leave", row[0]);
        let leave = format!("1 nurse gives {who} out-of={place}");
        assert_eq!(!raised(&leave), row[2] == "covered", "{} and leave out of {place}", row[0]);
    }
}

/// How a subject comes to be as a table says.
fn before(state: &str) -> &'static str {
    match state {
        "inside" => "1 anna at 5,5",
        "inside with leave" => "1 anna at 5,5\n2 nurse gives anna",
        "alarmed" => "1 anna at 5,5\n2 anna at 5,-5",
        "out with leave" => "1 anna at 5,5\n2 nurse gives anna\n3 anna at 5,-5",
        "out until back" => "1 anna at 5,5\n2 nurse gives anna back\n3 anna at 5,-5",
        "warned" => "1 anna at 5,5\n2 nurse gives anna\n3 anna at 5,-5\n303 tick",
        _ => panic!("{state}"),
    }
}

fn input(what: &str) -> &'static str {
    match what {
        "goes out" => "310 anna at 5,-5",
        "comes back" => "310 anna at 5,5",
        "leave given" => "310 doctor gives anna for=3000",
        "leave given elsewhere" => "310 doctor gives anna for=3000 out-of=nursery",
        "leave ended" => "310 doctor ends anna",
        "leave nearly over" => "310 tick",
        "leave over" => "700 tick",
        _ => panic!("{what}"),
    }
}

/// What the subject is, as far as can be told: an alarm is open, or comes when leave ends.
fn state_of(story: &str) -> String {
    let ended = said_of(&format!("{story}\n800 doctor ends anna"));
    let played = play(&told(story).entries);
    let mut open = played.shard.open_alarms();
    open.retain(|notice| notice.kind != AlarmKind::TagSilent);
    let is_open = |kind| open.iter().any(|notice| notice.kind == kind);
    let has_leave = played.shard.passes().next().is_some();
    let is_out = has_leave && ended.iter().rev().take(2).any(|it| it == "raised Elopement");
    match (is_open(AlarmKind::Elopement), has_leave) {
        (true, _) => "alarmed",
        (_, false) => "inside",
        _ if is_open(AlarmKind::LeaveEndsSoon) => "warned",
        _ if is_out => "out with leave",
        _ => "inside with leave",
    }
    .to_owned()
}

#[test]
fn leave_goes_as_the_table_says() {
    let rows = table("What happens");
    assert_eq!(rows.len(), 19);
    for row in rows {
        let (before, input) = (before(row[0]), input(row[1]));
        // Nothing falls due between them but what the row is about.
        let is_late = row[0] == "warned" || row[1] == "leave nearly over";
        let story =
            format!("{before}\n{input}").replace("310", if is_late { "310" } else { "291" });
        let script = told(&story);
        let said = said(&play(&script.entries), 1);
        let said: Vec<String> = said.into_iter().filter(|it| !it.contains("Silent")).collect();
        assert_eq!(said.join(", "), row[3], "{} when {}", row[0], row[1]);
        assert_eq!(state_of(&story), row[2], "{} after {}", row[0], row[1]);
    }
}

#[test]
fn what_cannot_be_is_refused_as_the_table_says() {
    let rows = table("Refusals");
    assert_eq!(rows.len(), 19);
    for row in rows {
        let story = match row[0] {
            "of a subject the site does not have" => "1 nurse gives nobody",
            "for no time" => "1 nurse gives anna for=0",
            "for longer than 24 h" => "1 nurse gives anna for=86401",
            "without a reason" => "1 nurse gives anna mute",
            "out of a zone the site does not have" => "1 nurse gives anna out-of=moon",
            "out of 65 zones" => "1 nurse gives anna out-of=ward times=65",
            "out of a door" => "1 nurse gives anna out-of=exit",
            "of a subject that is set aside" => "1 hold subject=0\n2 nurse gives anna",
            "with an escort the site does not have" => "1 nurse gives anna escort=nobody",
            "with itself as escort" => "1 nurse gives anna escort=anna",
            "with an escort within 0 m" => "1 nurse gives anna escort=sam within=0",
            "with an escort who may be missed for an hour" => {
                "1 nurse gives anna escort=sam gap=3600"
            }
            "with an escort that is set aside" => "1 hold subject=4\n2 nurse gives anna escort=sam",
            "with an escort who goes with as many as one may" => {
                "1 nurse gives nora escort=sam\n2 nurse gives anna escort=sam"
            }
            "anew, with an escort who goes with as many as one may" => {
                "1 nurse gives anna escort=sam\n2 nurse gives anna escort=sam"
            }
            "of one more than may have leave" => {
                "1 nurse gives nora\n2 nurse gives baby\n3 nurse gives anna"
            }
            "of one who has leave" => "1 nurse gives nora\n2 nurse gives anna\n3 nurse gives anna",
            "of one to whom another operator gave leave" => {
                "1 nurse gives anna\n2 doctor gives anna"
            }
            "to end leave that nobody has" => "1 nurse ends anna",
            other => panic!("{other}"),
        };
        let played = play_with(&told(story).entries, |shard| {
            (shard.passes.count_max, shard.passes.wards_max) = (2, 1);
        });
        let refused =
            said(&played, 1).iter().find_map(|it| it.strip_prefix("refused ").map(str::to_owned));
        assert_eq!(refused.as_deref().unwrap_or("-"), row[1], "{}", row[0]);
    }
}

/// Both in the ward, then where an escort's row takes them.
fn escorted(escort: &str) -> &'static str {
    match escort {
        "is near" => {
            "1 sam at 5,6\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 sam at 5,1\n5 anna at 5,1
             6 sam at 5,-4\n7 anna at 5,-4\n20 sam at 6,-4\n21 anna at 5,-4\n34 sam at 6,-4\n35 anna at 5,-4"
        }
        "is far" => "1 sam at 5,19\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 anna at 5,-4",
        "is on another floor" => {
            "1 sam at 5,6 floor=1\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 anna at 5,-4"
        }
        "was never heard" => "2 anna at 5,5\n3 nurse gives anna escort=sam\n4 anna at 5,-4",
        "goes away" => {
            "1 sam at 5,6\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 sam at 5,1\n5 anna at 5,-4
             10 sam at 5,19\n15 anna at 5,-4\n30 sam at 5,19\n33.9 anna at 5,-4\n35 tick"
        }
        "falls silent" => {
            "1 sam at 5,6\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 sam at 5,1\n5 anna at 5,-4
             15 anna at 5,-4\n33.9 anna at 5,-4\n35 anna at 5,-4"
        }
        "goes away and comes back" => {
            "1 sam at 5,6\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 sam at 5,1\n5 anna at 5,-4
             10 sam at 5,19\n25 anna at 5,-4\n35 anna at 5,-4\n36 sam at 5,-4"
        }
        "is named when the subject is out with leave, and is near" => {
            "1 sam at 5,-6\n2 anna at 5,5\n3 nurse gives anna\n4 anna at 5,-4\n9 nurse gives anna escort=sam
             20 sam at 5,-6\n21 anna at 5,-4\n35 sam at 5,-6\n45 anna at 5,-4\n50 tick"
        }
        "is named when the subject is out with leave, and never comes" => {
            "1 sam at 5,19\n2 anna at 5,5\n3 nurse gives anna\n4 anna at 5,-4\n9 nurse gives anna escort=sam
             20 sam at 5,19\n21 anna at 5,-4\n38 anna at 5,-4\n45 tick"
        }
        "goes away in a zone that leave names" => {
            "1 sam at 18,5\n2 vera at 19,5\n3 nurse gives vera out-of=drugs escort=sam\n4 sam at 24,5\n5 vera at 25,5
             10 sam at 5,19\n15 vera at 25,5\n30 sam at 5,19\n33.9 vera at 25,5\n36 tick"
        }
        "falls silent in a zone that leave names" => {
            "1 sam at 18,5\n2 vera at 19,5\n3 nurse gives vera out-of=drugs escort=sam\n4 sam at 24,5\n5 vera at 25,5
             15 vera at 25,5\n40 tick"
        }
        "goes away in a zone that leave names, and comes back twice" => {
            "1 sam at 18,5\n2 vera at 19,5\n3 nurse gives vera out-of=drugs escort=sam\n4 sam at 24,5\n5 vera at 25,5
             10 sam at 5,19\n15 vera at 25,5\n40 vera at 25,5\n41 sam at 24,5\n45 sam at 5,19\n60 vera at 25,5
             90 vera at 25,5\n91 sam at 24,5\n92 sam at 24,5"
        }
        _ => panic!("{escort}"),
    }
}

#[test]
fn an_escort_covers_as_the_table_says() {
    let rows = table("Escorts");
    assert_eq!(rows.len(), 12);
    for row in rows {
        let story = escorted(row[0]);
        let said = said_of(story);
        assert_eq!(said[0], "given");
        assert_eq!(said[1..].join(", "), row[2], "the escort {}", row[0]);
        let open = play(&told(story).entries).shard.open_alarms();
        let is_where = |kind| matches!(kind, AlarmKind::Elopement | AlarmKind::UnauthorisedEntry);
        let is_open = open.iter().any(|notice| is_where(notice.kind));
        assert_eq!(is_open, row[1] == "alarmed", "the escort {}", row[0]);
    }
}

#[test]
fn a_line_that_was_left_under_leave_is_told_of_when_leave_is_over() {
    // Through the lobby and over the front line: both are of one rule.
    let out = "1 anna at 5,5\n2 nurse gives anna for=100\n3 anna at 5,-5\n4 anna at 5,-9\n5 anna at 5,-11";
    check(
        &format!("{out}\n110 tick"),
        &["given", "raised Elopement", "raised Elopement", "over (TimeOver)"],
    );
    check(
        &format!("{out}\n6 anna at 5,-9\n7 anna at 5,-2\n8 anna at 5,5\n110 tick"),
        &["given", "over (TimeOver)"],
    );
    // Out of the ward alone is not over the line.
    check(
        "1 anna at 5,5\n2 nurse gives anna out-of=ward\n3 anna at 5,-5\n4 anna at 5,-9\n5 anna at 5,-11",
        &["given", "raised Elopement"],
    );
}

#[test]
fn a_tentative_alarm_is_retracted_for_leave_and_does_not_come_again() {
    check(
        "1 baby at 5,30\n2 baby at 5,18\n3 nurse gives baby\n6 baby at 5,17\n10 baby at 5,17",
        &["raised Elopement", "retracted Elopement (Authorised)", "given"],
    );
}

#[test]
fn what_fell_due_while_the_node_was_away_is_told_when_it_is_back() {
    check(
        "1 anna at 5,5\n2 nurse gives anna for=600\n3 anna at 5,-5\n9000 away since=4",
        &["given", "raised Elopement", "over (TimeOver)"],
    );
}

#[test]
fn a_subject_that_is_gone_has_no_leave_and_an_escort_forgets() {
    check(
        "1 anna at 5,5\n2 nurse gives anna\n3 site no-anna-tag\n700 tick",
        &["given", "over (SubjectGone)"],
    );
    check(
        "1 sam at 5,5\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 nurse ends anna\n5 sam at 5,6",
        &["given", "over (Ended)"],
    );
}

/// Each row: how long leave is, when somebody goes out, and when it is first told that it ends soon.
#[test]
fn it_is_told_five_minutes_before_the_end_of_whoever_is_out() {
    for (length_s, out_at, told_at) in
        [(3_600, 3, 3_302), (600, 3, 302), (100, 3, 52), (600, 400, 400), (100, 60, 60)]
    {
        let begin = "1 anna at 5,5\n2 nurse gives anna for=";
        let until = |at: u64| {
            let rest =
                if at >= out_at { format!("{out_at} anna at 5,-5\n") } else { String::new() };
            said_of(&format!("{begin}{length_s}\n{rest}{at} tick"))
        };
        let case = format!("leave of {length_s} s, out at {out_at} s");
        assert_eq!(until(told_at - 1), ["given"], "{case}: before");
        assert_eq!(until(told_at), ["given", "raised LeaveEndsSoon"], "{case}");
    }
}

#[test]
fn a_rule_that_is_edited_away_brings_nobody_back() {
    check(
        "1 anna at 5,5\n2 nurse gives anna back\n3 anna at 5,-5\n4 site no-wander\n5 anna at 5,-5",
        &["given"],
    );
    check(
        "1 anna at 5,5\n2 nurse gives anna back\n3 anna at 5,-5\n303 tick\n304 site no-wander",
        &["given", "raised LeaveEndsSoon", "cleared LeaveEndsSoon (RuleRemoved)"],
    );
}

#[test]
fn an_escort_whose_tag_is_away_for_a_while_is_one_again() {
    check(
        "1 sam at 5,6\n2 anna at 5,5\n3 nurse gives anna escort=sam\n4 site no-sam-tag\n5 site tags-back
         6 sam at 5,1\n7 anna at 5,1\n20 sam at 5,-4\n21 anna at 5,-4\n40 sam at 5,-4\n41 anna at 5,-4",
        &["given"],
    );
}

#[test]
fn a_rule_that_is_gone_says_nothing_when_leave_is_over() {
    check(
        "1 anna at 5,5\n2 nurse gives anna\n3 anna at 5,-5\n4 site no-wander\n700 tick",
        &["given", "over (TimeOver)"],
    );
}
