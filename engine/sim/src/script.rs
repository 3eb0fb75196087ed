//! What people and things do in a run: walk, press, cut, open. Drawn from the seed.

use ach_engine_wire::ReportWord;

use crate::chance::Chance;
use crate::site::{DOOR_COUNT, TAG_COUNT, ZONES};

/// How long people walk about before everything is healed, in milliseconds.
pub(crate) const ACTIVE_MS: u64 = 30_000;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A tag is located.
    Ping { tag: u32, x_mm: i32, y_mm: i32 },
    /// A tag's button or band.
    OfTag { tag: u32, word: ReportWord },
    /// A door.
    OfDoor { door: u32, word: ReportWord },
    /// A button of a tag that the site does not know.
    OfStranger,
}

/// How one tag behaves.
#[derive(Debug)]
struct Walker {
    at_mm: (i32, i32),
    is_pressed: bool,
    is_cut: bool,
    silent_until_ms: u64,
}

/// All deeds of a run with the moment of each, in order.
pub(crate) fn draw(chance: &mut Chance) -> Vec<(u64, Deed)> {
    let mut deeds = Vec::new();
    for tag in 0..TAG_COUNT {
        walk(tag, chance, &mut deeds);
    }
    for door in 0..DOOR_COUNT {
        use_door(door, chance, &mut deeds);
    }
    for _ in 0..chance.between(0, 3) {
        deeds.push((chance.between(500, ACTIVE_MS), Deed::OfStranger));
    }
    deeds.sort_by_key(|(at_ms, _)| *at_ms);
    deeds
}

fn walk(tag: u32, chance: &mut Chance, deeds: &mut Vec<(u64, Deed)>) {
    let mut walker =
        Walker { at_mm: outside(), is_pressed: false, is_cut: false, silent_until_ms: 0 };
    let mut at_ms = chance.between(100, 900);
    while at_ms < ACTIVE_MS {
        if chance.happens(250) {
            walker.at_mm = somewhere(chance);
        }
        if chance.happens(8) {
            walker.silent_until_ms = at_ms.saturating_add(20_000);
        }
        if at_ms >= walker.silent_until_ms {
            let (x_mm, y_mm) = walker.at_mm;
            // No two positions of a stay are the same, so that none is taken for a repetition.
            let step_mm = i32::try_from(chance.between(0, 40)).unwrap_or(0);
            deeds.push((at_ms, Deed::Ping { tag, x_mm: x_mm + step_mm, y_mm }));
        }
        if chance.happens(30) {
            walker.is_pressed = !walker.is_pressed;
            let pressed = ReportWord::ButtonPressed;
            let word = if walker.is_pressed { pressed } else { ReportWord::ButtonReset };
            deeds.push((at_ms, Deed::OfTag { tag, word }));
        }
        if chance.happens(20) {
            walker.is_cut = !walker.is_cut;
            let word = if walker.is_cut { ReportWord::BandCut } else { ReportWord::BandWhole };
            deeds.push((at_ms, Deed::OfTag { tag, word }));
        }
        at_ms = at_ms.saturating_add(chance.between(300, 1_100));
    }
}

fn use_door(door: u32, chance: &mut Chance, deeds: &mut Vec<(u64, Deed)>) {
    let mut at_ms = chance.between(1_000, 4_000);
    while at_ms < ACTIVE_MS {
        let mut put = |after_ms: u64, word| {
            deeds.push((at_ms.saturating_add(after_ms), Deed::OfDoor { door, word }));
        };
        if chance.happens(500) {
            put(0, ReportWord::AccessGranted { valid_ms: 3_000 });
        }
        put(1_000, ReportWord::DoorOpened);
        // Somebody holds it open, past the time that it may stand open; or its lock is drawn back, and throws
        // while it stands open or when it is closed.
        let open_ms = if chance.happens(300) { chance.between(4_200, 12_000) } else { 1_000 };
        let closed_ms = open_ms.saturating_add(1_000);
        if chance.happens(150) {
            put(500, ReportWord::DoorUnlocked);
            put(chance.between(1_500, closed_ms.saturating_add(500)), ReportWord::DoorLocked);
        }
        put(closed_ms, ReportWord::DoorClosed);
        at_ms = at_ms.saturating_add(closed_ms).saturating_add(chance.between(3_500, 7_000));
    }
    supervise_door(door, chance, deeds);
}

/// Its housing is opened and closed, its system loses it, and it says that it works.
fn supervise_door(door: u32, chance: &mut Chance, deeds: &mut Vec<(u64, Deed)>) {
    let (mut is_open, mut at_ms) = (false, chance.between(1_000, 9_000));
    while at_ms < ACTIVE_MS {
        let word = match chance.between(0, 3) {
            0 => ReportWord::DoorLost,
            1 => ReportWord::DoorAlive,
            _ if is_open => ReportWord::DoorUntampered,
            _ => ReportWord::DoorTampered,
        };
        match word {
            ReportWord::DoorTampered => is_open = true,
            ReportWord::DoorUntampered => is_open = false,
            _ => {}
        }
        deeds.push((at_ms, Deed::OfDoor { door, word }));
        at_ms = at_ms.saturating_add(chance.between(2_000, 9_000));
    }
}

fn outside() -> (i32, i32) {
    (800, 800)
}

fn somewhere(chance: &mut Chance) -> (i32, i32) {
    if chance.happens(300) {
        return outside();
    }
    let middle = |(_, [west, south, east, north]): &(&str, [i32; 4])| {
        (west.midpoint(*east), south.midpoint(*north))
    };
    chance.pick(&ZONES).map_or_else(outside, middle)
}
