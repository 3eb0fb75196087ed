//! Small random worlds: watches with all kinds of gates and shapes, and those who walk there.

use std::sync::Arc;

use ach_geo::{
    Confirm, Floor, Gates, Height, Line, Observation, Outline, Position, Region, Watch, WatchIndex,
};

use crate::dice::Dice;

pub(crate) const SECOND_NS: u64 = 1_000_000_000;

pub(crate) fn rectangle(x: i32, y: i32, width: i32, height: i32) -> Outline {
    let outer_mm = vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
    Outline::Polygon { outer_mm, holes_mm: vec![] }
}

/// A rectangle, a circle, a triangle, an L or a frame with a hole, somewhere in `size` by `size`.
pub(crate) fn outline(dice: &mut Dice, size: i32) -> Outline {
    let (x, y) = (dice.mm(0, size), dice.mm(0, size));
    let (w, h) = (dice.mm(10, size / 3), dice.mm(10, size / 3));
    let polygon = |outer_mm| Outline::Polygon { outer_mm, holes_mm: vec![] };
    match dice.next() % 6 {
        0 | 1 => rectangle(x, y, w, h),
        2 => Outline::Circle { center_mm: (x, y), radius_mm: w.unsigned_abs() },
        3 => polygon(vec![(x, y), (x + w, y + h / 3), (x + w / 4, y + h)]),
        4 => polygon(vec![
            (x, y),
            (x + w, y),
            (x + w, y + h / 2),
            (x + w / 2, y + h / 2),
            (x + w / 2, y + h),
            (x, y + h),
        ]),
        _ => Outline::Polygon {
            outer_mm: vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)],
            holes_mm: vec![vec![
                (x + w / 3, y + h / 3),
                (x + w * 2 / 3, y + h / 3),
                (x + w / 2, y + h * 2 / 3),
            ]],
        },
    }
}

/// The same outline elsewhere.
pub(crate) fn moved(outline: Outline, x: i32, y: i32) -> Outline {
    let ring = |ring: Vec<(i32, i32)>| ring.into_iter().map(|at| (at.0 + x, at.1 + y)).collect();
    match outline {
        Outline::Circle { center_mm, radius_mm } => {
            Outline::Circle { center_mm: (center_mm.0 + x, center_mm.1 + y), radius_mm }
        }
        Outline::Polygon { outer_mm, holes_mm } => Outline::Polygon {
            outer_mm: ring(outer_mm),
            holes_mm: holes_mm.into_iter().map(ring).collect(),
        },
    }
}

pub(crate) fn gates(dice: &mut Dice) -> Gates {
    if dice.once_in(3) {
        return Gates::default();
    }
    let of = dice.pick(&[1, 1, 1, 2, 3, 5, 8]);
    let needed = u8::try_from(dice.between(1, i64::from(of))).unwrap();
    Gates {
        entry_margin_mm: dice.pick(&[0, 0, 0, 300, 1_000]),
        exit_tolerance_mm: dice.pick(&[0, 0, 500, 2_000]),
        tolerance_timeout_ns: dice.pick(&[None, None, Some(0), Some(2 * SECOND_NS)]),
        exit_delay_ns: dice.pick(&[0, 0, SECOND_NS, 5 * SECOND_NS, u64::MAX]),
        fence_timeout_ns: dice.pick(&[None, None, None, Some(4 * SECOND_NS)]),
        confirm: Confirm { needed, of },
        dwell_ns: dice.pick(&[None, None, Some(3 * SECOND_NS), Some(0)]),
        error_circle: dice.once_in(3),
    }
}

/// Watches with keys 10, 20, 30 and so on.
pub(crate) fn watches(dice: &mut Dice, count: u32, size: i32) -> Vec<Watch> {
    let mut watches = Vec::new();
    while watches.len() < usize::try_from(count).unwrap() {
        let floor = dice.pick(&[None, Some(Floor(0)), Some(Floor(0)), Some(Floor(100))]);
        let height =
            if dice.once_in(8) { Some(Height { low_mm: 0, high_mm: 2_000 }) } else { None };
        let Ok(region) = Region::new(outline(dice, size), floor, height) else { continue };
        let key = 10 * (1 + u32::try_from(watches.len()).unwrap());
        watches.push(Watch { key, region: Arc::new(region), gates: gates(dice) });
    }
    watches
}

pub(crate) fn lines(dice: &mut Dice, count: u32, size: i32) -> Vec<Line> {
    (0..count)
        .map(|key| {
            let from_mm = (dice.mm(0, size), dice.mm(0, size));
            let to_mm = (from_mm.0 + dice.mm(1, 3_000), from_mm.1 + dice.mm(-2_000, 2_000));
            Line { key, floor: dice.pick(&[Floor(0), Floor(0), Floor(100)]), from_mm, to_mm }
        })
        .collect()
}

pub(crate) fn index(watches: &[Watch], lines: &[Line]) -> WatchIndex {
    WatchIndex::build(watches.to_vec(), lines.to_vec()).unwrap()
}

/// Somebody who walks, stands, jitters, jumps, changes floors and is heard late.
pub(crate) struct Walker {
    dice: Dice,
    size: i32,
    now_ns: u64,
    at: Position,
}

impl Walker {
    pub(crate) fn new(mut dice: Dice, size: i32) -> Walker {
        let at = Position {
            x_mm: dice.mm(0, size),
            y_mm: dice.mm(0, size),
            z_mm: None,
            floor: Some(Floor(0)),
        };
        Walker { dice, size, now_ns: 100 * SECOND_NS, at }
    }

    pub(crate) fn step(&mut self) -> Observation {
        let dice = &mut self.dice;
        let stride = dice.pick(&[0, 30, 500, 500, 1_500]);
        self.at.x_mm = (self.at.x_mm + dice.mm(-stride, stride)).clamp(-3_000, self.size + 3_000);
        self.at.y_mm = (self.at.y_mm + dice.mm(-stride, stride)).clamp(-3_000, self.size + 3_000);
        if dice.once_in(100) {
            self.at.x_mm = dice.mm(0, self.size);
            self.at.y_mm = dice.mm(0, self.size);
        }
        if dice.once_in(20) {
            self.at.floor = dice.pick(&[
                Some(Floor(0)),
                Some(Floor(0)),
                None,
                Some(Floor(100)),
                Some(Floor(7)),
            ]);
        }
        if dice.once_in(20) {
            self.at.z_mm = dice.pick(&[None, None, Some(1_000), Some(2_500)]);
        }
        self.now_ns += dice.pick(&[0, SECOND_NS / 10, SECOND_NS / 2, SECOND_NS, 6 * SECOND_NS]);
        let lag_ns = dice.pick(&[0, 0, 0, SECOND_NS / 5, 3 * SECOND_NS]);
        Observation {
            position: self.at,
            accuracy_mm: dice.pick(&[0, 100, 400, 3_000]),
            observed_at_ns: self.now_ns - lag_ns,
            received_at_ns: self.now_ns,
        }
    }
}
