//! One story or more for every rule.

use super::play::check;

#[test]
fn a_wanderer_who_leaves_is_an_elopement_until_she_is_back() {
    check(
        "1 anna at 3,1
         2 anna at 3,-1
         3 anna at 3,-2
         4 anna at 3,1",
        &["2 raised Elopement anna ward", "4 cleared Elopement anna ward (ConditionEnded)"],
    );
}

#[test]
fn each_leaving_is_an_episode_of_its_own() {
    check(
        "1 anna at 3,1
         2 anna at 3,-1
         3 anna at 3,1
         4 anna at 3,-1",
        &[
            "2 raised Elopement anna ward",
            "3 cleared Elopement anna ward (ConditionEnded)",
            "4 raised Elopement anna ward",
        ],
    );
}

#[test]
fn who_was_never_in_does_not_leave() {
    check("1 anna at 3,-1\n2 anna at 3,-2", &[]);
}

#[test]
fn a_fast_walker_does_not_jump_the_perimeter() {
    check(
        "1 anna at 3,-8
         2 anna at 3,-12
         3 anna at 3,-8",
        &["2 raised Elopement anna front", "3 cleared Elopement anna front (ConditionEnded)"],
    );
}

#[test]
fn a_slow_tag_does_not_walk_through_the_perimeter() {
    check("1 anna at 3,-8\n9 anna at 3,-12", &[]);
}

#[test]
fn an_unknown_floor_alone_is_no_elopement() {
    check(
        "1 anna at 3,1
         100 anna at 3,1 floor=?
         101 anna at 3,-1 floor=?
         102 anna at 3,-2 floor=?
         103 anna at 3,-2",
        &[
            "100 raised FeedSilent - rtls late",
            "100 cleared FeedSilent - rtls late (ConditionEnded)",
            "103 raised Elopement anna ward",
        ],
    );
}

#[test]
fn a_snatched_child_is_tentative_at_once_and_upheld_or_retracted() {
    check(
        "1 baby at 3,25
         2 baby at 3,18
         3 baby at 3,17
         5 tick
         6 baby at 3,25",
        &[
            "2 raised Elopement baby nursery tentative",
            "5 upheld Elopement baby nursery",
            "6 cleared Elopement baby nursery (ConditionEnded)",
        ],
    );
    check(
        "1 baby at 3,25
         2 baby at 3,18
         3 baby at 3,25
         9 tick",
        &[
            "2 raised Elopement baby nursery tentative",
            "3 retracted Elopement baby nursery tentative (CameBack)",
        ],
    );
}

#[test]
fn a_pump_that_leaves_its_ward_is_theft() {
    check("1 pump at 3,1\n2 pump at 3,-1", &["2 raised AssetTheft pump ward"]);
}

#[test]
fn a_guest_in_the_drug_store_is_an_unauthorised_entry_and_a_nurse_is_none() {
    check(
        "1 vera at 19,5
         & sam at 19,5
         2 vera at 21,5
         & sam at 21,5
         3 vera at 19,5",
        &[
            "2 raised UnauthorisedEntry vera drugs",
            "3 cleared UnauthorisedEntry vera drugs (ConditionEnded)",
        ],
    );
}

#[test]
fn a_guest_who_stays_too_long_loiters() {
    check(
        "1 vera at 3,-5
         15 vera at 3,-5
         30 vera at 3,-5
         45 vera at 3,-5
         60 vera at 3,-5
         61 tick
         70 vera at 3,5",
        &["61 raised Loitering vera lobby", "70 cleared Loitering vera lobby (ConditionEnded)"],
    );
}

#[test]
fn a_rule_of_the_night_begins_and_ends_with_its_window() {
    check(
        "21590 nora at 3,-5
         21600 tick
         21605 nora at 3,-5
         79190 nora at 3,-5
         79200 tick",
        &[
            "21590 raised UnauthorisedEntry nora lobby",
            "21600 cleared UnauthorisedEntry nora lobby (RuleRemoved)",
            "79190 raised FeedSilent - rtls late",
            "79190 cleared FeedSilent - rtls late (ConditionEnded)",
            "79200 raised UnauthorisedEntry nora lobby",
        ],
    );
}

#[test]
fn a_silent_tag_is_told_once_and_ends_when_it_is_heard() {
    check(
        "1 anna at 3,5
         15 sam at 3,5
         30 sam at 3,5
         31 sam at 3,5
         32 sam at 3,5
         45 anna at 3,5",
        &["32 raised TagSilent anna", "45 cleared TagSilent anna (ConditionEnded)"],
    );
}

#[test]
fn a_silent_feed_is_one_alarm_and_its_tags_are_not_silent() {
    check(
        "1 anna at 3,5
         & baby at 3,25
         & nora at 3,5
         21 tick
         200 tick
         201 sam at 3,5
         210 sam at 3,5
         225 sam at 3,5
         & anna at 3,5
         229 sam at 3,5
         230 sam at 3,5
         231 sam at 3,5
         232 sam at 3,5
         233 sam at 3,5",
        &[
            "21 raised FeedSilent - rtls",
            "201 cleared FeedSilent - rtls (ConditionEnded)",
            "232 raised TagSilent baby",
            "232 raised TagSilent nora",
        ],
    );
}

#[test]
fn an_outage_of_the_node_is_nobodys_silence() {
    // However early it is said to have begun: the node was there when it last decided something.
    for since in ["10", "0", "1"] {
        let story = format!(
            "1 anna at 3,5
             10 sam at 3,5
             1000 away since={since}
             1010 sam at 3,5
             1020 sam at 3,5
             1021 sam at 3,5
             1022 sam at 3,5
             1023 sam at 3,5"
        );
        check(&story, &["1022 raised TagSilent anna"]);
    }
}

#[test]
fn a_lost_anchor_makes_its_zones_blind() {
    check(
        "1 anchor a1 lost
         2 anchor a1 lost
         9 anchor a1 alive",
        &["1 raised ZoneBlind - a1", "9 cleared ZoneBlind - a1 (ConditionEnded)"],
    );
}

#[test]
fn a_flat_battery_is_told_once_until_it_is_charged() {
    check(
        "1 sam at 3,5 battery=21
         2 sam at 3,5 battery=20
         3 sam at 3,5 battery=19
         4 sam at 3,5 battery=22
         5 sam at 3,5 battery=60
         6 sam at 3,5 battery=15",
        &[
            "2 raised BatteryLow sam",
            "5 cleared BatteryLow sam (ConditionEnded)",
            "6 raised BatteryLow sam",
        ],
    );
}

#[test]
fn a_cut_band_alarms_until_it_is_whole() {
    check(
        "1 baby is-cut
         2 baby is-cut
         3 baby is-whole",
        &["1 raised BandCut baby", "3 cleared BandCut baby (ConditionEnded)"],
    );
}

#[test]
fn a_pressed_button_is_one_alarm_until_it_is_reset() {
    check(
        "1 sam presses
         2 sam presses
         3 sam resets
         4 sam presses",
        &["1 raised Duress sam", "3 cleared Duress sam (ConditionEnded)", "4 raised Duress sam"],
    );
}

#[test]
fn a_late_duress_still_alarms() {
    check(
        "1 sam presses
         2 sam resets
         9 sam presses seen=1.5",
        &[
            "1 raised Duress sam",
            "2 cleared Duress sam (ConditionEnded)",
            "9 raised Duress sam late",
            "9 cleared Duress sam late (ConditionEnded)",
        ],
    );
}

#[test]
fn a_full_lobby_is_over_capacity_until_one_has_left() {
    check(
        "1 vera at 3,-5
         & sam at 4,-5
         2 victor at 5,-5
         3 victor at 5,5",
        &["2 raised OverCapacity - lobby", "3 cleared OverCapacity - lobby (ConditionEnded)"],
    );
}

#[test]
fn a_door_is_forced_unless_somebody_was_let_through() {
    check(
        "1 door exit opens
         2 door exit closes
         3 door exit grants=5
         4 door exit opens
         5 door exit closes
         10 door exit opens
         11 door exit closes
         12 door hatch asks=5
         13 door hatch opens",
        &[
            "1 raised DoorForced - exit",
            "2 cleared DoorForced - exit (ConditionEnded)",
            "10 raised DoorForced - exit",
            "11 cleared DoorForced - exit (ConditionEnded)",
        ],
    );
}

#[test]
fn a_door_is_held_tampered_with_lost_and_low_on_battery() {
    check(
        "1 door exit grants=5
         2 door exit opens
         3 door exit is-pried
         4 door exit has=12
         5 door hatch is-lost
         6 door hatch lives
         41 tick
         42 tick
         50 door exit closes
         51 door exit is-mended
         52 door exit has=80
         55 tick
         56 tick
         57 door hatch lives",
        &[
            "3 raised DoorTampered - exit",
            "4 raised DoorBatteryLow - exit",
            "5 raised DoorLost - hatch",
            "6 cleared DoorLost - hatch (ConditionEnded)",
            "42 raised DoorHeld - exit",
            "50 cleared DoorHeld - exit (ConditionEnded)",
            "51 cleared DoorTampered - exit (ConditionEnded)",
            "52 cleared DoorBatteryLow - exit (ConditionEnded)",
            "56 raised DoorLost - hatch",
            "57 cleared DoorLost - hatch (ConditionEnded)",
        ],
    );
}

#[test]
fn a_single_wild_jump_raises_nothing() {
    check(
        "1 anna at 3,5
         2 anna at 3,-9
         3 anna at 3,5
         4 anna at 3,6",
        &[],
    );
}
