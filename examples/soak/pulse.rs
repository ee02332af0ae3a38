//! Signs of life: an epoch whose publishers come to nothing for long is stuck.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any pause that the plan has, and than a stop's timeout.
const STUCK_AFTER: Duration = Duration::from_secs(30);

static BEATS: AtomicU64 = AtomicU64::new(0);
static PHASE: Mutex<&str> = Mutex::new("nothing");

/// A publisher got on.
pub fn beat() {
    BEATS.fetch_add(1, Relaxed);
}

/// The epoch got on, to this.
pub fn phase(phase: &'static str) {
    *PHASE.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    beat();
}

/// Looks for beats.
#[derive(Debug)]
pub struct Watchdog {
    beats: u64,
    since: Instant,
}

impl Watchdog {
    pub fn new() -> Self {
        Self {
            beats: 0,
            since: Instant::now(),
        }
    }

    /// What the epoch is stuck in, if it is.
    pub fn stuck(&mut self) -> Option<String> {
        let beats = BEATS.load(Relaxed);
        if beats != self.beats {
            (self.beats, self.since) = (beats, Instant::now());
        }
        let phase = *PHASE.lock().unwrap_or_else(PoisonError::into_inner);
        (self.since.elapsed() > STUCK_AFTER).then(|| {
            format!(
                "stuck: no publisher got on for {} s, while {phase}",
                STUCK_AFTER.as_secs()
            )
        })
    }
}
