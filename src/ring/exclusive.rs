//! Writing with one publisher: no compare-and-swap, no stamp loaded, one stamp for a run of a batch.
//!
//! The same slots and the same readers as in [`super::shared`]. `published` is the ring's `tail`: it is stored after
//! each report or batch and before the fence of every scan, always at the start of a run, so a joiner that starts there
//! meets a stamp. Nobody but the publisher writes a stamp: there is nothing to rescue and nothing to wait at.

use super::batch::Batch;
use super::stamp::{LONGEST_RUN, Stamp};
use super::{Owed, Policy, Refusal, Ring};
use crate::registry::Room;
use crate::sync::Ordering;

/// The publisher's own side of the ring.
#[derive(Debug, Default)]
pub(crate) struct Tip {
    /// The next sequence to write.
    next: u64,
    /// No slot at or beyond it is entered: [C2 gate], [C4 pin].
    limit: u64,
}

impl Tip {
    /// The next sequence to write.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

impl<E> Ring<E> {
    /// Publishes one event, and returns the value that its slot held.
    #[inline(always)]
    pub(crate) fn publish_exclusive(
        &self,
        tip: &mut Tip,
        event: E,
        policy: Policy,
        owed: &mut Owed,
    ) -> Result<Option<E>, (Refusal, E)> {
        if tip.next == tip.limit
            && let Err(refusal) = self.find_exclusive_room(tip, policy, owed)
        {
            return Err((refusal, event));
        }
        // SAFETY: `find_exclusive_room` leaves `next < limit`.
        let old = unsafe { self.write_exclusive(tip.next, event) };
        self.commit_exclusive(tip, 0);
        self.publish_tail(tip);
        owed.0 |= self.owes_wake_up();
        Ok(old)
    }

    /// Publishes events from the front of `batch`, in order, a run at a time.
    pub(crate) fn publish_exclusive_batch(
        &self,
        tip: &mut Tip,
        batch: &mut Batch<E>,
        policy: Policy,
        owed: &mut Owed,
    ) -> Result<(), Refusal> {
        let result = loop {
            if batch.is_empty() {
                break Ok(());
            }
            if tip.next == tip.limit
                && let Err(refusal) = self.find_exclusive_room(tip, policy, owed)
            {
                break Err(refusal);
            }
            let most = (batch.len() as u64).min(tip.limit - tip.next);
            let run = most.ilog2().min(LONGEST_RUN);
            for sequence in tip.next..tip.next + (1 << run) {
                // There are at least `most` events left.
                let Some(event) = batch.pop() else { break };
                // SAFETY: `next + most <= limit`.
                let old = unsafe { self.write_exclusive(sequence, event) };
                batch.keep_old(old);
            }
            self.commit_exclusive(tip, run);
        };
        self.publish_tail(tip);
        owed.0 |= self.owes_wake_up();
        result
    }

    /// Slots that can be written without another scan; 0 if there is no room.
    pub(crate) fn prepare_exclusive(
        &self,
        tip: &mut Tip,
        policy: Policy,
        owed: &mut Owed,
    ) -> usize {
        if tip.next == tip.limit && self.find_exclusive_room(tip, policy, owed).is_err() {
            return 0;
        }
        (tip.limit - tip.next) as usize
    }

    /// # Safety
    /// `sequence` is in `[tip.next, tip.limit)` of the one publisher, and not yet committed.
    #[inline(always)]
    unsafe fn write_exclusive(&self, sequence: u64, event: E) -> Option<E> {
        // Every slot of a lap but the first holds a value: a pin makes no hole in the lap that it was read in, so every
        // slot of lap 0 was written. [C4 pin]
        let holds_value = sequence >= self.capacity();
        // SAFETY: [C2 gate], [C4 pin]: below `limit`, nobody borrows the older value, and nobody else writes at all.
        unsafe { self.slots.replace(sequence, event, holds_value) }
    }

    /// The stamp of a run, at its head, last.
    #[inline(always)]
    fn commit_exclusive(&self, tip: &mut Tip, run: u32) {
        let stamp = Stamp::full_run(self.slots.lap(tip.next), run);
        // SYNC publish: the contents of the whole run.
        self.slots.stamp(tip.next).store(stamp.0, Ordering::Release);
        tip.next += 1 << run;
    }

    #[inline(always)]
    fn publish_tail(&self, tip: &Tip) {
        // SYNC published: joiners, `lag` and `latest` find every slot before it written. A plain store: only the
        // publisher writes this word, the close included.
        self.tail.store(tip.next, Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    fn find_exclusive_room(
        &self,
        tip: &mut Tip,
        policy: Policy,
        owed: &mut Owed,
    ) -> Result<(), Refusal> {
        for _ in 0..self.capacity() {
            // Before the fence of the scan: a joiner that the scan does not see starts here or later.
            self.publish_tail(tip);
            match self.make_room(tip.next, policy, owed) {
                Room::Until(limit) => {
                    tip.limit = limit;
                    return Ok(());
                }
                Room::Pinned(slots) => {
                    for sequence in tip.next..tip.next + slots {
                        let hole = Stamp::empty(self.slots.lap(sequence), true);
                        // Relaxed: readers pass over it, and read nothing.
                        self.slots.stamp(sequence).store(hole.0, Ordering::Relaxed);
                        self.count_hole();
                    }
                    tip.next += slots;
                    tip.limit = tip.next;
                }
                Room::Moving => {}
                Room::Full => return Err(Refusal::Full),
                Room::Exhausted => return Err(Refusal::Exhausted),
            }
        }
        Err(Refusal::Exhausted)
    }
}
