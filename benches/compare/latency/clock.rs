//! The time, as all threads of a run see it.

use std::time::Instant;

/// Nanoseconds since it was made.
///
/// `Instant` reads the processor's time stamp counter where the system trusts it, and that is the same on all cores.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Instant,
}

impl Clock {
    pub fn new() -> Clock {
        Clock {
            base: Instant::now(),
        }
    }

    #[inline(always)]
    pub fn now(self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }

    /// Spins until it is `time` or later, and says how late it is.
    #[inline(always)]
    pub fn wait_until(self, time: u64) -> u64 {
        loop {
            let now = self.now();
            if now >= time {
                return now;
            }
        }
    }
}
