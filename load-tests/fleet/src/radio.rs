//! A tag's radio: true places in, noisy reports out, as real UWB systems give them.

use ach_geo::Position;
use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::observation::Observed;
use crate::plane::{TruePlace, float_ns, round_mm};

/// How good the locating system is. The default is a well-kept UWB installation.
///
/// A jump lasts one ping and the next comes several pings later: a system that reports a tag in the
/// wrong room for seconds has failed, and no receiver could tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Deviation of each coordinate, ping by ping.
    pub sigma_mm: f64,
    /// Deviation of the bias that drifts over half a minute; doubled near walls.
    pub bias_mm: f64,
    /// Share of pings that jump several metres out and back.
    pub jump_share: f64,
    /// Share of pings never sent.
    pub drop_share: f64,
    /// Share sent twice.
    pub duplicate_share: f64,
    /// Share sent seconds late, after later ones of the same tag.
    pub late_share: f64,
    /// Share that do not know their floor.
    pub floorless_share: f64,
    /// Longest time from measurement to sending, lateness aside; the shortest is a fifth of it.
    pub delay_ns_max: u64,
}

impl Default for Noise {
    fn default() -> Noise {
        Noise {
            sigma_mm: 150.0,
            bias_mm: 80.0,
            jump_share: 0.005,
            drop_share: 0.01,
            duplicate_share: 0.005,
            late_share: 0.005,
            floorless_share: 0.005,
            delay_ns_max: 100_000_000,
        }
    }
}

/// Jumps go this far.
const JUMP_MM: (f64, f64) = (2_500.0, 8_000.0);
/// Pings between two jumps of a tag, at least.
const PINGS_BETWEEN_JUMPS: u32 = 8;
/// A late ping comes this much later.
const LATE_NS: (u64, u64) = (1_500_000_000, 4_000_000_000);
/// A repeated ping follows after this.
const REPEAT_NS: (u64, u64) = (5_000_000, 300_000_000);
/// The bias forgets itself over this time.
const BIAS_MEMORY_NS: f64 = 30e9;
/// The bias never exceeds this, as a system that was surveyed holds.
const BIAS_MM_MAX: f64 = 300.0;
/// Nearer than this, walls reflect.
const NEAR_WALL_MM: f64 = 1_000.0;
/// Worn at this height, give or take.
const WORN_MM: f64 = 1_100.0;
/// A battery level comes with every so manyth ping.
const BATTERY_EVERY: u32 = 30;

/// What the radio makes of one measurement.
#[derive(Debug, Clone)]
pub(crate) struct Transmission {
    /// After how long it is sent.
    pub delay_ns: u64,
    /// What is sent.
    pub what: Observed,
}

/// One tag.
#[derive(Debug, Clone)]
pub(crate) struct Radio {
    tag: u32,
    chance: Chance,
    bias_mm: (f64, f64),
    bias_at_ns: u64,
    worn_mm: (f64, f64),
    ping_count: u32,
    pings_since_jump: u32,
    battery_percent: u8,
}

impl Radio {
    /// A tag worn a little off its bearer's middle.
    pub(crate) fn new(tag: u32, mut chance: Chance) -> Radio {
        let worn_mm = (chance.between(-150.0, 150.0), chance.between(-150.0, 150.0));
        let battery = round_mm(chance.between(45.0, 100.0));
        Radio {
            tag,
            chance,
            bias_mm: (0.0, 0.0),
            bias_at_ns: 0,
            worn_mm,
            ping_count: 0,
            pings_since_jump: 0,
            battery_percent: u8::try_from(battery).unwrap_or(100),
        }
    }

    /// The tag's own draws, for the phase of its pings.
    pub(crate) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// Measures and reports; nothing if the ping is lost on the air.
    pub(crate) fn ping(
        &mut self,
        noise: &Noise,
        now_ns: u64,
        place: &TruePlace,
        wall_mm: f64,
    ) -> Vec<Transmission> {
        self.drift(noise, now_ns);
        let carries_battery = self.ping_count.is_multiple_of(BATTERY_EVERY);
        self.ping_count = self.ping_count.wrapping_add(1);
        self.pings_since_jump = self.pings_since_jump.saturating_add(1);
        let near_wall = if wall_mm < NEAR_WALL_MM { 2.0 } else { 1.0 };
        let mut x_mm = place.x_mm + self.worn_mm.0 + bounded(self.bias_mm.0 * near_wall);
        let mut y_mm = place.y_mm + self.worn_mm.1 + bounded(self.bias_mm.1 * near_wall);
        x_mm += noise.sigma_mm * self.chance.normal();
        y_mm += noise.sigma_mm * self.chance.normal();
        if self.chance.happens(noise.jump_share) && self.pings_since_jump > PINGS_BETWEEN_JUMPS {
            self.pings_since_jump = 0;
            let angle = self.chance.between(0.0, std::f64::consts::TAU);
            let far_mm = self.chance.between(JUMP_MM.0, JUMP_MM.1);
            x_mm += far_mm * angle.cos();
            y_mm += far_mm * angle.sin();
        }
        let z_mm = round_mm(WORN_MM + noise.sigma_mm * self.chance.normal());
        let has_floor = !self.chance.happens(noise.floorless_share);
        let what = Observed::Ping {
            tag: self.tag,
            position: Position {
                x_mm: round_mm(x_mm),
                y_mm: round_mm(y_mm),
                z_mm: Some(z_mm.max(0)),
                floor: has_floor.then_some(place.floor),
            },
            accuracy_mm: accuracy_mm(noise, near_wall),
            battery_percent: carries_battery.then_some(self.battery_percent),
        };
        self.transmit(noise, &what)
    }

    fn transmit(&mut self, noise: &Noise, what: &Observed) -> Vec<Transmission> {
        let mut delay_ns = self.chance.between_ns(noise.delay_ns_max / 5, noise.delay_ns_max);
        if self.chance.happens(noise.late_share) {
            delay_ns += self.chance.between_ns(LATE_NS.0, LATE_NS.1);
        }
        let is_dropped = self.chance.happens(noise.drop_share);
        let is_repeated = self.chance.happens(noise.duplicate_share);
        let repeat_ns = self.chance.between_ns(REPEAT_NS.0, REPEAT_NS.1);
        if is_dropped {
            return Vec::new();
        }
        let mut sent = vec![Transmission { delay_ns, what: what.clone() }];
        if is_repeated {
            sent.push(Transmission { delay_ns: delay_ns + repeat_ns, what: what.clone() });
        }
        sent
    }

    /// The bias wanders around zero (Ornstein and Uhlenbeck).
    fn drift(&mut self, noise: &Noise, now_ns: u64) {
        let kept = (-float_ns(now_ns - self.bias_at_ns) / BIAS_MEMORY_NS).exp();
        let fresh = noise.bias_mm * (1.0 - kept * kept).sqrt();
        self.bias_mm.0 = self.bias_mm.0 * kept + fresh * self.chance.normal();
        self.bias_mm.1 = self.bias_mm.1 * kept + fresh * self.chance.normal();
        self.bias_at_ns = now_ns;
    }
}

/// The 95 % radius: 2.45 deviations of a round normal cloud, with the bias in it. A jump does not
/// know that it is one.
fn accuracy_mm(noise: &Noise, near_wall: f64) -> u32 {
    let deviation = noise.sigma_mm.hypot(noise.bias_mm * near_wall);
    u32::try_from(round_mm(2.45 * deviation)).unwrap_or(0)
}

fn bounded(bias_mm: f64) -> f64 {
    bias_mm.clamp(-BIAS_MM_MAX, BIAS_MM_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ach_geo::Floor;

    fn pings(noise: &Noise, count: u64) -> Vec<Vec<Transmission>> {
        let mut radio = Radio::new(7, Chance::new(42, 7));
        let place = TruePlace { x_mm: 0.0, y_mm: 0.0, floor: Floor(100) };
        (0..count).map(|s| radio.ping(noise, s * 1_000_000_000, &place, 5_000.0)).collect()
    }

    fn distance_mm(sent: &Transmission) -> f64 {
        let Observed::Ping { position, .. } = sent.what else { panic!("not a ping") };
        f64::from(position.x_mm).hypot(f64::from(position.y_mm))
    }

    #[test]
    fn noise_comes_in_the_stated_shares() {
        let sent = pings(&Noise::default(), 100_000);
        let share = |count: usize| f64::from(u32::try_from(count).expect("small")) / 100_000.0;
        let near = |share: f64, wanted: f64| (share - wanted).abs() < wanted * 0.25;
        let dropped = share(sent.iter().filter(|sent| sent.is_empty()).count());
        let repeated = share(sent.iter().filter(|sent| sent.len() == 2).count());
        let first = || sent.iter().filter_map(|sent| sent.first());
        let jumped = share(first().filter(|sent| distance_mm(sent) > 1_700.0).count());
        let late = share(first().filter(|sent| sent.delay_ns > 1_000_000_000).count());
        assert!(near(dropped, 0.01), "dropped {dropped}");
        assert!(near(repeated, 0.005), "repeated {repeated}");
        assert!(near(jumped, 0.005), "jumped {jumped}");
        assert!(near(late, 0.005), "late {late}");
    }

    #[test]
    fn the_stated_accuracy_is_honest() {
        let noise = Noise { jump_share: 0.0, drop_share: 0.0, ..Noise::default() };
        let sent = pings(&noise, 100_000);
        let held = sent
            .iter()
            .filter_map(|sent| sent.first())
            .filter(|sent| {
                let Observed::Ping { accuracy_mm, .. } = sent.what else { panic!("not a ping") };
                // The tag is worn up to 212 mm off the middle of its bearer, which is not an error.
                distance_mm(sent) <= f64::from(accuracy_mm) + 212.0
            })
            .count();
        assert!(held >= 95_000, "{held} of 100,000 within the circle");
    }

    #[test]
    fn jumps_come_one_at_a_time() {
        let sent = pings(&Noise { jump_share: 0.2, ..Noise::default() }, 10_000);
        let is_jump =
            |sent: &Vec<Transmission>| sent.first().is_some_and(|s| distance_mm(s) > 2_000.0);
        assert!(sent.iter().any(is_jump));
        assert!(!sent.windows(2).any(|pair| pair.iter().all(is_jump)));
    }
}
