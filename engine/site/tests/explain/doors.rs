//! What rules about doors are told as.

use super::*;

#[test]
fn conditions_about_doors_are_told() {
    let of = |what: &str, expected: &str| {
        let doors = "where = { doors = [\"entrance\"] }";
        check(&format!("{doors}\n{what}\npriority = \"medium\""), expected);
    };
    of(
        "what = \"door_held\"\nafter = \"30 s\"",
        "At all hours, when the door \"Entrance\" stands open for 30 s, with or without leave, it raises a \
         medium-priority held-door alarm. While its lock is drawn back it may stand open, and the time \
         counts from when the lock throws. While a forced-door alarm about it is open, it is not held besides.",
    );
    of(
        "what = \"door_held\"\nafter = \"30 s\"\nalso_unlocked = true\n\
         when = [{ from = \"22:00\", to = \"06:00\" }]",
        "Every day from 22:00 to 06:00 (Europe/Berlin time), when the door \"Entrance\" stands open for 30 s, \
         with or without leave, it raises a medium-priority held-door alarm. The time counts from the \
         opening, also while its lock is drawn back. While a forced-door alarm about it is open, it is not held besides. The time before these hours counts: a door that has stood open for so \
         long when they begin raises it then, and the alarm ends with these hours. In the night to 28 \
         March 2027, when clocks go forward, these hours last 7 h instead of 8 h; in the night to 31 \
         October 2027, when they go back, 9 h instead of 8 h.",
    );
    of(
        "what = \"door_tampered\"",
        "At all hours, when the housing of the door \"Entrance\", or of its controller, is opened or torn \
         off, it raises a medium-priority tampered-door alarm. It ends when the housing is whole again.",
    );
    of(
        "what = \"reader_tampered\"",
        "At all hours, when the reader of the door \"Entrance\" is opened or torn off, it raises a \
         medium-priority tampered-reader alarm. It ends when the reader is whole again.",
    );
    of(
        "what = \"door_lost\"\nafter = \"5 min\"",
        "At all hours, when the door \"Entrance\" is lost, as its system says, or says nothing for 5 min, it \
         raises a medium-priority lost-door alarm. Every report of it is a sign of life. While its whole \
         feed is silent, that is one alarm about the feed instead. A door that was never heard is not \
         silent.",
    );
    of(
        "what = \"door_battery_low\"\npercent = 20",
        "At all hours, when the battery of the door \"Entrance\" is at 20 % or less, it raises a \
         medium-priority low-door-battery alarm.",
    );
}

#[test]
fn who_goes_through_a_door_on_whose_leave_is_told() {
    let of = |more: &str, expected: &str| {
        let doors = "where = { doors = [\"entrance\"] }\nwho = { classes = [\"patient\"] }";
        check(&format!("{doors}\nwhat = \"tailgating\"\npriority = \"high\"{more}"), expected);
    };
    of(
        "",
        "It is about patients: 1 person today. At all hours, when one of them goes through the door \"Entrance\" on no \
         leave, or on leave that somebody else has used, it raises a high-priority tailgating alarm. A grant lets one \
         person through, and so does a request to exit; while the lock is drawn back, or the door is told to be \
         unlocked, anybody may go. Nobody else is counted. Equipment never counts, nor does whoever has leave to be \
         out, nor whoever carries no tag. It ends when the door is closed, when leave is told that was given in time, \
         or when the one goes back.",
    );
    let told = told(
        "where = { doors = [\"entrance\"] }\nwhat = \"tailgating\"\npriority = \"high\"\n\
         with = { classes = [\"staff\", \"visitor\"] }\nwhen = [{ from = \"22:00\", to = \"06:00\" }]",
    );
    let first = "Leave is used besides, and first, by staff and visitors, whoever went before.";
    assert!(told.contains(first), "{told}");
    let hours = "At other hours nothing is raised, and nothing is made up for later.";
    assert!(told.contains(hours), "{told}");
}

#[test]
fn motion_where_nobody_is_is_told() {
    check(
        "where = { zones = [\"store\"] }\nwhat = \"motion\"\nafter = \"10 s\"\npriority = \"high\"",
        "At all hours, when something moves in the zone \"Store\" and nobody is there, it raises a high-priority \
         unexplained-motion alarm. Who is there accounts for it: patients, staff and visitors. So does whoever left up to \
         10 s before it, or comes up to 10 s after it. Whoever carries no tag is not seen. It is raised 10 s after the \
         motion, and ends 10 min after the last. What moves while a zone is blind is raised once it is seen again, if \
         nobody is found there.",
    );
}

#[test]
fn whose_badge_is_looked_at_is_told() {
    check(
        "who = { classes = [\"staff\"] }\nwhere = { doors = [\"entrance\"] }\nwhat = \"badge_elsewhere\"\n\
         priority = \"medium\"",
        "It is about staff: 1 person today, and 1 of them has both a badge and a tag. At all hours, when a badge of one of \
         them is granted access at the door \"Entrance\" while their tag is further from it than they can go in the time \
         between, and 10.0 m, it raises a medium-priority badge-elsewhere alarm. A position says for 1 min, before and \
         after, where they are; one storey up or down is taken for a slip. It ends 10 min after it was last so, or when they \
         are seen at the door within 1 min of the grant. A grant that names no badge, or one that nobody \
         has, raises nothing.",
    );
    let told = told(
        "who = { classes = [\"patient\"] }\nwhere = { doors = [\"entrance\"] }\nwhat = \"badge_elsewhere\"\n\
         within_m = 25\npriority = \"low\"\nwhen = [{ from = \"20:00\", to = \"06:00\" }]",
    );
    assert!(told.contains("and none of them has both a badge and a tag, as this takes."), "{told}");
    assert!(told.contains("in the time between, and 25.0 m, it raises"), "{told}");
    assert!(
        told.contains("At other hours nothing is raised, and nothing is made up for later."),
        "{told}"
    );
}

#[test]
fn what_happens_at_once_is_told_with_the_doors_that_are_moved() {
    let site = sample_hospital().directory;
    let text = Explainer::new(&site, NOW).rule("dementia-elopement").unwrap().text;
    let words = "While it is open and not both over and acknowledged, for at most 10 min from when it \
                 was observed, the door \"Door of Dementia ward\" is locked, unless an operator, a \
                 lockdown or an evacuation says otherwise: who is granted access comes in there, and who may \
                 leave is let out. It is to be handed to security-desk at once. All this only once it is \
                 upheld.";
    assert!(text.contains(words), "{text}");
}
