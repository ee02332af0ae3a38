//! How long to wait before trying again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Delays that double, up to five seconds; each is drawn from its upper half, so that many clients do not come back at once.
#[derive(Debug)]
pub struct Backoff {
    longest: Duration,
}

impl Backoff {
    pub fn new() -> Self {
        Backoff { longest: FIRST }
    }

    pub fn next_delay(&mut self) -> Duration {
        let delay = self.longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.longest = (self.longest * 2).min(LONGEST);
        delay
    }

    /// After a subscription that lasted so long: a short one was none, and a server that drops each is not pestered.
    pub fn lasted(&mut self, time: Duration) {
        if time >= LONGEST {
            self.longest = FIRST;
        }
    }
}
