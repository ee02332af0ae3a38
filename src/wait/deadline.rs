//! Until when a call waits.

use std::time::{Duration, Instant};

/// A point in time, or none: a deadline beyond the range of the clock never comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(None);

    pub(crate) fn at(instant: Instant) -> Self {
        Deadline(Some(instant))
    }

    pub(crate) fn after(timeout: Duration) -> Self {
        Deadline(Instant::now().checked_add(timeout))
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Returns how long it is until then, `None` if that time never comes.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_beyond_the_clock_never_comes() {
        for never in [Deadline::NEVER, Deadline::after(Duration::MAX)] {
            assert_eq!(never.left(), None);
            assert!(!never.is_over());
        }
        assert!(Deadline::after(Duration::ZERO).is_over());
        assert!(Deadline::at(Instant::now()).is_over());
        assert!(!Deadline::after(Duration::from_secs(1000)).is_over());
    }
}
