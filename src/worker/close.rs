//! Ending a ring and its worker: no more events, then no more limits, then no more thread.

use super::Worker;
use crate::sync::Ordering;

impl<E> Worker<E> {
    /// [C8 close] No event is accepted after this; sleepers are woken to find out.
    pub(crate) fn close(&self) {
        self.ring.close();
        self.notify_worker();
        for registration in self.ring.registry().registrations().iter() {
            registration.wake();
        }
        self.ring.registry().drain_waiters().wake_all();
    }

    /// [C8 close] A stop begins: subscribers read on to the end, and no soft limit drops them.
    pub(crate) fn stop(&self) {
        // Relaxed: a turn that is under way may still drop a subscriber that was over its limit before.
        self.stopping.store(true, Ordering::Relaxed);
        self.close();
    }

    /// The thread ends at its next turn.
    pub(crate) fn end(&self) {
        // Relaxed: the call to the worker that follows carries it.
        self.ending.store(true, Ordering::Relaxed);
        self.notify_worker();
    }
}
