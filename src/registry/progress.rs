//! What a worker remembers of a subscriber between two looks: whether it moves, and what it waits for.

use crate::sync::{AtomicU64, Ordering};

/// What the watch remembers of a registration between two looks. Only whoever turns the worker uses it; Relaxed, as no
/// memory hangs on it.
#[derive(Debug)]
pub(crate) struct ProgressProbe {
    /// Where the cursor was.
    pub(crate) sequence: AtomicU64,
    /// Since when it is behind and has not moved, in the clock's nanoseconds; [`NEVER`] if it is not behind.
    pub(crate) since: AtomicU64,
    /// Since when it is further behind than its lag limit; [`NEVER`] if it is not.
    pub(crate) lagging_since: AtomicU64,
    pub(crate) claim: ClaimWait,
}

impl ProgressProbe {
    pub(crate) fn new() -> Self {
        ProgressProbe {
            sequence: AtomicU64::new(NEVER),
            since: AtomicU64::new(NEVER),
            lagging_since: AtomicU64::new(NEVER),
            claim: ClaimWait::new(),
        }
    }
}

/// How long the watch has seen a subscriber wait for claims in flight. Times are in the clock's nanoseconds.
#[derive(Debug)]
pub(crate) struct ClaimWait {
    /// Since when it waits; [`NEVER`] if it does not.
    since: AtomicU64,
    /// The tail when that wait began: claims below it are as old, because they were in flight then.
    until: AtomicU64,
    grace: AtomicU64,
    /// Where the claims end that were abandoned last: a wait that begins there follows without an event between.
    abandoned: AtomicU64,
}

impl ClaimWait {
    fn new() -> Self {
        ClaimWait {
            since: AtomicU64::new(NEVER),
            until: AtomicU64::new(0),
            grace: AtomicU64::new(0),
            abandoned: AtomicU64::new(NEVER),
        }
    }

    /// The subscriber does not wait for a claim.
    pub(crate) fn end(&self) {
        self.since.store(NEVER, Ordering::Relaxed);
    }

    /// The subscriber waits for the claim at `at`. Returns the grace of this wait, and the end of the claims that are stalled if
    /// that has passed.
    ///
    /// The grace is `base`, and `longer` of the last one where claims were abandoned and no event came since.
    pub(crate) fn go_on(
        &self,
        at: u64,
        now: u64,
        tail: u64,
        base: u64,
        longer: impl FnOnce(u64) -> u64,
    ) -> (u64, Option<u64>) {
        let began = self.since.load(Ordering::Relaxed);
        let until = self.until.load(Ordering::Relaxed);
        let grace = self.grace.load(Ordering::Relaxed);
        if began != NEVER && at < until {
            let is_over = now.saturating_sub(began) >= grace;
            return (grace, is_over.then_some(until));
        }
        let grace = if self.abandoned.load(Ordering::Relaxed) == at {
            longer(grace)
        } else {
            base
        };
        self.since.store(now, Ordering::Relaxed);
        // A publisher that is inside has claimed `at`, whatever this thread knows of the tail.
        self.until.store(tail.max(at + 1), Ordering::Relaxed);
        self.grace.store(grace, Ordering::Relaxed);
        (grace, None)
    }

    /// The claims up to `end` were abandoned.
    pub(crate) fn abandoned_up_to(&self, end: u64) {
        self.abandoned.store(end, Ordering::Relaxed);
        self.end();
    }
}

/// No point in time.
pub(crate) const NEVER: u64 = u64::MAX;
