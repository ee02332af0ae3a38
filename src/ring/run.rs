//! Runs: slots in a row that a batch enters, writes and commits as one, with one stamp at their head.
//!
//! A run starts at a multiple of [`limits::RUN_STEP`] and lies in one lap. Its inside bears stamps of earlier laps: readers take
//! it at its head, and know by that how far it goes. What keeps others out of it:
//!
//! - **\[R1 rest\]** It is entered only where each of its slots is at rest and final for the lap before, by its own stamp or by
//!   the run that it was inside of: so nobody who claimed one of them in an earlier lap can still enter.
//! - **\[R2 lap\]** No limit frees a slot for the next lap before each place where a run around it may begin is final: so whoever
//!   claims a slot inside of a run need not look for its head.
//! - **\[R3 whole\]** A run whose writer hangs inside is passed over as a whole in every later lap, with one stamp, as a
//!   pinned window is, until it has left.

use super::Ring;
use super::batch::Batch;
use super::claim::{ClaimedSlot, RetryBudget};
use super::gate::{Policy, Refusal};
use super::listeners::PendingWake;
use super::stamp::Stamp;
use crate::failpoint::failpoint;
use crate::limits;
use crate::sync::Ordering;
use std::mem::MaybeUninit;
use std::ops::Range;

impl<E> Ring<E> {
    /// Publishes the first `count` events of `batch`, in order.
    ///
    /// So many `publishers` share what claims may take of the ring, because all of them may stall at the same time: [K1 share].
    /// The events that are left in `batch` after an error were not published.
    pub(crate) fn publish_batch(
        &self,
        batch: &mut Batch<'_, E>,
        count: usize,
        publishers: u64,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<(), Refusal> {
        let longest = self.longest_run(publishers);
        let share = self.claim_share(publishers);
        let mut budget = RetryBudget::default();
        let goal = batch.committed() + count;
        while batch.committed() < goal {
            let left = goal - batch.committed();
            // Relaxed: the claim carries it.
            if longest > 1 && left > 1 && !self.has_runs.load(Ordering::Relaxed) {
                self.has_runs.store(true, Ordering::Relaxed);
            }
            // Each claimed slot takes the next event that has none; the slots that are lost shift the rest.
            let want = share.min(left as u64);
            let Range { mut start, end } = self.claim(want, &mut budget, policy, pending)?;
            failpoint!(Claimed);
            let mut is_lost = true;
            while start < end {
                let (slots, committed) =
                    match self.enter_run(start, end.min(start + longest), pending) {
                        Some(run) => {
                            let slot = ClaimedSlot {
                                sequence: start,
                                holds_value: true,
                            };
                            (run, self.commit_run(slot, run, batch))
                        }
                        None => (1, self.publish_at(start, batch, pending)),
                    };
                start += slots;
                is_lost &= !committed;
            }
            if is_lost {
                self.spend(&mut budget)?;
            } else {
                budget = RetryBudget::default();
            }
        }
        Ok(())
    }

    /// Publishes the first event of `batch` in a slot of a claim. False if the claim was lost.
    fn publish_at(
        &self,
        sequence: u64,
        batch: &mut Batch<'_, E>,
        pending: &mut PendingWake,
    ) -> bool {
        self.enter_slot(sequence, pending)
            .is_some_and(|slot| self.commit_run(slot, 1, batch))
    }

    /// [S1 enter], [R1 rest] Makes slots of a claim, from `head` on and before `end`, this publisher's own at once. How many, or
    /// `None` if it is to go on slot by slot.
    fn enter_run(&self, head: u64, end: u64, pending: &mut PendingWake) -> Option<u64> {
        if !head.is_multiple_of(limits::RUN_STEP) {
            return None;
        }
        let lap = self.slots.lap(head);
        let end = end.min(self.slots.lap_end(head));
        let reach = self.reusable_end(head, end);
        let run = reach.min(end) - head;
        if run < 2 {
            return None;
        }
        let stamp = self.slots.stamp(head);
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        // The inside is final. Only the head may be waited for, or taken away.
        while seen.is_before(lap) {
            failpoint!(Seen);
            self.restamp_rest(head + run, reach, Stamp::full(lap - 1));
            let writing = Stamp::writing(lap).with_run(run);
            // SYNC final: the stamps that `restamp_rest` left. That the last writers have left was acquired
            // above.
            match stamp.compare_exchange(seen.0, writing.0, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => {
                    pending.mark(seen.is_waited());
                    failpoint!(Entered);
                    return Some(run);
                }
                Err(found) => seen = Stamp(found),
            }
        }
        None
    }

    /// [R1 rest] The slots from `head` on that are at rest with a value, and final for the lap before: the end of them, when it
    /// was not found before `end`.
    fn reusable_end(&self, head: u64, end: u64) -> u64 {
        let Some(before) = self.slots.lap(head).checked_sub(1) else {
            return head;
        };
        let mut next = head;
        while next < end {
            // SYNC vacate: the last writer has left.
            let seen = Stamp(self.slots.stamp(next).load(Ordering::Acquire));
            match seen.values_in(before) {
                0 => break,
                values => next += values,
            }
        }
        next
    }

    /// Writes and commits `run` slots that were entered as one. Leaves the events in `batch`, and
    /// returns false, if the slots were abandoned meanwhile.
    pub(crate) fn commit_run(&self, slot: ClaimedSlot, run: u64, batch: &mut Batch<'_, E>) -> bool {
        let ClaimedSlot {
            sequence: head,
            holds_value,
        } = slot;
        let lap = self.slots.lap(head);
        let keeps_olds = batch.keeps_olds();
        let places = batch.front(run as usize);
        // SAFETY: our compare-and-swap made the stamp `WRITING(head)`, for all of the run, so that
        // only this publisher touches its memory. [S1 enter], [R1 rest], [R2 lap], [R3 whole] No
        // subscriber borrows the older values. [C2 gate], [C4 pin] The stamps that were found said
        // whether there are any.
        unsafe {
            if keeps_olds {
                self.exchange_run(head, places, holds_value);
            } else {
                self.slots.values_from(head).copy_in(places);
            }
        }
        failpoint!(Written);
        // SYNC publish, vacate: the events' contents to readers, the memory to the next claimers.
        match self.slots.stamp(head).compare_exchange(
            Stamp::writing(lap).with_run(run).0,
            Stamp::full(lap).with_run(run).0,
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            Ok(_) => {
                // SAFETY: the exchange left the values of the slots in the places, if there were
                // any. Behind a copy the places count as empty.
                unsafe { batch.published(run as usize, keeps_olds && holds_value) };
                true
            }
            Err(_) if keeps_olds => {
                if holds_value {
                    // SAFETY: [S1 enter]: `LOST` leaves the memory to its writer.
                    unsafe { self.exchange_run(head, places, true) };
                }
                self.vacate(head, holds_value);
                false
            }
            Err(_) => {
                // The events at the places are the ones to use.
                self.forget_values(head + 1, head + run);
                self.vacate(head, false);
                false
            }
        }
    }

    /// Exchanges the events at `places` for what the slots from `head` on hold.
    ///
    /// # Safety
    /// The caller alone may touch the memory of these slots, which are of one lap, and hold values
    /// if and only if `holds_value`.
    unsafe fn exchange_run(&self, head: u64, places: &mut [MaybeUninit<E>], holds_value: bool) {
        let values = self.slots.values_from(head);
        for (offset, place) in places.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { values.exchange(offset, place, holds_value) };
        }
    }

    /// Slots inside of a run that was taken from its writer, which is still there, hold no value
    /// any more: their stamps, which are of earlier laps, say so from now on.
    ///
    /// [R3 whole] No other thread goes in there. A sleeper may set its mark, and a slow `restamp_rest`
    /// of the run that was there before may come by: it leaves alone what was forgotten.
    #[cold]
    fn forget_values(&self, start: u64, end: u64) {
        for sequence in start..end {
            let stamp = self.slots.stamp(sequence);
            let mut seen = Stamp(stamp.load(Ordering::Relaxed));
            // Relaxed: the memory is this writer's until `vacate` releases it.
            while let Err(found) = stamp.compare_exchange(
                seen.0,
                seen.without_value().0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                seen = Stamp(found);
            }
        }
    }
}
