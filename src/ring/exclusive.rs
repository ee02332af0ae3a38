//! Writing with one publisher: no compare-and-swap, no stamp loaded, one stamp for a run of a batch.
//!
//! The same slots and the same readers as in [`super::claim`]. Only the publisher writes a stamp:
//! there is nothing to rescue and nothing to wait at.
//!
//! - **\[T1 tail\]** The ring's `tail` is stored before the fence of every scan, and after each
//!   batch and each hole. So the events behind it bear single stamps, lie in one lap, and are at
//!   most as many as a scan gives. A store for each event would go to another cache line between
//!   two stores to a line of slots, and keep the processor from gathering those.
//! - **\[T2 holes\]** `holes_end` is stored before the stamp of any event behind the holes. The slots
//!   of an exclusive ring are written in order. So a reader that sees the stamp of an event knows
//!   that each slot from `holes_end` up to there holds an event.

use super::Ring;
use super::abandon::longest_hole;
use super::at_hand::at_hand;
use super::batch::{Batch, Olds, batch_of};
use super::gate::{GateOutcome, Policy, Refusal};
use super::listeners::PendingWake;
use super::segment::SegmentValues;
use super::stamp::Stamp;
use super::write_cursor::WriteCursor;
use crate::failpoint::failpoint;
use crate::sync::{Ordering, thread};

impl<E> Ring<E> {
    /// Publishes one event, and returns the value that its slot held.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's.
    #[inline(always)]
    pub(crate) unsafe fn publish_exclusive(&self, cursor: &mut WriteCursor, event: E) -> Option<E> {
        let holds_value = cursor.is_filled();
        // SAFETY: there is room, so that no subscriber borrows the older value, and no other thread
        // writes at all. [C2 gate], [C4 pin]
        let old = unsafe { self.values_at_cursor(cursor).replace(0, event, holds_value) };
        // Where the stamp lies is found only now. Found before, it takes a register from an event
        // of 48 B, a word of which then goes by way of the stack, to another line.
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        commit(&values, cursor.full);
        cursor.index += 1;
        old
    }

    /// Publishes the first event of `batch`, from its place.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's.
    pub(crate) unsafe fn publish_exclusive_in_place(
        &self,
        cursor: &mut WriteCursor,
        batch: &mut Batch<'_, E>,
    ) {
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        let holds_value = cursor.is_filled();
        let place = &mut batch.front(1)[0];
        // SAFETY: there is room, so that no subscriber borrows the older value, and no other thread
        // writes at all. [C2 gate], [C4 pin]
        unsafe { values.exchange(0, place, holds_value) };
        // SAFETY: the exchange left the value of the slot in the place, if there was one.
        unsafe { batch.published(1, holds_value) };
        commit(&values, cursor.full);
        cursor.index += 1;
    }

    /// Publishes events of an iterator as far as the room goes that is known, at most [`batch_of`], and moves the values that
    /// their slots held to `olds`. Returns how many, and whether the iterator ended.
    ///
    /// The events go from the iterator into their slots, and the stamps come last: to others the slots are nobody's, as
    /// nothing was claimed. So user code runs between, and if it panics what it gave before is published.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's.
    pub(crate) unsafe fn publish_exclusive_batch(
        &self,
        cursor: &mut WriteCursor,
        events: &mut impl Iterator<Item = E>,
        olds: &mut Olds<'_, E>,
    ) -> (usize, bool) {
        let most = cursor.room().min(batch_of::<E>());
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        let holds_value = cursor.is_filled();
        let mut run = Run {
            ring: self,
            cursor,
            written: 0,
        };
        let ended = at_hand(events, |events| {
            while run.written < most {
                let Some(event) = events.next() else {
                    return true;
                };
                // SAFETY: the slot lies in the room, which is of one lap, and is not committed. So
                // no subscriber borrows the older value, and no other thread writes at all. [C2
                // gate], [C4 pin]
                olds.keep(unsafe { values.replace(run.written, event, holds_value) });
                run.written += 1;
            }
            false
        });
        (run.written, ended)
    }

    /// [T1 tail] Everything before the cursor is written, or a hole. A stamp comes there next, so that
    /// a joiner may start there.
    #[inline(always)]
    pub(super) fn store_tail(&self, cursor: &WriteCursor) {
        // Relaxed: a number, and what there is to read, the stamps say. A plain store: only the
        // publisher writes this word, the close included.
        self.tail.store(cursor.next(), Ordering::Relaxed);
    }

    /// Looks for room beyond the cursor, or asks for more of what is known. `pending` is to be woken,
    /// whatever comes of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_exclusive_room(
        &self,
        cursor: &mut WriteCursor,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<(), Refusal> {
        if cursor.has_room() {
            self.ask_ahead(cursor);
            return Ok(());
        }
        if policy == Policy::Keep
            && let Some(blocker) = cursor.blocker
            && self.is_blocked_by(blocker)
        {
            return Err(Refusal::Full);
        }
        cursor.blocker = None;
        let mut before_rest = None;
        for _ in 0..self.capacity() {
            self.store_tail(cursor);
            match self.scan_gate(cursor.next(), policy, pending) {
                GateOutcome::OpenUntil(limit) => {
                    if self.rests_at(limit, cursor, policy, &mut before_rest) {
                        continue;
                    }
                    self.move_cursor(cursor, cursor.next());
                    let end = (limit - cursor.lap_start).min(self.capacity()) as usize;
                    cursor.room_end = if cursor.is_filled() {
                        end
                    } else {
                        end.min(cursor.filled_from)
                    };
                    self.ask_ahead(cursor);
                    return Ok(());
                }
                GateOutcome::Pinned { slots, again } => {
                    self.skip_pinned_exclusive(cursor, slots, longest_hole(again));
                }
                GateOutcome::Contended => {}
                GateOutcome::Full(blocker) => {
                    cursor.blocker = Some(blocker);
                    return Err(Refusal::Full);
                }
                GateOutcome::Exhausted => break,
            }
        }
        Err(self.exhausted())
    }

    /// Rests if a scan found little room, and returns whether another scan is to follow.
    ///
    /// The slowest reader has most of the ring before it, so that it does not wait for this rest. One
    /// scan that finds much room takes that reader's cursor from it less often than many scans that
    /// find little.
    fn rests_at(
        &self,
        limit: u64,
        cursor: &mut WriteCursor,
        policy: Policy,
        before_rest: &mut Option<u64>,
    ) -> bool {
        if let Some(before) = before_rest.take() {
            cursor.rests.rested(limit > before);
            return false;
        }
        // A publisher that may drop subscribers waits for none.
        if policy == Policy::Evict || limit - cursor.next() >= self.capacity() / 8 {
            return false;
        }
        if !cursor.rests.are_due() {
            cursor.rests.go_on();
            return false;
        }
        *before_rest = Some(limit);
        failpoint!(Resting);
        thread::rest();
        true
    }

    /// [C4 pin] Holes, with stamps for runs up to `longest`.
    fn skip_pinned_exclusive(&self, cursor: &mut WriteCursor, slots: u64, longest: u64) {
        let end = cursor.next() + slots;
        // Relaxed: the stamps of the events behind the holes release it.
        self.holes_end.store(end, Ordering::Relaxed);
        while cursor.next() < end {
            let next = cursor.next();
            let run = (end - next).min(longest);
            let hole = Stamp::empty(self.slots.lap(next), true).with_run(run);
            // SYNC tail: who sees this hole sees the tail that was stored before it. Nothing is
            // read.
            self.slots.stamp(next).store(hole.0, Ordering::Release);
            self.counters.count_holes(run);
            self.move_cursor(cursor, next + run);
            self.store_tail(cursor);
        }
    }
}

/// The stamp of a run, at its head, last.
#[inline(always)]
pub(super) fn commit<E>(run: &SegmentValues<'_, E>, stamp: Stamp) {
    // SAFETY: a segment has a first slot.
    let head = unsafe { run.stamp(0) };
    // SYNC publish: the contents of the whole run.
    head.store(stamp.0, Ordering::Release);
}

/// Events that were written and bear no stamp yet. Its drop, which a panic of the iterator's comes to as well, gives them
/// theirs.
struct Run<'a, E> {
    ring: &'a Ring<E>,
    cursor: &'a mut WriteCursor,
    written: usize,
}

impl<E> Drop for Run<'_, E> {
    fn drop(&mut self) {
        if self.written > 0 {
            let stamp = self.cursor.full.with_run(self.written as u64);
            // SAFETY: what was written lies in the room.
            let values = unsafe { self.ring.values_at_cursor(self.cursor) };
            commit(&values, stamp);
            self.cursor.advance(self.written);
            self.ring.store_tail(self.cursor);
        }
    }
}
