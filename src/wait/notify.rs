//! A call to a worker: there is something to do.

use crate::sync::{AtomicBool, OnceLock, Ordering, thread};
use std::time::Duration;

/// Tells a worker that there is something for it to do.
#[derive(Debug)]
pub(crate) struct Notify {
    pending: AtomicBool,
    worker: OnceLock<thread::Thread>,
}

impl Notify {
    pub(crate) fn new() -> Self {
        Notify {
            pending: AtomicBool::new(false),
            worker: OnceLock::new(),
        }
    }

    /// The thread that naps in [`Notify::nap`]. Before anybody else has the worker: [`Notify::notify`] relies on it.
    pub(crate) fn attach(&self, worker: thread::Thread) {
        // Attached once, by who started it.
        let _ = self.worker.set(worker);
    }

    /// At most one wake-up call, and only if nobody has called since the worker last looked. True if this called.
    pub(crate) fn notify(&self) -> bool {
        // SYNC wake: what there is to see is seen by the worker that takes it.
        if self.pending.swap(true, Ordering::Release) {
            return false;
        }
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
        true
    }

    /// The worker is about to look. True if somebody asked it to.
    pub(crate) fn take(&self) -> bool {
        // SYNC wake: what its callers saw before they called.
        self.pending.swap(false, Ordering::Acquire)
    }

    pub(crate) fn is_pending(&self) -> bool {
        // Relaxed: the worker that finds it pending takes it next.
        self.pending.load(Ordering::Relaxed)
    }

    /// Sleeps until notified, at most `length`.
    pub(crate) fn nap(&self, length: Duration) {
        if !self.is_pending() {
            thread::nap(length);
        }
    }

    /// Sleeps for `length`, or until notified: then it is time to look again, whether or not anybody said so.
    pub(crate) fn doze(&self, length: Duration) {
        if !self.is_pending() {
            thread::doze(length);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_notify_calls_once_until_it_is_taken() {
        let notify = Notify::new();
        assert!(notify.notify());
        assert!(!notify.notify());
        assert!(notify.is_pending());
        notify.take();
        assert!(!notify.is_pending());
        assert!(notify.notify());
    }
}
