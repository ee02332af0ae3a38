//! Who listens to a ring: whether an event would be read, who is to be woken for it, and the end.

use super::stamp::Stamp;
use super::{CLOSED, Ring};
use crate::sync::{Ordering, fence};

/// Who listens: how many subscribers live, and two marks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listeners(u64);

impl Listeners {
    /// The ring takes no more events.
    const CLOSED: u64 = 1 << 62;
    /// Sleepers ask an exclusive publisher for a wake-up. The sign, so that one comparison tells the usual case.
    const ASLEEP: u64 = 1 << 63;

    /// Somebody listens, and nobody asks for a wake-up.
    #[inline(always)]
    pub(crate) fn is_awake(self) -> bool {
        self.0.cast_signed() > 0
    }

    #[inline(always)]
    pub(crate) fn has_none(self) -> bool {
        self.0 == 0
    }

    /// The same, though a subscriber that is gone may have left its request for a wake-up.
    #[inline(always)]
    pub(crate) fn has_none_left(self) -> bool {
        self.0 & !Self::ASLEEP == 0
    }

    fn sleeps(self) -> bool {
        self.0 & Self::ASLEEP != 0
    }

    fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }
}

/// Wake-ups that an operation owes. It pays them after its commit, and on every other way out.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct PendingWake(u8);

impl PendingWake {
    const MARK: u8 = 1;
    const TURN: u8 = 2;

    /// A stamp was swapped out, at which a subscriber sleeps if it `is_marked`.
    #[inline(always)]
    pub(crate) fn mark(&mut self, is_marked: bool) {
        self.0 |= if is_marked { Self::MARK } else { 0 };
    }

    /// The worker is to look at all subscribers.
    pub(crate) fn ask_for_turn(&mut self) {
        self.0 |= Self::TURN;
    }

    #[inline(always)]
    pub(crate) fn is_nothing(&self) -> bool {
        self.0 == 0
    }

    pub(crate) fn asks_for_turn(&self) -> bool {
        self.0 & Self::TURN != 0
    }
}

/// Where an arming sleeper finds the slot that it wants to sleep at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    /// Whoever swaps the stamp out owes a wake-up.
    Yes,
    /// There is no need to sleep.
    Ready,
    /// A publisher is inside: no bit can be set.
    WriterActive,
}

impl<E> Ring<E> {
    #[inline(always)]
    pub(crate) fn listeners(&self) -> Listeners {
        // Relaxed: a report that follows a `subscribe`, in whatever way it was told of it, cannot miss the count. Of
        // sleepers it is a hint.
        Listeners(self.listeners.load(Ordering::Relaxed))
    }

    /// Nobody would read an event. False of a closed ring, so that the publisher goes on and meets the end.
    #[inline(always)]
    pub(crate) fn has_no_listeners(&self) -> bool {
        self.listeners().has_none()
    }

    pub(crate) fn add_listener(&self) {
        // Relaxed: before `subscribe` returns, so that every later report sees it.
        self.listeners.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_listener(&self) {
        // Relaxed: as above.
        self.listeners.fetch_sub(1, Ordering::Relaxed);
    }

    /// Asks an exclusive publisher for a wake-up. A fence and a look must follow.
    ///
    /// A hint: the publisher, which looks at the start of a report and has no fence, may miss it in one that is under way.
    /// A sleeper is looked after by naps besides.
    pub(crate) fn ask_for_wake_up(&self) {
        // SYNC asleep: that the sleeper is registered.
        self.listeners
            .fetch_or(Listeners::ASLEEP, Ordering::Release);
    }

    /// Takes what [`Ring::ask_for_wake_up`] asked: true for one of those who come for it.
    pub(crate) fn take_asleep(&self) -> bool {
        // SYNC asleep: the sleeper is found, or has gone on. Were it missed, the next event would
        // find no mark.
        Listeners(
            self.listeners
                .fetch_and(!Listeners::ASLEEP, Ordering::Acquire),
        )
        .sleeps()
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SYNC close: whoever sees the bit here sees it in the tail.
        Listeners(self.listeners.load(Ordering::Acquire)).is_closed()
    }

    /// [C8 close] No claim succeeds after this. The caller then wakes the sleepers.
    pub(crate) fn close(&self) {
        // Relaxed: the exchange that stops all claims.
        self.tail.fetch_or(CLOSED, Ordering::Relaxed);
        // SYNC close: whoever sees the bit here sees the last tail.
        self.listeners
            .fetch_or(Listeners::CLOSED, Ordering::Release);
        // SYNC sleep: a sleeper that registered before this is seen; one that registers after it sees the close.
        fence(Ordering::SeqCst);
    }

    /// Asks for a wake-up when something comes at `sequence`.
    pub(crate) fn arm(&self, sequence: u64) -> Armed {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        let mut seen = self.stamp(sequence);
        loop {
            if !seen.is_before(lap) {
                return if seen.is_writing_in(lap) {
                    Armed::WriterActive
                } else {
                    Armed::Ready
                };
            }
            if !seen.at_rest() {
                return Armed::WriterActive;
            }
            // Relaxed: it says that somebody sleeps. The fences say who: the sleeper's, and that of the turn.
            match stamp.compare_exchange(
                seen.0,
                seen.waited().0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Armed::Yes,
                Err(found) => seen = Stamp(found),
            }
        }
    }
}
