//! A worker's own thread: turn after turn, and how long to sleep between two.

use super::Worker;
use crate::config::QUIET_NAP;
use crate::sync::Ordering;
use crate::wait::{Backoff, Step};

impl<E> Worker<E> {
    /// The worker's thread.
    pub(crate) fn run(&self) {
        let mut backoff = Backoff::new(self.config.wait);
        let mut nap = self.config.max_nap;
        loop {
            let asked = self.notify.take();
            // After the call was taken: an end that is not seen here calls again, so that the nap below
            // does not happen.
            let ending = self.is_ending();
            let turn = self.turn();
            if ending || self.ring.is_closed() && self.ring.registry().load().is_empty() {
                return;
            }
            if asked || turn.did_something() {
                nap = self.config.max_nap;
            }
            if turn.did_something() {
                backoff = Backoff::new(self.config.wait);
                continue;
            }
            if turn.is_quiet() || backoff.step() == Step::Park {
                if turn.watched > 0 {
                    self.notify.doze(nap.min(turn.look_again));
                } else if turn.asleep > 0 && !self.ring.protocol().marks_stamps() {
                    self.notify.doze(nap); // a publisher that misses who sleeps says nothing
                } else if turn.asleep > 0 {
                    self.notify.nap(nap);
                } else {
                    // No sleeper is looked after, and each caller notifies: a long nap, whatever the
                    // bound for sleepers is.
                    self.notify.nap(nap.max(QUIET_NAP));
                }
                let longest = self.config.longest_nap(self.ring.protocol());
                nap = nap.saturating_mul(2).min(longest);
            }
        }
    }

    fn is_ending(&self) -> bool {
        // Relaxed: looked at after the call was taken.
        self.ending.load(Ordering::Relaxed)
    }
}
