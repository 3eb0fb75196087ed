//! A tag's radio: the truth goes in, what the locating system makes of it comes out.

use crate::chance::Chance;
use crate::ground::Wall;
use crate::noise::Noise;
use crate::number::{point, round_mm, whole};

/// 95 % of a round normal cloud lie within so many deviations.
const CIRCLE: f64 = 2.45;
/// Seconds of an hour.
const HOUR_S: f64 = 3_600.0;

/// What is heard of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) at_mm: (i32, i32),
    pub(crate) accuracy_mm: u32,
}

/// One tag, once a second.
#[derive(Debug, Clone)]
pub(crate) struct Radio {
    noise: Noise,
    chance: Chance,
    drift_mm: (f64, f64),
    wall_mm: f64,
    jump_mm: Option<(f64, f64)>,
    is_lost: bool,
    gap_s: f64,
}

impl Radio {
    /// One that has erred for long: its drift begins anywhere.
    pub(crate) fn new(noise: Noise, mut chance: Chance) -> Radio {
        let drift_mm = (noise.drift_mm * chance.normal(), noise.drift_mm * chance.normal());
        let wall_mm = noise.wall_mm * chance.normal();
        Radio { noise, chance, drift_mm, wall_mm, jump_mm: None, is_lost: false, gap_s: 0.0 }
    }

    /// What is heard of one who really is there; `None` if the ping is lost. The draws are the same whatever
    /// becomes of the ping.
    pub(crate) fn hear(&mut self, at_mm: (i32, i32), wall: &Wall) -> Option<Heard> {
        self.wander();
        self.jump();
        let is_lost = self.lose();
        let noise = &self.noise;
        let jitter_mm =
            (noise.sigma_mm * self.chance.normal(), noise.sigma_mm * self.chance.normal());
        let nearness = if noise.wall_reach_mm > 0.0 {
            (1.0 - wall.distance_mm / noise.wall_reach_mm).max(0.0)
        } else {
            0.0
        };
        let bias_mm = self.wall_mm * nearness;
        let (x_mm, y_mm) = point(at_mm);
        let (jump_x, jump_y) = self.jump_mm.unwrap_or_default();
        let seen_mm = (
            x_mm + jitter_mm.0 + self.drift_mm.0 + bias_mm * wall.outward.0 + jump_x,
            y_mm + jitter_mm.1 + self.drift_mm.1 + bias_mm * wall.outward.1 + jump_y,
        );
        // A system does not know of walls and jumps.
        let radius_mm = CIRCLE * noise.sigma_mm.hypot(noise.drift_mm);
        let accuracy_mm = u32::try_from(round_mm(radius_mm)).unwrap_or(0);
        (!is_lost).then_some(Heard { at_mm: whole(seen_mm), accuracy_mm })
    }

    /// What is slow wanders round zero (Ornstein and Uhlenbeck).
    fn wander(&mut self) {
        let noise = &self.noise;
        let kept = (-1.0 / noise.drift_memory_s).exp();
        let fresh = noise.drift_mm * (1.0 - kept * kept).sqrt();
        self.drift_mm.0 = self.drift_mm.0 * kept + fresh * self.chance.normal();
        self.drift_mm.1 = self.drift_mm.1 * kept + fresh * self.chance.normal();
        let kept = (-1.0 / noise.wall_memory_s).exp();
        let fresh = noise.wall_mm * (1.0 - kept * kept).sqrt();
        self.wall_mm = self.wall_mm * kept + fresh * self.chance.normal();
    }

    /// Jumps out, stays there for a while, and is back.
    fn jump(&mut self) {
        let noise = &self.noise;
        let share = if self.jump_mm.is_some() { noise.jump_goes_on } else { noise.jump_begins };
        let is_out = self.chance.happens(share);
        let far_mm = noise.jump_median_mm * (noise.jump_spread * self.chance.normal()).exp();
        let angle = self.chance.between(0.0, std::f64::consts::TAU);
        let fresh_mm = (far_mm * angle.cos(), far_mm * angle.sin());
        self.jump_mm = is_out.then(|| self.jump_mm.unwrap_or(fresh_mm));
    }

    fn lose(&mut self) -> bool {
        let noise = &self.noise;
        let share = if self.is_lost { noise.loss_goes_on } else { noise.loss_begins };
        self.is_lost = self.chance.happens(share);
        self.gap_s -= 1.0;
        let has_gap = self.chance.happens(noise.gaps_per_hour / HOUR_S);
        let long_s = self.chance.wait(noise.gap_mean_s);
        if has_gap && self.gap_s <= 0.0 {
            self.gap_s = long_s;
        }
        self.is_lost || self.gap_s > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Wall = Wall { distance_mm: 0.0, outward: (1.0, 0.0) };
    const OPEN: Wall = Wall { distance_mm: 5_000.0, outward: (1.0, 0.0) };
    const PINGS: u32 = 200_000;

    fn heard(noise: Noise, wall: &Wall) -> Vec<Option<Heard>> {
        let mut radio = Radio::new(noise, Chance::new(7, 1));
        (0..PINGS).map(|_| radio.hear((0, 0), wall)).collect()
    }

    fn share(count: usize) -> f64 {
        f64::from(u32::try_from(count).unwrap()) / f64::from(PINGS)
    }

    fn deviation(of: &[Option<Heard>]) -> f64 {
        let squares = of.iter().flatten().map(|heard| f64::from(heard.at_mm.0).powi(2));
        (squares.sum::<f64>() / share(of.iter().flatten().count()) / f64::from(PINGS)).sqrt()
    }

    #[track_caller]
    fn is_near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 0.1 * wanted, "{found} for {wanted}");
    }

    #[test]
    fn each_fault_comes_as_its_numbers_say() {
        is_near(deviation(&heard(Noise { sigma_mm: 80.0, ..Noise::NONE }, &OPEN)), 80.0);
        let drift = Noise { drift_mm: 100.0, drift_memory_s: 20.0, ..Noise::NONE };
        is_near(deviation(&heard(drift, &OPEN)), 100.0);
        let wall =
            Noise { wall_mm: 340.0, wall_reach_mm: 1_000.0, wall_memory_s: 45.0, ..Noise::NONE };
        is_near(deviation(&heard(wall, &WALL)), 340.0);
        assert!(heard(wall, &OPEN).iter().flatten().all(|heard| heard.at_mm == (0, 0)));
        // A fifth is lost after one that was heard, a seventh after one that was lost: 0.2 / 1.06 of all.
        let loss = Noise { loss_begins: 0.20, loss_goes_on: 0.14, ..Noise::NONE };
        let missing = heard(loss, &OPEN).iter().filter(|heard| heard.is_none()).count();
        is_near(share(missing), 0.20 / 1.06);
    }

    #[test]
    fn jumps_go_out_stay_and_come_back() {
        let noise = Noise {
            jump_begins: 0.02,
            jump_goes_on: 0.25,
            jump_median_mm: 650.0,
            jump_spread: 0.8,
            ..Noise::NONE
        };
        let heard = heard(noise, &OPEN);
        let far: Vec<(i32, i32)> = heard.iter().flatten().map(|heard| heard.at_mm).collect();
        let begun = far.windows(2).filter(|pair| pair[0] == (0, 0) && pair[1] != (0, 0)).count();
        let out = far.iter().filter(|at| **at != (0, 0)).count();
        // While it is out, the place it has jumped to is the same.
        let moved = far
            .windows(2)
            .filter(|pair| pair[0] != (0, 0) && pair[1] != (0, 0) && pair[0] != pair[1]);
        assert_eq!(moved.count(), 0);
        // Three of four are over after one ping.
        is_near(share(out) / share(begun), 1.0 / 0.75);
        let median = far
            .iter()
            .filter(|at| **at != (0, 0))
            .filter(|(x_mm, y_mm)| f64::from(*x_mm).hypot(f64::from(*y_mm)) > 650.0);
        is_near(share(median.count()) / share(out), 0.5);
    }
}
