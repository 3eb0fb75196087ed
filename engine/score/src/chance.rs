//! Draws from a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of draws. Each walker and each radio has its own, so that one more life changes nothing about the
/// others.
#[derive(Debug, Clone)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of that number from the seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Chance {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Chance(rng)
    }

    /// Uniform in `low..high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// Uniform in `low..high`; `low` when that is empty.
    pub(crate) fn whole(&mut self, low: u32, high: u32) -> u32 {
        if low < high { self.0.random_range(low..high) } else { low }
    }

    /// True in that share of cases.
    pub(crate) fn happens(&mut self, share: f64) -> bool {
        self.0.random::<f64>() < share
    }

    /// A place in a list of that length; 0 of an empty one.
    pub(crate) fn place(&mut self, count: usize) -> usize {
        if count > 0 { self.0.random_range(0..count) } else { 0 }
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.place(of.len()))
    }

    /// Brings a list into any order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = self.place(end + 1);
            list.swap(end, other);
        }
    }

    /// Normally distributed with mean 0 and deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.random::<f64>()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.0.random::<f64>()).cos()
    }

    /// How long until something comes that comes on average after `mean`.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.0.random::<f64>()).ln()
    }
}
