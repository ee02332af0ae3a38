//! Keeping to a rate.

use std::time::{Duration, Instant};

/// Says when the next line is due.
///
/// Whoever was kept from running catches up, as far as [`LATEST`]: what is missed beyond
/// that is not made up for, so that a pause in the input ends in no flood.
#[derive(Debug)]
pub struct Pacer {
    rate: u64,
    start: Instant,
    sent: u64,
}

/// How much lost time is made up for.
const LATEST: Duration = Duration::from_millis(20);

impl Pacer {
    /// `rate` lines a second from `now` on; 0 for no limit.
    pub fn new(rate: u64, now: Instant) -> Self {
        Self {
            rate,
            start: now,
            sent: 0,
        }
    }

    /// How long to wait before the next line; nothing if it is due.
    pub fn wait(&mut self, now: Instant) -> Duration {
        if self.rate == 0 {
            return Duration::ZERO;
        }
        let due = self.start + self.due_after();
        let late = now.saturating_duration_since(due);
        if let Some(lost) = late.checked_sub(LATEST) {
            self.start += lost;
        }
        due.saturating_duration_since(now)
    }

    /// One line is out.
    pub fn sent(&mut self) {
        self.sent += 1;
        // A whole second's lines take a whole second: nothing is rounded off for good.
        if self.sent == self.rate {
            self.sent = 0;
            self.start += Duration::from_secs(1);
        }
    }

    fn due_after(&self) -> Duration {
        const NANOS: u128 = 1_000_000_000;
        let nanos = u128::from(self.sent) * NANOS / u128::from(self.rate);
        Duration::from_nanos(nanos as u64) // sent < rate: less than a second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines go out at `now`, all of them at once.
    fn burst(pacer: &mut Pacer, now: Instant) -> u64 {
        let mut lines = 0;
        while pacer.wait(now).is_zero() {
            pacer.sent();
            lines += 1;
        }
        lines
    }

    #[test]
    fn keeps_the_rate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(300_007, start);
        let lines: u64 = (0..10_000)
            .map(|ms| burst(&mut pacer, start + Duration::from_millis(ms)))
            .sum();
        let expected = 300_007 * 9_999 / 1_000 + 1; // the first is due at once
        assert!(
            lines.abs_diff(expected) <= 1,
            "{lines} lines, not {expected}"
        );
    }

    #[test]
    fn catches_up_but_not_for_ever() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1_000, start);
        assert_eq!(burst(&mut pacer, start), 1);
        assert_eq!(burst(&mut pacer, start + Duration::from_millis(10)), 10);
        assert_eq!(burst(&mut pacer, start + Duration::from_secs(60)), 21);
        assert_eq!(burst(&mut pacer, start + Duration::from_millis(60_005)), 5);
    }

    #[test]
    fn waits_until_the_next_is_due() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2, start);
        assert_eq!(pacer.wait(start), Duration::ZERO);
        pacer.sent();
        assert_eq!(pacer.wait(start), Duration::from_millis(500));
        assert_eq!(
            pacer.wait(start + Duration::from_millis(400)),
            Duration::from_millis(100)
        );
    }

    #[test]
    fn no_rate_no_wait() {
        let start = Instant::now();
        let mut pacer = Pacer::new(0, start);
        assert_eq!(pacer.wait(start), Duration::ZERO);
        pacer.sent();
        assert_eq!(pacer.wait(start), Duration::ZERO);
    }
}
