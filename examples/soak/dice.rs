//! Choices from a seed.

use std::ops::Range;
use std::time::Duration;

/// Draws. Who hands one to another thread forks it, so that no draw depends on the scheduler.
#[derive(Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// The dice of one epoch: any epoch can be repeated without those before it.
    pub fn of_epoch(seed: u64, epoch: u64) -> Self {
        Self(fastrand::Rng::with_seed(mix(mix(seed) ^ epoch)))
    }

    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        self.0.u64(range)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.0.usize(..among.len())]
    }

    pub fn micros(&mut self, range: Range<u64>) -> Duration {
        Duration::from_micros(self.within(range))
    }
}

/// Spreads every bit over all others (the finalizer of SplitMix64).
pub fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}
