//! How long a reader waits for a claim that is not committed before it takes it away.

use crate::config::Config;
use crate::limits;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct StallTimer {
    looks: u32,
    /// The tail when it was looked at last.
    seen_tail: u64,
    waiting: Option<Waiting>,
    /// A claim was taken away since the last event.
    rescued: bool,
    /// Doubles with each run of rescues until an event comes, so that rescuers and publishers cannot starve each other.
    grace: Duration,
}

/// A run of claims that is waited for: one grace covers it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Duration,
    /// The tail when the wait began: claims beyond it are younger.
    until: u64,
}

impl StallTimer {
    pub(super) fn new(grace: Duration) -> Self {
        StallTimer {
            looks: 0,
            seen_tail: 0,
            waiting: None,
            rescued: false,
            grace,
        }
    }

    /// An event came, or others are waited for now.
    pub(super) fn restore(&mut self, grace: Duration) {
        self.waiting = None;
        self.rescued = false;
        self.grace = grace;
    }

    /// Whether to look at the tail, when nothing was found at `sequence`. It is the publishers' line: not to be pulled at
    /// with every look, unless something is known to come.
    pub(super) fn wants_the_tail(&mut self, sequence: u64, is_entered: bool) -> bool {
        self.looks = self.looks.wrapping_add(1);
        is_entered || sequence < self.seen_tail || self.looks.is_multiple_of(limits::TRIES_A_LOOK)
    }

    /// There is something to wait for at `sequence`.
    pub(super) fn sees(&mut self, tail: u64, sequence: u64) -> bool {
        self.seen_tail = tail;
        if sequence >= tail {
            self.waiting = None;
        }
        sequence < tail
    }

    /// The claim at `sequence` has been waited for long enough.
    pub(super) fn is_over(&mut self, sequence: u64, now: Duration, config: &Config) -> bool {
        let waiting = match self.waiting {
            Some(waiting) if sequence < waiting.until => waiting,
            _ => {
                if self.rescued {
                    self.rescued = false;
                    self.grace = config.longer_grace(self.grace);
                }
                Waiting {
                    since: now,
                    until: self.seen_tail,
                }
            }
        };
        self.waiting = Some(waiting);
        now.saturating_sub(waiting.since) >= self.grace
    }

    /// The claim was taken away.
    pub(super) fn rescued(&mut self) {
        self.rescued = true;
    }
}
