//! How long to wait before trying again.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(5);

/// Delays that double, up to five seconds; each is drawn from its upper half, so that many clients do not come back at once.
#[derive(Debug)]
pub struct Backoff(ExponentialBackoff);

impl Backoff {
    pub fn new() -> Self {
        // The jitter adds as much as the delay again.
        let delays = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(LONGEST / 2)
            .with_jitter()
            .without_max_times();
        Backoff(delays.build())
    }

    pub fn next_delay(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST) // there is always a next one
    }

    /// After a subscription that lasted so long: a short one was none, and a server that drops each is not pestered.
    pub fn lasted(&mut self, time: Duration) {
        if time >= LONGEST {
            *self = Backoff::new();
        }
    }
}
