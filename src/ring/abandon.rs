//! Sequences without an event: claims that hang are abandoned, and pinned windows are passed over.
//!
//! Who abandons: a reader that waited for a grace (`reader.rs`), a worker's turn (`worker/turn.rs`),
//! and a publisher that scans for room (`ring/gate.rs`).
//!
//! Aeron's log buffers unblock a publisher that died between claim and commit in the same way.

use super::Ring;
use super::listeners::PendingWake;
use super::stamp::{self, Stamp};
use crate::failpoint::failpoint;
use crate::limits;
use crate::sync::Ordering;
use std::ops::Range;

impl<E> Ring<E> {
    /// Takes a claim that hangs from its publisher, a run as a whole. How many slots: none if it was final already.
    ///
    /// `sequence` must have been claimed: it is below the tail.
    pub(crate) fn abandon(&self, sequence: u64, pending: &mut PendingWake) -> u64 {
        let made = self.punch_holes(sequence, 1, pending);
        self.counters.abandoned.fetch_add(made, Ordering::Relaxed);
        made
    }

    /// Abandons claims in a row, up to the first that is not in flight. Returns how many slots, and where it ended.
    pub(crate) fn abandon_each(&self, claims: Range<u64>, pending: &mut PendingWake) -> (u64, u64) {
        let Range {
            start: mut next,
            end,
        } = claims;
        let mut abandoned = 0;
        while next < end && self.is_in_flight(next) {
            let made = self.abandon(next, pending);
            abandoned += made;
            next += made.max(1);
        }
        (abandoned, next)
    }

    /// [S2 final] Makes a claimed sequence a hole, or `run` of them from it on, without touching the memory. How many: where
    /// a writer hangs inside, as many as it was to write; none if `sequence` was final already.
    pub(super) fn punch_holes(&self, sequence: u64, run: u64, pending: &mut PendingWake) -> u64 {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        loop {
            let (next, made) = if seen.is_before(lap) && seen.at_rest() {
                if !seen.is_single() {
                    self.restamp_rest(sequence + run, sequence + seen.run(), seen);
                }
                let hole = Stamp::empty(lap, seen.holds_value());
                (hole.with_run(run), run)
            } else if seen.is_before(lap) || seen.is_writing_in(lap) {
                (Stamp::lost(lap).with_run_of(seen), seen.run())
            } else {
                return 0;
            };
            // SYNC final: the stamps that `restamp_rest` left. The memory is not touched: its `vacate` passes
            // through, as a read-modify-write continues the release sequence.
            match stamp.compare_exchange(seen.0, next.0, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => {
                    if seen.at_rest() {
                        pending.mark(seen.is_waited());
                    } else {
                        pending.ask_for_turn(); // perhaps: no bit can be set while a writer is inside
                        self.count_lost(seen);
                    }
                    self.counters.count_holes(made);
                    return made;
                }
                Err(found) => seen = Stamp(found),
            }
        }
    }

    /// A slot's writer was found inside: count the slot the first time.
    pub(super) fn count_lost(&self, seen: Stamp) {
        if seen.is_writing() {
            self.counters.lost.fetch_add(seen.run(), Ordering::Relaxed);
        }
    }

    /// [C4 pin] Makes all that was claimed holes, with stamps for runs up to `longest`.
    ///
    /// Nobody enters the inside of a run, as it is pinned; nobody waits there, as readers take a run at its head. Where somebody
    /// took the head away while this publisher hung, the run starts behind it. It lies in one lap, as all runs here do.
    pub(super) fn skip_pinned(&self, claimed: Range<u64>, longest: u64, pending: &mut PendingWake) {
        let Range { mut start, end } = claimed;
        while start < end {
            let may_begin = start.is_multiple_of(limits::RUN_STEP);
            let run = if may_begin {
                end.min(self.slots.lap_end(start)) - start
            } else {
                1
            };
            let run = run.min(longest);
            start += match self.punch_holes(start, run, pending) {
                0 => self.stamp(start).run(),
                made => made,
            };
        }
    }

    /// Leaves a slot that was abandoned: `LOST(x)` becomes a hole at `x`, however often it was passed meanwhile.
    pub(super) fn vacate(&self, sequence: u64, holds_value: bool) {
        let stamp = self.slots.stamp(sequence);
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        loop {
            debug_assert!(seen.is_lost(), "[S1 enter] broken: {seen:?}");
            // A LOST stamp always has a lap: somebody stamped it.
            let empty = Stamp::empty(seen.lap().unwrap_or(0), holds_value).with_run_of(seen);
            // SYNC vacate: the memory is as we found it.
            match stamp.compare_exchange(seen.0, empty.0, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(found) => seen = Stamp(found),
            }
        }
        self.counters.lost.fetch_sub(seen.run(), Ordering::Relaxed);
    }

    /// A publisher is about to swap out `head`, the stamp of a run: what it leaves of that, from `start` to `end`, gets stamps of
    /// its own. So a scan, or a reader, finds those slots final as before, and a run may be entered
    /// there too. The exchange that swaps `head` out releases these stamps: `final`.
    ///
    /// Whoever claimed there meanwhile is not disturbed: what the stamps say of their lap is true, then as later.
    #[inline]
    pub(super) fn restamp_rest(&self, start: u64, end: u64, head: Stamp) {
        let mut next = start;
        while next < end {
            let may_begin = next.is_multiple_of(limits::RUN_STEP);
            let run = if may_begin { end - next } else { 1 };
            let stamp = self.slots.stamp(next);
            let inside = Stamp(stamp.load(Ordering::Relaxed));
            let Some(final_too) = head.hand_on_to(inside) else {
                next += inside.run(); // somebody was faster
                continue;
            };
            let final_too = final_too.with_run(run).0;
            failpoint!(HandingOn);
            // SYNC publish: the contents of the run, which its head had, to whoever comes from behind.
            if stamp
                .compare_exchange(inside.0, final_too, Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                next += run;
            }
        }
    }
}

/// [C4 pin] The longest run of holes that one stamp is to speak for.
///
/// A pinned window is passed slot by slot the first time, so that its reader, wherever it stands in it, finds at its next look
/// that it was lapped. After that a stamp for all of it does.
pub(super) fn longest_hole(again: bool) -> u64 {
    if again { stamp::LONGEST_RUN } else { 1 }
}
