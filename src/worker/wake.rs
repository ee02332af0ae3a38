//! Waking a subscriber: on a publisher's thread for one that is parked, or by way of the worker.
//!
//! A publisher wakes one thread by itself. Every other sleeper is woken by the worker's next
//! [turn](super::turn), and so are tasks. A subscriber parks in `reader/park.rs`.

use super::Worker;
use crate::failpoint::failpoint;
use crate::registry::registration::Registration;
use crate::ring::listeners::PendingWake;
use crate::sync::{Ordering, fence};

impl<E> Worker<E> {
    #[inline(always)]
    pub(crate) fn wake_pending(&self, pending: PendingWake) {
        if !pending.is_nothing() {
            self.wake_pending_slow(pending);
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_pending_slow(&self, pending: PendingWake) {
        if pending.asks_for_turn() {
            self.notify_worker();
        } else {
            self.wake_one();
        }
    }

    /// After a commit by the exclusive publisher: somebody asked for a wake-up.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake_sleepers(&self) {
        if self.ring.take_asleep() {
            self.wake_one();
        }
    }

    /// Wakes one thread that sleeps and has something to read. All other sleepers are the worker's:
    /// tasks, because their wakers are user code, and further threads, because each takes a system
    /// call.
    fn wake_one(&self) {
        // SYNC sleep: sleepers that registered before are seen; those that come after look for
        // themselves.
        fence(Ordering::SeqCst);
        let registrations = self.ring.registry().load();
        let mut one = None;
        let mut others = false;
        for registration in registrations.iter() {
            if !registration.sleeper.is_asleep() {
                continue;
            }
            if self.sleeps_on(registration) {
                // On a shared ring its own stamp bears its mark. On an exclusive ring all sleepers
                // share the one that was taken.
                others |= !self.ring.protocol().marks_stamps();
            } else if one.is_none() && registration.sleeper.is_thread_asleep() {
                one = Some(registration);
            } else {
                others = true;
            }
        }
        // First, because this publisher may be frozen in between.
        if others {
            self.notify_worker();
        }
        let Some(registration) = one else {
            return;
        };
        failpoint!(Raised);
        if registration.sleeper.wake_thread() {
            self.counters.wakes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// There is nothing yet where a subscriber sleeps, nor will it end.
    fn sleeps_on(&self, registration: &Registration) -> bool {
        let position = registration.cursor.look();
        position.is_active() && !self.ring.is_closed() && self.ring.is_pending(position.sequence())
    }

    /// Wakes the worker, if it sleeps.
    #[cold]
    pub(crate) fn notify_worker(&self) {
        if self.notify.notify() {
            self.counters.wakes.fetch_add(1, Ordering::Relaxed);
        }
    }
}
