//! The cursor: where a subscriber is, whether it still counts, and why not.
//!
//! ```text
//! DETACHED (1) | reason (3, 0 = active) | IDLE (1) | sequence of the first unread event (59)
//! ```
//!
//! Only its subscriber moves a cursor, only an eviction marks it.
//!
//! - **\[C1 window\]** A subscriber borrows from `[c, c + W)` only. It moves on by [`Cursor::advance`], and only if the
//!   old word was active.
//! - **\[C4 pin\]** Evicted and not yet detached, its window stays untouched in every later lap, unless it was `IDLE`.
//! - **\[C5 detach\]** [`Cursor::detach`] is a read-modify-write, so that exactly one side counts the drop.
//!
//! **Architecture Invariant:** nobody else knows these bits.

use crate::error::EvictionReason;
use crate::sync::{AtomicU64, Ordering};

const DETACHED: u64 = 1 << 63;
const REASON_SHIFT: u32 = 60;
const REASON: u64 = 0b111 << REASON_SHIFT;
const _: () = assert!(EvictionReason::COUNT as u64 <= REASON >> REASON_SHIFT);
const IDLE: u64 = 1 << 59;
const SEQUENCE: u64 = IDLE - 1;

/// The word that a publisher gates on.
#[derive(Debug)]
pub(crate) struct Cursor(AtomicU64);

/// A cursor's word, as loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CursorState(u64);

impl CursorState {
    /// The first unread sequence.
    #[inline(always)]
    pub(crate) fn sequence(self) -> u64 {
        self.0 & SEQUENCE
    }

    /// Publishers wait for nobody, but they respect this one.
    #[inline(always)]
    pub(crate) fn is_active(self) -> bool {
        self.0 & (DETACHED | REASON) == 0
    }

    pub(crate) fn is_detached(self) -> bool {
        self.0 & DETACHED != 0
    }

    pub(crate) fn is_idle(self) -> bool {
        self.0 & IDLE != 0
    }

    /// \[C4 pin\] Evicted, and perhaps in the middle of an event.
    pub(crate) fn pins(self) -> bool {
        self.0 & REASON != 0 && self.0 & (DETACHED | IDLE) == 0
    }

    /// Why it was evicted.
    pub(crate) fn reason(self) -> Option<EvictionReason> {
        let place = ((self.0 & REASON) >> REASON_SHIFT).checked_sub(1)?;
        EvictionReason::ALL.get(place as usize).copied()
    }

    pub(crate) fn evicted(self, reason: EvictionReason) -> CursorState {
        CursorState(self.0 | (reason as u64 + 1) << REASON_SHIFT)
    }
}

impl Cursor {
    /// An active cursor at `sequence`.
    pub(crate) fn new(sequence: u64) -> Self {
        debug_assert!(sequence <= SEQUENCE);
        Self(AtomicU64::new(sequence))
    }

    /// What the subscriber itself, or a statistic, sees.
    #[inline(always)]
    pub(crate) fn glance(&self) -> CursorState {
        // Relaxed: decides nothing about anybody's memory.
        CursorState(self.0.load(Ordering::Relaxed))
    }

    /// What a scan sees: the reads of whoever advanced or detached are over.
    pub(crate) fn look(&self) -> CursorState {
        // SYNC advance, detach, mark
        CursorState(self.0.load(Ordering::Acquire))
    }

    /// \[C1 window\] Moves on by `slots`, and returns the old word: only if it was active may the subscriber go on.
    #[inline(always)]
    pub(crate) fn advance(&self, slots: u64) -> CursorState {
        // SYNC advance: the reads of the slots that are left behind are over.
        CursorState(self.0.fetch_add(slots, Ordering::Release))
    }

    /// \[C4 pin\] Says that nothing is borrowed until [`Cursor::resume`], from here on: what was read is left behind.
    pub(crate) fn rest(&self) {
        // Relaxed: the advance that came here released the reads before it, and goes on through this exchange.
        let old = CursorState(self.0.fetch_or(IDLE, Ordering::Relaxed));
        debug_assert!(!old.is_idle());
    }

    /// Ends what [`Cursor::rest`] began; only if the old word was active may anything be read.
    pub(crate) fn resume(&self) -> CursorState {
        // Relaxed: the order of read-modify-writes on this word alone decides who came first.
        CursorState(self.0.fetch_and(!IDLE, Ordering::Relaxed))
    }

    /// \[C3 evict\] Marks an active cursor that has not moved since `seen`.
    pub(crate) fn evict(&self, seen: CursorState, reason: EvictionReason) -> bool {
        debug_assert!(seen.is_active());
        // SYNC mark: how far it was behind, and why. What the subscriber released when it came to `seen` was acquired by the
        // look, and goes on through the exchange.
        self.0
            .compare_exchange(
                seen.0,
                seen.evicted(reason).0,
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Marks the cursor wherever it is; false if it was not active.
    pub(crate) fn evict_anywhere(&self, reason: EvictionReason) -> bool {
        let mut seen = self.look();
        while seen.is_active() {
            if self.evict(seen, reason) {
                return true;
            }
            seen = self.look();
        }
        false
    }

    /// \[C5 detach\] The subscriber touches no slot after this. Returns the old word.
    pub(crate) fn detach(&self) -> CursorState {
        // SYNC detach: all its reads are over. SYNC mark: it knows what it was dropped by.
        CursorState(self.0.fetch_or(DETACHED, Ordering::AcqRel))
    }

    /// \[C6 join\] Takes a detached cursor up again at `sequence`; a fence and [`Cursor::move_up`] must follow.
    pub(crate) fn restart(&self, sequence: u64) {
        // SYNC detach: later scans see that earlier reads are over.
        self.0.store(sequence & SEQUENCE, Ordering::Release);
    }

    /// \[C6 join\] From where it registered to the tail as it stands; false if it was evicted meanwhile.
    pub(crate) fn move_up(&self, from: u64, to: u64) -> bool {
        // Relaxed: nothing was read since `from`, and what `restart` released goes on through the exchange.
        self.0
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_word() {
        for reason in EvictionReason::ALL {
            let cursor = Cursor::new(41);
            assert!(cursor.look().is_active());
            assert_eq!(cursor.look().reason(), None);
            assert!(cursor.evict(cursor.look(), reason));
            let seen = cursor.look();
            assert_eq!(seen.reason(), Some(reason));
            assert_eq!(seen.sequence(), 41);
            assert!(seen.pins() && !seen.is_active());
            assert!(!cursor.evict_anywhere(EvictionReason::Lapped), "only once");
            assert_eq!(cursor.detach().reason(), Some(reason));
            assert!(!cursor.look().pins());
        }
    }

    #[test]
    fn an_eviction_loses_to_an_advance() {
        let cursor = Cursor::new(7);
        let seen = cursor.look();
        assert!(cursor.advance(3).is_active());
        assert!(!cursor.evict(seen, EvictionReason::Lapped));
        assert_eq!(cursor.look().sequence(), 10);
    }

    #[test]
    fn an_idle_cursor_gates_but_pins_nothing() {
        let cursor = Cursor::new(7);
        cursor.rest();
        assert!(cursor.look().is_active() && cursor.look().is_idle());
        assert_eq!(cursor.look().sequence(), 7);
        assert!(cursor.evict_anywhere(EvictionReason::Lapped));
        assert!(!cursor.look().pins());
        assert!(!cursor.resume().is_active());
    }

    #[test]
    fn a_cursor_that_left_is_not_evicted() {
        let cursor = Cursor::new(0);
        assert!(cursor.detach().is_active());
        assert!(!cursor.evict_anywhere(EvictionReason::Unsubscribed));
        cursor.restart(90);
        assert!(cursor.look().is_active());
        assert!(cursor.move_up(90, 95));
        assert!(!cursor.move_up(90, 96));
    }
}
