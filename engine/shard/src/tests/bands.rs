//! Bands that come off, against the tables of `docs/specs/bands.md`.

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{BandWish, Command, CommandKind, NS_PER_S, Remark, SubjectRef, TagRef};

use super::hospital::{hospital, name};
use super::play::{Played, play};
use super::render;
use super::script::{Script, tag_of};
use crate::{BAND_OFF_MAX_NS, Input};

const SPEC: &str = include_str!("../../../../docs/specs/bands.md");

/// The rows of the table under a heading, less its head.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = SPEC.split_once(&format!("\n## {heading}\n")).expect(heading);
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Stories with further lines: `5 nurse takes-off anna for=100`, further words: `tag=sam`, `mute`; and
/// `6 nurse puts-on anna`.
fn told(story: &str) -> Script {
    let mut script = Script::new(hospital());
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [at, by, verb @ ("takes-off" | "puts-on"), whom, ref more @ ..] => {
                script.tell(&format!("{at} tick"));
                let kind = CommandKind::Band(wish(verb, whom, more));
                script.add(Input::Command(Command { by: name(by), kind }));
            }
            _ => script.tell(line),
        }
    }
    script
}

fn wish(verb: &str, whom: &str, more: &[&str]) -> BandWish {
    let option = |key: &str| more.iter().find_map(|word| word.strip_prefix(key));
    let site = Site::compile(None, &hospital()).expect("sound");
    let seconds: u64 = option("for=").map_or(100, |text| text.parse().expect("seconds"));
    BandWish {
        subject: site.subject(whom).unwrap_or(SubjectRef(99)),
        tag: match option("tag=").unwrap_or(whom) {
            "none" => TagRef(99),
            "nobody" => tag_of("anna"),
            who => tag_of(who),
        },
        for_ns: (verb == "takes-off").then_some(seconds * NS_PER_S),
        person: None,
        reason: (!more.contains(&"mute")).then(|| Remark::new("bath").expect("words")),
    }
}

/// Alarms about anna, and refusals, without the time.
fn said(played: &Played) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let words = |effect: &Effect| match effect {
        Effect::WishRefused { why, .. } => Some(format!("refused {why:?}")),
        Effect::Alarm(notice) if notice.subject == site.subject("anna") => {
            let text = render::alarm(notice, site);
            let words: Vec<&str> = text.split(' ').collect();
            let reason = text.rfind('(').map_or("", |at| &text[at - 1..]);
            Some(format!("{} {}{reason}", words[1], words[2]))
        }
        _ => None,
    };
    played.effects.iter().flatten().filter_map(words).collect()
}

/// Others are heard from one second to another, so that it is anna who is silent and not the feed.
fn others(from: u64, to: u64) -> String {
    let beats: Vec<String> =
        (from..to).step_by(10).map(|second| format!("{second} sam at 5,5\n")).collect();
    beats.concat()
}

/// How a band comes to be as a table says, by the 50th second.
fn before(band: &str) -> String {
    let heard = "1 anna at 5,5\n";
    let off = "2 nurse takes-off anna\n";
    match band {
        "on" => heard.to_owned(),
        "off" => format!("{heard}{off}"),
        "off and cut" => format!("{heard}{off}3 anna is-cut\n"),
        "off and silent" => format!("{heard}{off}{}", others(5, 50)),
        "cut" => format!("{heard}2 anna is-cut\n"),
        "silent" => format!("{heard}{}", others(5, 50)),
        "never heard" => others(5, 50),
        "heard by its button, then silent" => format!("1 anna presses\n{}", others(5, 50)),
        _ => panic!("{band}"),
    }
}

/// What comes of an input, from the 50th second on, while others are heard.
fn input(what: &str) -> String {
    match what {
        "cut" => "50 anna is-cut\n".to_owned(),
        "silent" => others(5, 95),
        "time over" => "110 tick\n".to_owned(),
        "whole, then time over" => "50 anna is-whole\n110 tick\n".to_owned(),
        "heard, then time over" => {
            "50 anna at 5,5\n70 anna at 5,5\n90 anna at 5,5\n110 tick\n".to_owned()
        }
        "said to be on" => "50 nurse puts-on anna\n".to_owned(),
        "whole, then said to be on" => "50 anna is-whole\n51 nurse puts-on anna\n".to_owned(),
        "off for longer, then time over" => "50 nurse takes-off anna\n110 tick\n".to_owned(),
        "off" => "50 nurse takes-off anna\n".to_owned(),
        "off, then time over" => "50 nurse takes-off anna\n160 tick\n".to_owned(),
        "off, then said to be on" => "50 nurse takes-off anna\n51 nurse puts-on anna\n".to_owned(),
        "said to be on, then silent, then said to be on" => {
            format!(
                "50 nurse puts-on anna\n{}95 nurse puts-on anna\n{}",
                others(55, 95),
                others(96, 170)
            )
        }
        "said to be on, then silent" => format!("50 nurse puts-on anna\n{}", others(55, 95)),
        _ => panic!("{what}"),
    }
}

#[test]
fn a_band_comes_off_as_the_table_says() {
    let rows = table("What happens");
    assert_eq!(rows.len(), 20);
    for row in rows {
        // What of a row is about silence is so because nothing else is heard of her meanwhile.
        let keeps_quiet =
            row[0].contains("silent") || row[1].contains("silent") || row[0] == "never heard";
        let story = format!("{}{}", before(row[0]), input(row[1]));
        let mut told = said(&play(&told(&story).entries));
        if !keeps_quiet {
            told.retain(|it| !it.contains("TagSilent"));
        }
        // How it came to be so is told before.
        let skipped = match row[0] {
            "cut" | "silent" => 1,
            "heard by its button, then silent" => 2,
            _ => 0,
        };
        assert_eq!(told[skipped..].join(", "), row[2], "{} when {}\n{story}", row[0], row[1]);
    }
}

#[test]
fn a_band_that_is_off_holds_back_what_the_table_says() {
    let rows = table("What is held back");
    assert_eq!(rows.len(), 4);
    for row in rows {
        let story = match row[0] {
            "band_cut" => "50 anna is-cut\n".to_owned(),
            "tag_silent" => others(5, 95),
            "button_pressed" => "50 anna presses\n".to_owned(),
            "battery_low" => "50 anna at 5,5 battery=5\n".to_owned(),
            other => panic!("{other}"),
        };
        let alarms = |before: &str| {
            let story = format!("{before}{story}");
            !said(&play(&told(&story).entries)).is_empty()
        };
        assert!(alarms("1 anna at 5,5\n"), "{} alarms", row[0]);
        let is_held_back = !alarms("1 anna at 5,5\n2 nurse takes-off anna\n");
        assert_eq!(is_held_back, row[1] == "held back", "{}", row[0]);
    }
}

#[test]
fn what_cannot_be_is_refused_as_the_table_says() {
    let rows = table("Refusals");
    assert_eq!(rows.len(), 9);
    for row in rows {
        let story = match row[0] {
            "of a tag the site does not have" => "1 nurse takes-off anna tag=none",
            "of a subject the site does not have" => "1 nurse takes-off nobody",
            "of a tag on somebody else" => "1 nurse takes-off anna tag=sam",
            "off for no time" => "1 nurse takes-off anna for=0",
            "off for longer than 60 min" => "1 nurse takes-off anna for=3601",
            "off without a reason" => "1 nurse takes-off anna mute",
            "of a tag that is set aside" => "1 hold tag=0\n2 nurse takes-off anna",
            "on that is on" => "1 nurse puts-on anna",
            "off that is off" => "1 nurse takes-off anna\n2 nurse takes-off anna",
            other => panic!("{other}"),
        };
        let told = said(&play(&told(story).entries));
        let refused = told.iter().find_map(|it| it.strip_prefix("refused "));
        assert_eq!(refused.unwrap_or("-"), row[1], "{}", row[0]);
    }
    assert_eq!(BAND_OFF_MAX_NS, 3_600 * NS_PER_S);
}

#[test]
fn a_tag_that_is_taken_away_is_off_no_more() {
    let off = "1 anna at 5,5\n2 nurse takes-off anna\n";
    let story = format!("{off}3 anna is-cut\n4 site no-anna-tag\n110 tick");
    assert_eq!(said(&play(&told(&story).entries)), Vec::<String>::new());
    // Back on her it is watched from its first ping on, and so it is on somebody else meanwhile.
    for others in ["3 site no-anna-tag", "3 site anna-tag-on-sam"] {
        let story = format!("{off}{others}\n4 site tags-back\n5 anna at 5,5\n6 anna is-cut");
        assert_eq!(said(&play(&told(&story).entries)), ["raised BandCut"], "{others}");
    }
}

#[test]
fn what_fell_due_while_the_node_was_away_is_told_when_it_is_back() {
    let story = "1 anna at 5,5\n2 nurse takes-off anna\n3 anna is-cut\n9000 away since=4";
    assert_eq!(said(&play(&told(story).entries)), ["raised BandCut"]);
}
