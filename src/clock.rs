//! Monotonic time that tests can move.

use crate::sync::{Arc, AtomicU64, Ordering};
use std::fmt;
use std::time::{Duration, Instant};

/// A monotonic clock, for graces, limits and naps' bounds.
///
/// It is read on slow paths only: when a reader waits at a claim that is not committed, and by the watch. It must
/// not block, and should not call the bus.
pub trait Clock: Send + Sync + 'static {
    /// The time since some fixed point of the clock's own. Never goes back.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock that starts at zero now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A model knows no time: nothing there may depend on how long a step takes.
        if cfg!(loom) {
            Duration::ZERO
        } else {
            self.origin.elapsed()
        }
    }
}

/// A clock that stands still until it is told to move. Clones share one time.
///
/// ```
/// use ringbus::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let same = clock.clone();
/// clock.advance(Duration::from_millis(5));
/// assert_eq!(same.now(), Duration::from_millis(5));
/// ```
#[derive(Clone)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nanos: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Moves the clock on by `time`, which is cut to whole nanoseconds and to about 584 years in all.
    pub fn advance(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: time orders nothing. Not `fetch_add`, which would wrap, and time go back.
        let mut now = self.nanos.load(Ordering::Relaxed);
        while let Err(found) = self.nanos.compare_exchange(
            now,
            now.saturating_add(nanos),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            now = found;
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        // Relaxed: time orders nothing.
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}
