//! What a ring knows of one subscriber: its cursor, its limits, how to wake it, and whether its drop was told.

use super::cursor::{Cursor, CursorState};
use super::progress::ProgressProbe;
use crate::error::{Eviction, EvictionReason};
use crate::notice::{Armed, NoticeFlag};
use crate::subscriber::id::SubscriberId;
use crate::subscriber::options::{OnLap, SubscribeOptions};
use crate::sync::{AtomicBool, OnceLock, Ordering, fence, thread::ThreadId};
use crate::unwind;
use crate::wait::cell::WaitCell;

/// One subscriber of a ring, as publishers, the watch and the host see it.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) cursor: CacheAligned<Cursor>,
    pub(crate) id: SubscriberId,
    pub(crate) options: SubscribeOptions,
    pub(crate) is_handler: bool,
    /// [C1 window] Its width.
    pub(crate) window: u64,
    pub(crate) sleeper: WaitCell,
    notice: NoticeFlag,
    retired: AtomicBool,
    /// The host wants it gone: it is not to rejoin by itself.
    unsubscribed: AtomicBool,
    /// Not the host, but its own guard.
    leaves: AtomicBool,
    pub(crate) handler_thread: OnceLock<ThreadId>,
    pub(crate) panic_message: OnceLock<String>,
    pub(crate) progress: ProgressProbe,
}

/// A cache line of its own. Not `CachePadded`, which takes two where lines are fetched in pairs: the neighbours here are
/// parts of the same registration that hardly anyone touches.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct CacheAligned<T>(T);

impl<T> std::ops::Deref for CacheAligned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A drop that is to be told, if no other thread is faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingNotice {
    generation: Armed,
    pub(crate) state: CursorState,
}

impl Registration {
    /// A registration that joins at `sequence`; its drop is not told before [`Registration::arm_notice`].
    pub(crate) fn new(
        id: SubscriberId,
        options: SubscribeOptions,
        is_handler: bool,
        window: u64,
        sequence: u64,
    ) -> Self {
        Registration {
            cursor: CacheAligned(Cursor::new(sequence)),
            id,
            options,
            is_handler,
            window,
            sleeper: WaitCell::new(),
            notice: NoticeFlag::new(),
            retired: AtomicBool::new(false),
            unsubscribed: AtomicBool::new(false),
            leaves: AtomicBool::new(false),
            handler_thread: OnceLock::new(),
            panic_message: OnceLock::new(),
            progress: ProgressProbe::new(),
        }
    }

    /// It has joined: from now on a drop is news.
    pub(crate) fn arm_notice(&self) {
        self.notice.arm();
    }

    /// Its drop, if it was dropped and nobody has told.
    pub(crate) fn pending_notice(&self) -> Option<PendingNotice> {
        let generation = self.notice.armed()?;
        // After the flag: it is the cursor of this generation, or `claim_notice` fails.
        let state = self.cursor.look();
        (state.reason().is_some()).then_some(PendingNotice { generation, state })
    }

    /// True for the one caller that is to tell it.
    pub(crate) fn claim_notice(&self, pending_notice: PendingNotice) -> bool {
        self.notice.claim(pending_notice.generation)
    }

    /// It leaves of its own will: there is nothing to tell.
    pub(crate) fn disarm_notice(&self) {
        self.notice.disarm();
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
    pub(crate) fn is_reclaimable(&self) -> bool {
        // In this order: it retires last, and whoever sees that sees what its notice was by then.
        self.is_retired() && !self.notice.is_armed()
    }

    /// How and where it was dropped, as seen with the ring's tail at `tail`.
    pub(crate) fn eviction(position: CursorState, tail: u64) -> Option<Eviction> {
        Some(Eviction {
            reason: position.reason()?,
            sequence: position.sequence(),
            lag: tail.saturating_sub(position.sequence()),
        })
    }

    /// The host wants it gone, even where it was dropped for lag and is about to rejoin by itself. False if it was gone.
    pub(crate) fn unsubscribe(&self) -> bool {
        let before = self.cursor.glance().reason();
        // SYNC unsubscribed: whoever sees the mark sees that it leaves by itself.
        let first = !self.unsubscribed.swap(true, Ordering::Release);
        // SYNC unsubscribed: either this sees the cursor that has joined, or the joiner sees the mark.
        fence(Ordering::SeqCst);
        let evicted = self.evict(EvictionReason::Unsubscribed);
        // Not active, but about to be: it will find the mark.
        let rejoins =
            self.options.on_lap == OnLap::Rejoin && before.is_none_or(EvictionReason::is_for_lag);
        evicted || first && rejoins
    }

    /// Its own guard was dropped: it is to go, and nobody is to be told.
    pub(crate) fn leave(&self) -> bool {
        // Unless the host was first: that is news.
        if self.cursor.glance().reason() != Some(EvictionReason::Unsubscribed) {
            // Relaxed: the marks that follow carry it, in `unsubscribed` and in the cursor.
            self.leaves.store(true, Ordering::Relaxed);
        }
        self.unsubscribe()
    }

    pub(crate) fn left_by_itself(&self) -> bool {
        // Relaxed: asked of one whose cursor is marked, by the leaver or by who saw its mark.
        self.leaves.load(Ordering::Relaxed)
    }

    /// It rejoins of its own will.
    pub(crate) fn resubscribe(&self) {
        self.unsubscribed.store(false, Ordering::Relaxed);
    }

    /// After a join, or instead of one: the host wants it gone.
    pub(crate) fn is_unsubscribed(&self) -> bool {
        // SYNC unsubscribed: after the fence of its join.
        self.unsubscribed.load(Ordering::Acquire)
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
        let padding = align_of::<Registration>().saturating_sub(counts);
        assert!(size_of::<Registration>() + counts + padding + size_of::<usize>() <= 512);
    }

    #[test]
    fn a_drop_is_told_once_a_generation() {
        let registration = Registration::new(SubscriberId(1), SubscribeOptions::new(), false, 1, 0);
        assert!(registration.evict(EvictionReason::Lapped));
        assert!(registration.pending_notice().is_none(), "not joined yet");
        registration.arm_notice();
        let pending_notice = registration.pending_notice().unwrap();
        let other = registration.pending_notice().unwrap();
        assert!(registration.claim_notice(pending_notice));
        assert!(!registration.claim_notice(other));
        assert!(registration.pending_notice().is_none());
        registration.cursor.restart(3);
        registration.arm_notice();
        assert!(!registration.claim_notice(other), "an older generation's");
        assert!(registration.pending_notice().is_none(), "active");
        registration.retire();
        assert!(!registration.is_reclaimable());
        registration.disarm_notice();
        assert!(registration.is_reclaimable());
    }
}
