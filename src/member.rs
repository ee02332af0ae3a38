//! What a ring knows of one subscriber: its cursor, its limits, how to wake it, and whether its drop was told.

use crate::cursor::{Cursor, Position};
use crate::error::{Eviction, EvictionReason, SubscribeError};
use crate::limits;
use crate::sync::{AtomicBool, AtomicU64, OnceLock, Ordering, fence, thread::ThreadId};
use crate::unwind;
use crate::wait::cell::WaitCell;
use std::fmt;
use std::time::Duration;

/// Identifies a subscriber of one bus, for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(pub(crate) u64);

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What becomes of a subscriber that is too slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLap {
    /// It is dropped, and told why: `Evicted`.
    #[default]
    Evict,
    /// It is moved to the tail, and told how much it missed: `Lagged(n)`.
    Rejoin,
}

/// The soft limit: more than `slots` behind for longer than `time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LagLimit {
    pub(crate) slots: u64,
    pub(crate) time: Duration,
}

/// What a subscriber asked for when it joined.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) name: Option<String>,
    pub(crate) core: Option<usize>,
    /// The window that it asked for; none for as much as there is.
    pub(crate) window: Option<usize>,
    pub(crate) on_lap: OnLap,
    pub(crate) lag_limit: Option<LagLimit>,
    pub(crate) stall_limit: Option<Duration>,
    pub(crate) is_handler: bool,
}

impl Terms {
    /// Refuses what can never be meant in a ring of so many slots, and says what would do.
    pub(crate) fn check(&self, capacity: u64) -> Result<(), SubscribeError> {
        let mut characters = self.name.iter().flat_map(|name| name.char_indices());
        if let Some((position, character)) = characters.find(|(_, c)| c.is_control()) {
            return Err(SubscribeError::InvalidName {
                position,
                character,
            });
        }
        if let Some(slots) = self.window
            && !(1..=limits::WIDEST_WISH).contains(&slots)
        {
            return Err(SubscribeError::WindowOutOfRange {
                slots,
                most: limits::WIDEST_WISH,
            });
        }
        let zero = |option| Err(SubscribeError::ZeroDuration { option });
        match self.lag_limit {
            Some(limit) if limit.time.is_zero() => return zero("lag_limit"),
            Some(limit) if limit.slots >= capacity => {
                return Err(SubscribeError::LagLimitTooLarge {
                    slots: limit.slots,
                    capacity,
                });
            }
            _ => {}
        }
        match self.stall_limit {
            Some(time) if time.is_zero() => zero("stall_limit"),
            _ => Ok(()),
        }
    }

    /// The watch is to look at how its cursor moves.
    pub(crate) fn is_limited(&self) -> bool {
        self.lag_limit.is_some() || self.stall_limit.is_some()
    }
}

/// One subscriber of a ring, as publishers, the watch and the host see it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) cursor: Line<Cursor>,
    pub(crate) id: SubscriberId,
    pub(crate) terms: Terms,
    /// [C1 window] Its width.
    pub(crate) window: u64,
    pub(crate) sleeper: WaitCell,
    notice: Notice,
    retired: AtomicBool,
    /// The host wants it gone: it is not to rejoin by itself.
    unwanted: AtomicBool,
    /// Not the host, but its own guard.
    leaves: AtomicBool,
    pub(crate) handler_thread: OnceLock<ThreadId>,
    pub(crate) panic_message: OnceLock<String>,
    pub(crate) watched: Watched,
}

/// A cache line of its own. Not `CachePadded`, which takes two where lines are fetched in pairs: the neighbours here are
/// parts of the same member that hardly anyone touches.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Line<T>(T);

impl<T> std::ops::Deref for Line<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// What the watch remembers of a member between two looks. Only whoever turns the worker uses it; Relaxed, as no
/// memory hangs on it.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Where the cursor was.
    pub(crate) sequence: AtomicU64,
    /// Since when it is behind and has not moved, in the clock's nanoseconds; [`NEVER`] if it is not behind.
    pub(crate) since: AtomicU64,
    /// Since when it is further behind than its lag limit; [`NEVER`] if it is not.
    pub(crate) lagging_since: AtomicU64,
    pub(crate) claim: ClaimWait,
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
    pub(crate) fn abandon_up_to(&self, end: u64) {
        self.abandoned.store(end, Ordering::Relaxed);
        self.end();
    }
}

/// No point in time.
pub(crate) const NEVER: u64 = u64::MAX;

/// Makes sure that each drop is told once: `generation << 1 | armed`.
///
/// A generation is the life of a cursor between two joins. Whoever disarms it owns the telling.
#[derive(Debug)]
struct Notice(AtomicU64);

/// A drop that is to be told, if nobody was faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untold {
    armed: u64,
    pub(crate) position: Position,
}

impl Member {
    /// A member that joins at `sequence`; its drop is not told before [`Member::arm_notice`].
    pub(crate) fn new(id: SubscriberId, terms: Terms, window: u64, sequence: u64) -> Self {
        Member {
            cursor: Line(Cursor::new(sequence)),
            id,
            terms,
            window,
            sleeper: WaitCell::new(),
            notice: Notice(AtomicU64::new(0)),
            retired: AtomicBool::new(false),
            unwanted: AtomicBool::new(false),
            leaves: AtomicBool::new(false),
            handler_thread: OnceLock::new(),
            panic_message: OnceLock::new(),
            watched: Watched {
                sequence: AtomicU64::new(NEVER),
                since: AtomicU64::new(NEVER),
                lagging_since: AtomicU64::new(NEVER),
                claim: ClaimWait::new(),
            },
        }
    }

    /// It has joined: from now on a drop is news.
    pub(crate) fn arm_notice(&self) {
        let word = self.notice.0.load(Ordering::Relaxed);
        debug_assert_eq!(word & 1, 0);
        // Relaxed: the fence of its join comes before, and releases that its cursor is another (SYNC notice).
        self.notice.0.store((word | 1) + 2, Ordering::Relaxed);
    }

    /// Its drop, if it was dropped and nobody has told.
    pub(crate) fn untold(&self) -> Option<Untold> {
        // SYNC notice: the cursor is looked at in this generation, or `tell` fails. (From the fence of the join.)
        let armed = self.notice.0.load(Ordering::Acquire);
        let position = self.cursor.look();
        (armed & 1 == 1 && position.reason().is_some()).then_some(Untold { armed, position })
    }

    /// True for the one caller that is to tell it.
    pub(crate) fn tell(&self, untold: Untold) -> bool {
        // Relaxed: one exchange succeeds, and carries nothing.
        self.notice
            .0
            .compare_exchange(
                untold.armed,
                untold.armed & !1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// It leaves of its own will: there is nothing to tell.
    pub(crate) fn disarm_notice(&self) {
        // Relaxed: as above.
        self.notice.0.fetch_and(!1, Ordering::Relaxed);
    }

    /// Its subscriber is gone for good.
    pub(crate) fn retire(&self) {
        // SYNC detach: after the cursor was detached.
        self.retired.store(true, Ordering::Release);
    }

    pub(crate) fn is_retired(&self) -> bool {
        // SYNC detach
        self.retired.load(Ordering::Acquire)
    }

    /// Nobody needs it in the registry: it is gone, and its drop was told.
    pub(crate) fn is_settled(&self) -> bool {
        // Relaxed: it retires last, and whoever sees that sees what its notice was by then.
        self.is_retired() && self.notice.0.load(Ordering::Relaxed) & 1 == 0
    }

    /// How and where it was dropped, as seen with the ring's tail at `tail`.
    pub(crate) fn eviction(position: Position, tail: u64) -> Option<Eviction> {
        Some(Eviction {
            reason: position.reason()?,
            sequence: position.sequence(),
            lag: tail.saturating_sub(position.sequence()),
        })
    }

    /// The host wants it gone, even where it was dropped for lag and is about to rejoin by itself. False if it was gone.
    pub(crate) fn unsubscribe(&self) -> bool {
        let before = self.cursor.glance().reason();
        // SYNC unwanted: whoever sees the mark sees that it leaves by itself.
        let first = !self.unwanted.swap(true, Ordering::Release);
        // SYNC unwanted: either this sees the cursor that has joined, or the joiner sees the mark.
        fence(Ordering::SeqCst);
        let evicted = self.evict(EvictionReason::Unsubscribed);
        // Not active, but about to be: it will find the mark.
        let rejoins =
            self.terms.on_lap == OnLap::Rejoin && before.is_none_or(EvictionReason::is_for_lag);
        evicted || first && rejoins
    }

    /// Its own guard was dropped: it is to go, and nobody is to be told.
    pub(crate) fn leave(&self) -> bool {
        // Unless the host was first: that is news.
        if self.cursor.glance().reason() != Some(EvictionReason::Unsubscribed) {
            // Relaxed: the marks that follow carry it, in `unwanted` and in the cursor.
            self.leaves.store(true, Ordering::Relaxed);
        }
        self.unsubscribe()
    }

    pub(crate) fn left_by_itself(&self) -> bool {
        // Relaxed: asked of one whose cursor is marked, by the leaver or by who saw its mark.
        self.leaves.load(Ordering::Relaxed)
    }

    /// It rejoins of its own will.
    pub(crate) fn welcome(&self) {
        self.unwanted.store(false, Ordering::Relaxed);
    }

    /// After a join, or instead of one: the host wants it gone.
    pub(crate) fn is_unwanted(&self) -> bool {
        // SYNC unwanted: after the fence of its join.
        self.unwanted.load(Ordering::Acquire)
    }

    /// Wakes it, if it sleeps: true. Its waker is user code: a panic in it is caught.
    pub(crate) fn wake(&self) -> bool {
        unwind::catch(|| self.sleeper.wake()).unwrap_or(true)
    }

    /// After an eviction.
    pub(crate) fn wake_evicted(&self) -> bool {
        // SYNC sleep: one that registered before is seen; one that registers after sees that it was evicted.
        fence(Ordering::SeqCst);
        self.wake()
    }

    /// Drops it, whoever asks; false if it was not active.
    pub(crate) fn evict(&self, reason: EvictionReason) -> bool {
        self.cursor.evict_anywhere(reason)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_costs_at_most_512_bytes_of_shared_state() {
        // The two counts of an `Arc` before it, and the pointer in the registry behind it.
        let counts = 2 * size_of::<usize>();
        let padding = align_of::<Member>().saturating_sub(counts);
        assert!(size_of::<Member>() + counts + padding + size_of::<usize>() <= 512);
    }

    #[test]
    fn a_drop_is_told_once_a_generation() {
        let member = Member::new(SubscriberId(1), Terms::default(), 1, 0);
        assert!(member.evict(EvictionReason::Lapped));
        assert!(member.untold().is_none(), "not joined yet");
        member.arm_notice();
        let untold = member.untold().unwrap();
        let other = member.untold().unwrap();
        assert!(member.tell(untold));
        assert!(!member.tell(other));
        assert!(member.untold().is_none());
        member.cursor.restart(3);
        member.arm_notice();
        assert!(!member.tell(other), "an older generation's");
        assert!(member.untold().is_none(), "active");
        member.retire();
        assert!(!member.is_settled());
        member.disarm_notice();
        assert!(member.is_settled());
    }
}
