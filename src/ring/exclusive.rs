//! Writing with one publisher: no compare-and-swap, no stamp loaded, one stamp for a run of a batch.
//!
//! The same slots and the same readers as in [`super::shared`]. Only the publisher writes a stamp:
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
use super::ahead::Ahead;
use super::at_hand::at_hand;
use super::batch::{Batch, Olds, batch_of};
use super::gate::{Blocker, GateOutcome};
use super::gate::{Policy, Refusal};
use super::listeners::PendingWake;
use super::segment::SegmentValues;
use super::stamp::Stamp;
use crate::failpoint::failpoint;
use crate::rests::Rests;
use crate::sync::{Ordering, thread};

/// The publisher's own side of the ring.
///
/// The tip counts slots within a lap, because a report that knows the index of its slot need not
/// find it. Where a lap is written to its end, all of this is of that lap until a scan finds room
/// in the next.
#[derive(Debug)]
pub(crate) struct Tip {
    /// The first sequence of the lap.
    lap_start: u64,
    /// The next slot to write. The capacity, where the lap is written to its end.
    index: usize,
    /// No slot at or beyond this one is entered: [C2 gate], [C4 pin]. At most the capacity. The
    /// slots from `index` to here all hold a value, or none does.
    room_end: usize,
    /// How far the room is asked for.
    ahead: Ahead,
    /// The stamp of a single event of this lap.
    full: Stamp,
    /// The slots from this one on hold a value. At first those of the first lap hold none.
    pub(super) filled_from: usize,
    rests: Rests,
    /// What the last scan stopped at, if it gave no room.
    blocker: Option<Blocker>,
}

impl Tip {
    /// The next sequence to write.
    #[inline(always)]
    pub(crate) fn next(&self) -> u64 {
        self.lap_start + self.index as u64
    }

    /// The next slot to write.
    #[inline(always)]
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// There is room to write the next event, and nothing to ask for before: [`Ahead`].
    #[inline(always)]
    pub(crate) fn is_prepared(&self) -> bool {
        self.ahead.covers(self.index)
    }

    /// There is room to write the next event.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.index < self.room_end
    }

    /// Returns how many events can be written without another scan.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        self.room_end - self.index
    }

    /// Returns whether the next slot, and each one after it, holds a value.
    ///
    /// Of laps but the first they always do: a pin makes no hole in the lap that it was read in, so
    /// that every slot of the first lap was written. [C4 pin]
    #[inline(always)]
    pub(crate) fn is_filled(&self) -> bool {
        self.index >= self.filled_from
    }

    /// The stamp of a single event in the room.
    #[inline(always)]
    pub(super) fn stamp(&self) -> Stamp {
        self.full
    }

    /// There is none until it is looked for.
    pub(super) fn forget_room(&mut self) {
        self.room_end = self.index;
        self.ahead.stop();
    }

    /// So many slots of the room are written.
    #[inline(always)]
    pub(super) fn advance(&mut self, slots: usize) {
        self.index += slots;
    }
}

impl<E> Ring<E> {
    /// Where the publisher starts: no room known.
    pub(crate) fn tip(&self) -> Tip {
        Tip {
            lap_start: 0,
            index: 0,
            room_end: 0,
            ahead: Ahead::new::<E>(self.slots.value_stride()),
            full: self.segment(0, 0).full,
            filled_from: self.capacity() as usize,
            rests: Rests::default(),
            blocker: None,
        }
    }

    /// Moves the tip to `next`, where there is no room until it is looked for.
    fn move_tip(&self, tip: &mut Tip, next: u64) {
        let index = (next & (self.capacity() - 1)) as usize;
        tip.ahead.stop();
        if next - index as u64 > tip.lap_start {
            tip.filled_from = 0;
            tip.ahead.start_lap();
        }
        tip.lap_start = next - index as u64;
        tip.index = index;
        tip.room_end = index;
        tip.full = self.segment(next, next).full;
    }

    /// Asks for the next slots of the room.
    #[cold]
    #[inline(never)]
    pub(crate) fn ask_ahead(&self, tip: &mut Tip) {
        self.slots
            .prefetch_write(tip.ahead.step(tip.index, tip.room_end));
    }

    /// The slots that the publisher writes next.
    ///
    /// # Safety
    /// There is room at the tip, which is this ring's.
    #[inline(always)]
    pub(super) unsafe fn values_at_tip(&self, tip: &Tip) -> SegmentValues<'_, E> {
        debug_assert!(tip.has_room());
        // SAFETY: the index is below the end of the room, which is at most the capacity.
        unsafe { self.slots.values_at(tip.index()) }
    }

    /// Publishes one event, and returns the value that its slot held.
    ///
    /// # Safety
    /// There is room at the tip, which is this ring's.
    #[inline(always)]
    pub(crate) unsafe fn publish_exclusive(&self, tip: &mut Tip, event: E) -> Option<E> {
        let holds_value = tip.is_filled();
        // SAFETY: there is room, so that no subscriber borrows the older value, and no other thread
        // writes at all. [C2 gate], [C4 pin]
        let old = unsafe { self.values_at_tip(tip).replace(0, event, holds_value) };
        // Where the stamp lies is found only now. Found before, it takes a register from an event
        // of 48 B, a word of which then goes by way of the stack, to another line.
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_tip(tip) };
        commit(&values, tip.full);
        tip.index += 1;
        old
    }

    /// Publishes the first event of `batch`, from its place.
    ///
    /// # Safety
    /// There is room at the tip, which is this ring's.
    pub(crate) unsafe fn publish_exclusive_in_place(
        &self,
        tip: &mut Tip,
        batch: &mut Batch<'_, E>,
    ) {
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_tip(tip) };
        let holds_value = tip.is_filled();
        let place = &mut batch.front(1)[0];
        // SAFETY: there is room, so that no subscriber borrows the older value, and no other thread
        // writes at all. [C2 gate], [C4 pin]
        unsafe { values.exchange(0, place, holds_value) };
        // SAFETY: the exchange left the value of the slot in the place, if there was one.
        unsafe { batch.published(1, holds_value) };
        commit(&values, tip.full);
        tip.index += 1;
    }

    /// Publishes events of an iterator as far as the room goes that is known, at most [`batch_of`], and moves the values that
    /// their slots held to `olds`. Returns how many, and whether the iterator ended.
    ///
    /// The events go from the iterator into their slots, and the stamps come last: to others the slots are nobody's, as
    /// nothing was claimed. So user code runs between, and if it panics what it gave before is published.
    ///
    /// # Safety
    /// There is room at the tip, which is this ring's.
    pub(crate) unsafe fn publish_exclusive_batch(
        &self,
        tip: &mut Tip,
        events: &mut impl Iterator<Item = E>,
        olds: &mut Olds<'_, E>,
    ) -> (usize, bool) {
        let most = tip.room().min(batch_of::<E>());
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_tip(tip) };
        let holds_value = tip.is_filled();
        let mut run = Run {
            ring: self,
            tip,
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

    /// [T1 tail] Everything before the tip is written, or a hole. A stamp comes there next, so that
    /// a joiner may start there.
    #[inline(always)]
    pub(super) fn store_tail(&self, tip: &Tip) {
        // Relaxed: a number, and what there is to read, the stamps say. A plain store: only the
        // publisher writes this word, the close included.
        self.tail.store(tip.next(), Ordering::Relaxed);
    }

    /// Looks for room beyond the tip, or asks for more of what is known. `pending` is to be paid,
    /// whatever comes of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_exclusive_room(
        &self,
        tip: &mut Tip,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<(), Refusal> {
        if tip.has_room() {
            self.ask_ahead(tip);
            return Ok(());
        }
        if policy == Policy::Keep
            && let Some(blocker) = tip.blocker
            && self.is_blocked_by(blocker)
        {
            return Err(Refusal::Full);
        }
        tip.blocker = None;
        let mut before_rest = None;
        for _ in 0..self.capacity() {
            self.store_tail(tip);
            match self.scan_gate(tip.next(), policy, pending) {
                GateOutcome::OpenUntil(limit) => {
                    if self.rests_at(limit, tip, policy, &mut before_rest) {
                        continue;
                    }
                    self.move_tip(tip, tip.next());
                    let end = (limit - tip.lap_start).min(self.capacity()) as usize;
                    tip.room_end = if tip.is_filled() {
                        end
                    } else {
                        end.min(tip.filled_from)
                    };
                    self.ask_ahead(tip);
                    return Ok(());
                }
                GateOutcome::Pinned { slots, again } => {
                    self.skip_pinned_exclusive(tip, slots, longest_hole(again));
                }
                GateOutcome::Contended => {}
                GateOutcome::Full(blocker) => {
                    tip.blocker = Some(blocker);
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
        tip: &mut Tip,
        policy: Policy,
        before_rest: &mut Option<u64>,
    ) -> bool {
        if let Some(before) = before_rest.take() {
            tip.rests.rested(limit > before);
            return false;
        }
        // A publisher that may drop subscribers waits for none.
        if policy == Policy::Evict || limit - tip.next() >= self.capacity() / 8 {
            return false;
        }
        if !tip.rests.are_due() {
            tip.rests.go_on();
            return false;
        }
        *before_rest = Some(limit);
        failpoint!(Resting);
        thread::rest();
        true
    }

    /// [C4 pin] Holes, with stamps for runs up to `longest`.
    fn skip_pinned_exclusive(&self, tip: &mut Tip, slots: u64, longest: u64) {
        let end = tip.next() + slots;
        // Relaxed: the stamps of the events behind the holes release it.
        self.holes_end.store(end, Ordering::Relaxed);
        while tip.next() < end {
            let next = tip.next();
            let run = (end - next).min(longest);
            let hole = Stamp::empty(self.slots.lap(next), true).with_run(run);
            // SYNC tail: who sees this hole sees the tail that was stored before it. Nothing is
            // read.
            self.slots.stamp(next).store(hole.0, Ordering::Release);
            self.counters.count_holes(run);
            self.move_tip(tip, next + run);
            self.store_tail(tip);
        }
    }
}

/// The stamp of a run, at its head, last.
#[inline(always)]
pub(super) fn commit<E>(run: &SegmentValues<'_, E>, stamp: Stamp) {
    // SAFETY: a row has a first slot.
    let head = unsafe { run.stamp(0) };
    // SYNC publish: the contents of the whole run.
    head.store(stamp.0, Ordering::Release);
}

/// Events that were written and bear no stamp yet. Its drop, which a panic of the iterator's comes to as well, gives them
/// theirs.
struct Run<'a, E> {
    ring: &'a Ring<E>,
    tip: &'a mut Tip,
    written: usize,
}

impl<E> Drop for Run<'_, E> {
    fn drop(&mut self) {
        if self.written > 0 {
            let stamp = self.tip.full.with_run(self.written as u64);
            // SAFETY: what was written lies in the room.
            let values = unsafe { self.ring.values_at_tip(self.tip) };
            commit(&values, stamp);
            self.tip.advance(self.written);
            self.ring.store_tail(self.tip);
        }
    }
}
