//! A place where a subscriber waits, and from where it is woken.

use crate::failpoint::failpoint;
use crate::sync::{AtomicU8, Ordering, UnsafeCell, thread};
use std::fmt;
use std::task::Waker;

/// Whom to wake: a thread that parks, or a task.
#[derive(Debug)]
pub(crate) enum Waiter {
    Thread(thread::Thread),
    Task(Waker),
}

impl Waiter {
    /// The state of a cell in which it sleeps.
    fn asleep(&self) -> u8 {
        match self {
            Waiter::Thread(_) => THREAD_ASLEEP,
            Waiter::Task(_) => TASK_ASLEEP,
        }
    }

    fn wake(self) {
        match self {
            Waiter::Thread(thread) => thread.unpark(),
            Waiter::Task(waker) => waker.wake(),
        }
    }
}

/// No subscriber sleeps here. The handle of a thread that did may be left.
const EMPTY: u8 = 0;
/// The subscriber is changing the sleeper.
const REGISTERING: u8 = 1;
/// A task sleeps here, and no thread touches it.
const TASK_ASLEEP: u8 = 2;
/// A waker is taking the sleeper.
const WAKING: u8 = 3;
/// Somebody wanted to wake while the subscriber was registering.
const MISSED: u8 = 4;
/// The same as `TASK_ASLEEP`, of a thread.
const THREAD_ASLEEP: u8 = 5;

/// A place for one sleeper, written by its owner (a subscriber, or a future of `Bus::drained`). The
/// thread that wakes a task empties it; the handle of a thread stays until its owner replaces it.
///
/// No lock: a thread that is frozen in here makes nobody wait. While a waker is inside, registering fails, and the
/// subscriber counts as woken; while the subscriber is inside, a waker leaves word. (The idea of futures'
/// `AtomicWaker`, whose states these are.)
///
/// **\[W1 cell\]** In `REGISTERING` and `MISSED` only the subscriber touches the sleeper, in `WAKING` only the waker whose
/// compare-and-swap came there, otherwise nobody.
pub(crate) struct WaitCell {
    state: AtomicU8,
    sleeper: UnsafeCell<Option<Waiter>>,
}

impl WaitCell {
    pub(crate) fn new() -> Self {
        WaitCell {
            state: AtomicU8::new(EMPTY),
            sleeper: UnsafeCell::new(None),
        }
    }

    /// Called by the subscriber alone. False if it is being woken right now.
    pub(crate) fn register(&self, sleeper: Waiter) -> bool {
        let asleep = sleeper.asleep();
        let Some(old) = self.change(Some(sleeper)) else {
            return false;
        };
        // SYNC cell: hands the sleeper over to whoever wakes it, or takes over what was missed.
        let settled =
            self.state
                .compare_exchange(REGISTERING, asleep, Ordering::Release, Ordering::Acquire);
        if settled.is_err() {
            // MISSED: this very thread is to wake; nobody else comes in before the store.
            let missed = self.take();
            // Relaxed: only this thread comes in from here.
            self.state.store(EMPTY, Ordering::Relaxed);
            drop(missed);
        }
        drop(old); // a waker's own code: outside of any state
        settled.is_ok()
    }

    /// Called by the subscriber alone: it will not sleep after all, or is awake again.
    pub(crate) fn cancel(&self) {
        if let Some(old) = self.change(None) {
            // Relaxed: only this thread comes in from here, and it looks for itself now.
            self.state.store(EMPTY, Ordering::Relaxed);
            drop(old);
        }
    }

    /// Puts another sleeper in, leaving the state at `REGISTERING`; `None` if a waker is inside.
    #[allow(clippy::option_option)]
    fn change(&self, sleeper: Option<Waiter>) -> Option<Option<Waiter>> {
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            if seen == WAKING {
                return None;
            }
            // SYNC cell: the last waker has left.
            match self.state.compare_exchange(
                seen,
                REGISTERING,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(found) => seen = found,
            }
        }
        let replaced = self.sleeper.with_mut(|cell| {
            // SAFETY: [W1 cell]
            unsafe { std::mem::replace(&mut *cell, sleeper) }
        });
        Some(replaced)
    }

    fn take(&self) -> Option<Waiter> {
        // SAFETY: [W1 cell]: called in MISSED by the subscriber and in WAKING by the waker that made it so.
        self.sleeper.with_mut(|cell| unsafe { (*cell).take() })
    }

    pub(crate) fn is_asleep(&self) -> bool {
        // Relaxed: `wake` acquires.
        matches!(
            self.state.load(Ordering::Relaxed),
            TASK_ASLEEP | THREAD_ASLEEP
        )
    }

    /// A thread sleeps here, which a publisher may wake.
    pub(crate) fn is_thread_asleep(&self) -> bool {
        // Relaxed: `wake_thread` acquires.
        self.state.load(Ordering::Relaxed) == THREAD_ASLEEP
    }

    /// Wakes the thread that sleeps here. Runs no code of a user's and frees nothing, because the
    /// subscriber drops the handle when it sleeps again. Returns false if no thread sleeps here.
    ///
    /// A waker that is frozen in here before it has woken the thread leaves that to the thread's
    /// own nap; and the subscriber cannot sleep again before the waker goes on.
    pub(crate) fn wake_thread(&self) -> bool {
        // SYNC cell: takes the sleeper over.
        let taken = self.state.compare_exchange(
            THREAD_ASLEEP,
            WAKING,
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        if taken.is_err() {
            return false;
        }
        failpoint!(Waking);
        self.sleeper.with_mut(|cell| {
            // SAFETY: [W1 cell]: the compare-and-swap above came to `WAKING`.
            if let Some(Waiter::Thread(thread)) = unsafe { &*cell } {
                thread.unpark();
            }
        });
        // SYNC cell: hands the sleeper back to the subscriber.
        self.state.store(EMPTY, Ordering::Release);
        true
    }

    /// Wakes whoever sleeps here. True if there was somebody.
    ///
    /// Runs the code of a [`Waker`], which may panic.
    pub(crate) fn wake(&self) -> bool {
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            let next = match seen {
                TASK_ASLEEP | THREAD_ASLEEP => WAKING,
                REGISTERING => MISSED,
                _ => return false,
            };
            // SYNC cell: takes the sleeper over, or leaves word.
            match self
                .state
                .compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if next == WAKING => {
                    let sleeper = self.take();
                    // SYNC cell
                    self.state.store(EMPTY, Ordering::Release);
                    if let Some(sleeper) = sleeper {
                        sleeper.wake();
                    }
                    return true;
                }
                Ok(_) => return false,
                Err(found) => seen = found,
            }
        }
    }
}

impl fmt::Debug for WaitCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitCell")
            .field("asleep", &self.is_asleep())
            .finish()
    }
}

// SAFETY: [W1 cell] gives the sleeper to one thread at a time; `Thread` and `Waker` are `Send`.
unsafe impl Send for WaitCell {}
// SAFETY: as above.
unsafe impl Sync for WaitCell {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::{Arc, AtomicU64};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU64);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_sleeper_is_woken_once_and_can_be_cancelled() {
        let count = Arc::new(Count::default());
        let woken = || count.0.load(Ordering::Relaxed);
        let cell = WaitCell::new();
        assert!(!cell.wake());
        assert!(cell.register(Waiter::Task(count.clone().into())));
        assert!(
            cell.register(Waiter::Task(count.clone().into())),
            "replaced"
        );
        assert!(cell.is_asleep());
        assert!(cell.wake());
        assert!(!cell.wake());
        assert_eq!(woken(), 1);
        assert!(cell.register(Waiter::Task(count.clone().into())));
        cell.cancel();
        assert!(!cell.wake());
        assert_eq!(woken(), 1);
        drop(cell);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
