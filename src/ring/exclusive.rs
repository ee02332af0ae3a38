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

use super::at_hand::at_hand;
use super::batch::{Batch, Olds, batch_of};
use super::stamp::{Look, Stamp};
use super::{Owed, Policy, Refusal, Ring, Stretch, longest_hole};
use crate::registry::{Blocker, Room, most_room};
use crate::rests::Rests;
use crate::sync::{AtomicU64, Ordering, thread};

/// The publisher's own side of the ring.
#[derive(Debug)]
pub(crate) struct Tip {
    /// The next sequence to write.
    next: u64,
    /// No slot at or beyond its end is entered: [C2 gate], [C4 pin]. Its slots all hold a value, or
    /// none does.
    room: Stretch,
    /// The slots from this sequence on hold a value. At first those of the first lap hold none.
    pub(super) filled_from: u64,
    rests: Rests,
    /// What the last scan stopped at, if it gave no room.
    blocker: Option<Blocker>,
}

impl Tip {
    /// The next sequence to write.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// There is room to write the next event.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.next < self.room.end
    }

    /// Returns how many events can be written without another scan.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        (self.room.end - self.next) as usize
    }

    /// Returns whether the next slot, and each one after it, holds a value.
    ///
    /// Of laps but the first they always do: a pin makes no hole in the lap that it was read in, so
    /// that every slot of the first lap was written. [C4 pin]
    #[inline(always)]
    pub(crate) fn is_filled(&self) -> bool {
        self.next >= self.filled_from
    }

    /// The stamp of a single event in the room.
    #[inline(always)]
    pub(super) fn stamp(&self) -> Stamp {
        self.room.full
    }

    /// There is none until it is looked for.
    pub(super) fn forget_room(&mut self) {
        self.room.end = self.next;
    }

    #[inline(always)]
    pub(super) fn advance(&mut self, slots: u64) {
        self.next += slots;
    }
}

impl<E> Ring<E> {
    /// Where the publisher starts: no room known.
    pub(crate) fn tip(&self) -> Tip {
        Tip {
            next: 0,
            room: self.stretch(0, 0),
            filled_from: self.capacity(),
            rests: Rests::default(),
            blocker: None,
        }
    }

    /// Publishes one event, and returns the value that its slot held. There must be room.
    #[inline(always)]
    pub(crate) fn publish_exclusive(&self, tip: &mut Tip, event: E) -> Option<E> {
        debug_assert!(tip.has_room());
        let next = tip.next;
        let holds_value = tip.is_filled();
        // SAFETY: there is room, so [C2 gate], [C4 pin]: nobody borrows the older value, and nobody else writes at all.
        let old = unsafe { self.slots.replace(next, event, holds_value) };
        // Where the stamp lies is found only now. Found before, it takes a register from an event
        // of 48 B, a word of which then goes by way of the stack, to another line.
        commit(self.slots.stamp(next), tip.room.full);
        tip.next = next + 1;
        old
    }

    /// Publishes the first event of `batch`, from its place. There must be room.
    pub(crate) fn publish_exclusive_in_place(&self, tip: &mut Tip, batch: &mut Batch<'_, E>) {
        debug_assert!(tip.has_room());
        let next = tip.next;
        let holds_value = tip.is_filled();
        let place = &mut batch.front(1)[0];
        // SAFETY: there is room, so that no subscriber borrows the older value, and no other thread
        // writes at all. [C2 gate], [C4 pin]
        unsafe { self.slots.row(next).exchange(0, place, holds_value) };
        // SAFETY: the exchange left the value of the slot in the place, if there was one.
        unsafe { batch.published(1, holds_value) };
        commit(self.slots.stamp(next), tip.room.full);
        tip.next = next + 1;
    }

    /// Publishes events of an iterator as far as the room goes that is known, at most [`batch_of`], and moves the values that
    /// their slots held to `olds`. Returns how many, and whether the iterator ended.
    ///
    /// The events go from the iterator into their slots, and the stamps come last: to others the slots are nobody's, as
    /// nothing was claimed. So user code runs between, and if it panics what it gave before is published.
    pub(crate) fn publish_exclusive_batch(
        &self,
        tip: &mut Tip,
        events: &mut impl Iterator<Item = E>,
        olds: &mut Olds<'_, E>,
    ) -> (usize, bool) {
        let most = tip.room().min(batch_of::<E>());
        let row = self.slots.row(tip.next);
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
                olds.keep(unsafe { row.replace(run.written, event, holds_value) });
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
        self.tail.store(tip.next, Ordering::Relaxed);
    }

    /// [T1 tail] Returns what is published when `stored` is the tail that was stored: a place where
    /// a stamp is or comes next.
    ///
    /// It halves what the publisher may have written without another scan. A run that it meets ends
    /// behind all that is searched, or the events behind it are searched in turn.
    #[cold]
    #[inline(never)]
    pub(super) fn tail_by_stamps(&self, stored: u64) -> u64 {
        let mut tail = stored;
        let mut end = self
            .slots
            .lap_end(stored)
            .min(stored + most_room(self.capacity()));
        while tail < end {
            let middle = tail + (end - tail) / 2;
            match self.look(middle) {
                Look::Ready { run } | Look::Skip { run } => tail = middle + run,
                // The publisher is a lap further, so that it stored a tail since.
                Look::Lapped => return self.stored_tail(),
                Look::Writing | Look::Earlier => end = middle,
            }
        }
        tail
    }

    /// [T2 holes] Returns whether each slot from `start` to `last` holds an event, and no run leads
    /// beyond `last`. For an exclusive ring.
    #[inline(always)]
    pub(crate) fn is_event_each(&self, start: u64, last: u64) -> bool {
        debug_assert!(self.is_exclusive());
        // SYNC publish: the contents of all of them, and the end of all holes before `last`.
        self.is_single(last) && self.holes_end.load(Ordering::Relaxed) <= start
    }

    /// Returns whether an event with a stamp of its own is at `sequence`.
    #[inline(always)]
    pub(crate) fn is_single(&self, sequence: u64) -> bool {
        self.stamp(sequence) == Stamp::full(self.slots.lap(sequence))
    }

    /// Looks for room beyond the tip. `owed` is to be paid, whatever comes of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_exclusive_room(
        &self,
        tip: &mut Tip,
        policy: Policy,
        owed: &mut Owed,
    ) -> Result<(), Refusal> {
        if policy == Policy::Keep
            && let Some(blocker) = tip.blocker
            && self.seats.is_blocked_by(blocker)
        {
            return Err(Refusal::Full);
        }
        tip.blocker = None;
        let mut before_rest = None;
        for _ in 0..self.capacity() {
            self.store_tail(tip);
            match self.make_room(tip.next, policy, owed) {
                Room::Until(limit) => {
                    if self.rests_at(limit, tip, policy, &mut before_rest) {
                        continue;
                    }
                    let alike = if tip.is_filled() {
                        limit
                    } else {
                        limit.min(tip.filled_from)
                    };
                    tip.room = self.stretch(tip.next, alike);
                    return Ok(());
                }
                Room::Pinned { slots, again } => {
                    self.pass_over_exclusive(tip, slots, longest_hole(again));
                }
                Room::Moving => {}
                Room::Full(blocker) => {
                    tip.blocker = Some(blocker);
                    return Err(Refusal::Full);
                }
                Room::Exhausted => break,
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
        if policy == Policy::Evict || limit - tip.next >= self.capacity() / 8 {
            return false;
        }
        if !tip.rests.are_due() {
            tip.rests.go_on();
            return false;
        }
        *before_rest = Some(limit);
        crate::hooks::reach(crate::hooks::Point::Resting);
        thread::rest();
        true
    }

    /// [C4 pin] Holes, with stamps for runs up to `longest`.
    fn pass_over_exclusive(&self, tip: &mut Tip, slots: u64, longest: u64) {
        let end = tip.next + slots;
        // Relaxed: the stamps of the events behind the holes release it.
        self.holes_end.store(end, Ordering::Relaxed);
        while tip.next < end {
            let run = (end - tip.next).min(longest);
            let hole = Stamp::empty(self.slots.lap(tip.next), true).with_run(run);
            // SYNC tail: who sees this hole sees the tail that was stored before it. Nothing is
            // read.
            self.slots.stamp(tip.next).store(hole.0, Ordering::Release);
            self.count_holes(run);
            tip.next += run;
            self.store_tail(tip);
        }
        tip.room.end = tip.next;
    }
}

/// The stamp of a run, at its head, last.
#[inline(always)]
pub(super) fn commit(head: &AtomicU64, stamp: Stamp) {
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
            let run = self.written as u64;
            let stamp = self.tip.room.full.with_run(run);
            commit(self.ring.slots.stamp(self.tip.next), stamp);
            self.tip.next += run;
            self.ring.store_tail(self.tip);
        }
    }
}
