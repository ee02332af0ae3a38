//! Falling asleep where nothing is to be read. Who wakes a subscriber is in `worker/wake.rs` and
//! `worker/turn.rs`.

use super::Reader;
use crate::config::QUIET_NAP;
use crate::ring::listeners::Armed;
use crate::sync::{Ordering, fence};
use crate::wait::cell::Waiter;

impl<E> Reader<E> {
    /// Says that `sleeper` is to be woken when [`Reader::poll`] would find something. False: it would already.
    ///
    /// `fresh`: the first sleep of a wait that is longer than [`max_nap`], so that a worker that
    /// naps for longer is told of it.
    ///
    /// [`Reader::poll`] has just found nothing.
    ///
    /// [`max_nap`]: crate::BusBuilder::max_nap
    pub(crate) fn prepare_park(&mut self, sleeper: Waiter, fresh: bool) -> bool {
        let ring = &self.worker.ring;
        let cell = &self.registration.sleeper;
        if !cell.register(sleeper) {
            return false;
        }
        if !self.idle {
            // [C4 pin] Nothing is borrowed while it sleeps. If it was evicted, the look below says so.
            debug_assert_eq!(
                self.window.read(),
                0,
                "the look that found nothing advanced"
            );
            self.registration.cursor.rest();
            self.idle = true;
            self.window.set_slow();
        }
        if !ring.protocol().marks_stamps() {
            // No stamp can be marked. The publisher is asked, and should it miss that, the worker looks after us.
            ring.ask_for_wake_up();
            if fresh {
                self.worker.notify.notify();
            }
        } else {
            match ring.arm(self.window.next()) {
                // Claimed and not entered, perhaps for good; or a worker that naps longer than this sleeper may.
                Armed::Yes => {
                    let hasty = fresh && self.worker.config.max_nap < QUIET_NAP;
                    if hasty || self.window.next() < ring.tail() {
                        self.worker.notify.notify();
                    }
                }
                // A publisher is inside, perhaps for good: the worker keeps an eye on it.
                Armed::WriterActive => {
                    self.worker.notify.notify();
                }
                Armed::Ready => {
                    cell.cancel();
                    return false;
                }
            }
        }
        // SYNC sleep: whoever evicts, closes or publishes after this sees the sleeper; what came before is seen here.
        fence(Ordering::SeqCst);
        let sleeps = ring.is_pending(self.window.next())
            && !ring.is_closed()
            && self.registration.cursor.glance().is_active();
        if !sleeps {
            cell.cancel();
        }
        sleeps
    }

    /// Awake, for whatever reason.
    pub(crate) fn finish_park(&mut self) {
        self.registration.sleeper.cancel();
    }
}
