//! Places where a test can stop a thread, or count. Nothing without the feature `test-hooks`.

/// A place inside a publish by a shared publisher, in a scan, in a wake-up, or a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "test-hooks"), allow(dead_code, unreachable_pub))]
pub enum Point {
    /// A slot is claimed, and not entered.
    Claimed,
    /// The slots of a run are seen to be at rest, and none is entered.
    Seen,
    /// It is entered, and nothing is written.
    Entered,
    /// The event is written, and not committed.
    Written,
    /// A slot inside of a run is seen, and is to get a stamp of its own.
    HandingOn,
    /// A scan has looked at a place where a run may begin that a subscriber is inside of.
    Sought,
    /// A reader that is close to its publisher, or a publisher that found little room, is about to
    /// rest.
    Resting,
    /// A publisher is about to wake a thread. It has notified the worker if there are other sleepers.
    Raised,
    /// It has the thread's cell to itself, and has not woken it.
    Waking,
}

/// Marks a place where a test can stop this thread: `failpoint!(Claimed)`, by the name of a [`Point`].
macro_rules! failpoint {
    ($point:ident) => {
        $crate::failpoint::reach($crate::failpoint::Point::$point)
    };
}
pub(crate) use failpoint;

#[cfg(not(feature = "test-hooks"))]
#[inline(always)]
pub(crate) fn reach(_point: Point) {}

#[cfg(feature = "test-hooks")]
pub(crate) use installed::reach;
#[cfg(feature = "test-hooks")]
pub use installed::set;

#[cfg(feature = "test-hooks")]
mod installed {
    use super::Point;
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(Point)>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Calls `hook` at every [`Point`] that this thread reaches from now on, but for those that the
    /// hook reaches itself. It must not panic, publish or set a hook.
    pub fn set(hook: impl FnMut(Point) + 'static) {
        HOOK.with(|cell| *cell.borrow_mut() = Some(Box::new(hook)));
    }

    pub(crate) fn reach(point: Point) {
        // A destructor of this thread's may read when the hook is gone.
        let _ = HOOK.try_with(|cell| {
            // It is borrowed where the hook itself came here: a hook may read.
            if let Ok(mut hook) = cell.try_borrow_mut()
                && let Some(hook) = hook.as_mut()
            {
                hook(point);
            }
        });
    }
}
