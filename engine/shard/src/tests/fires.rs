//! What a fire comes before.

use super::responses::check;

#[test]
fn doors_of_a_fire_are_told_before_those_that_an_alarm_locks() {
    check(
        "21600 tick
         21640 sam presses
         & door hatch burns",
        &["21640 exit unlocked LifeSafety at-once", "21640 hatch unlocked LifeSafety at-once"],
    );
}
