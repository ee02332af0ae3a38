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

use super::batch::{BATCH, Batch};
use super::listeners::PendingWake;
use super::shared::{Entered, Tries};
use super::stamp::Stamp;
use super::{Policy, Refusal, Ring};
use crate::failpoint::failpoint;
use crate::limits;
use crate::registry::Room;
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
        publishers: usize,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<(), Refusal> {
        let longest = self.longest_run(publishers);
        let share = self.claim_share(publishers);
        let mut tries = Tries::default();
        let goal = batch.committed() + count;
        while batch.committed() < goal {
            let left = goal - batch.committed();
            // Relaxed: the claim carries it.
            if longest > 1 && left > 1 && !self.has_runs.load(Ordering::Relaxed) {
                self.has_runs.store(true, Ordering::Relaxed);
            }
            // Each claimed slot takes the next event that has none; the slots that are lost shift the rest.
            let want = share.min(left as u64);
            let Range { mut start, end } = self.claim(want, &mut tries, policy, pending)?;
            failpoint!(Claimed);
            let mut is_lost = true;
            while start < end {
                let (slots, committed) =
                    match self.enter_run(start, end.min(start + longest), pending) {
                        Some(run) => {
                            let entered = Entered {
                                sequence: start,
                                holds_value: true,
                            };
                            (run, self.commit_run(entered, run, batch))
                        }
                        None => (1, self.publish_at(start, batch, pending)),
                    };
                start += slots;
                is_lost &= !committed;
            }
            if is_lost {
                self.spend(&mut tries)?;
            } else {
                tries = Tries::default();
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
        self.enter(sequence, pending)
            .is_some_and(|entered| self.commit_run(entered, 1, batch))
    }

    /// The longest run that one of so many publishers enters: none where the ring is too small for it.
    fn longest_run(&self, publishers: usize) -> u64 {
        let share = self.claim_share(publishers);
        let whole_steps = share - share % limits::RUN_STEP;
        whole_steps.min(BATCH as u64)
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
            self.hand_on(head + run, reach, Stamp::full(lap - 1));
            let writing = Stamp::writing(lap).with_run(run);
            // SYNC final: the stamps that `hand_on` left. That the last writers have left was acquired
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
    pub(crate) fn commit_run(&self, entered: Entered, run: u64, batch: &mut Batch<'_, E>) -> bool {
        let Entered {
            sequence: head,
            holds_value,
        } = entered;
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
                self.leave(head, holds_value);
                false
            }
            Err(_) => {
                // The events at the places are the ones to use.
                self.forget_values(head + 1, head + run);
                self.leave(head, false);
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
    /// [R3 whole] No other thread goes in there. A sleeper may set its mark, and a slow `hand_on`
    /// of the run that was there before may come by: it leaves alone what was forgotten.
    #[cold]
    fn forget_values(&self, start: u64, end: u64) {
        for sequence in start..end {
            let stamp = self.slots.stamp(sequence);
            let mut seen = Stamp(stamp.load(Ordering::Relaxed));
            // Relaxed: the memory is this writer's until `leave` releases it.
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

    /// A publisher is about to swap out `head`, the stamp of a run: what it leaves of that, from `start` to `end`, gets stamps of
    /// its own. So a scan, or a reader, finds those slots final as before, and a run may be entered
    /// there too. The exchange that swaps `head` out releases these stamps: `final`.
    ///
    /// Whoever claimed there meanwhile is not disturbed: what the stamps say of their lap is true, then as later.
    #[inline]
    pub(super) fn hand_on(&self, start: u64, end: u64, head: Stamp) {
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

    /// The first place where a run that covers `sequence` may begin; beyond it if there is none.
    fn first_head(&self, sequence: u64) -> u64 {
        (sequence + 1)
            .saturating_sub(self.longest_run(1))
            .next_multiple_of(limits::RUN_STEP)
    }

    /// `sequence` lies inside of a run that is final.
    pub(super) fn is_in_final_run(&self, sequence: u64) -> bool {
        let (first, last) = (self.first_head(sequence), sequence);
        // Upwards, because a run is handed on upwards: what a head has left by now, a later one has.
        let mut steps = first / limits::RUN_STEP..=last / limits::RUN_STEP;
        steps.any(|step| {
            let head = step * limits::RUN_STEP;
            // SYNC final: the stamps that a head left which was swapped out.
            let stamp = self.stamp(head);
            failpoint!(Sought);
            let same_lap = stamp.lap() == Some(self.slots.lap(head));
            same_lap && !stamp.is_writing() && sequence - head < stamp.run()
        })
    }

    /// [R2 lap], [R3 whole] What is left of the room that a scan found at `tail`, when runs are looked after.
    pub(super) fn beside_runs(&self, tail: u64, room: Room, pending: &mut PendingWake) -> Room {
        // SYNC runs: the tail was read before the fence of the scan.
        if !self.has_runs.load(Ordering::Relaxed) {
            return room;
        }
        let end = match room {
            // So many looks are enough for one scan, however large the ring is.
            Room::Until(end) => end.min(tail + limits::SCAN_REACH),
            Room::Pinned { slots, .. } => tail + slots,
            Room::Full(_) | Room::Moving | Room::Exhausted => return room,
        };
        match (self.first_hanging_run(tail, end, pending), room) {
            (None, Room::Until(_)) => Room::Until(end),
            (None, _) => room,
            (Some(run), _) if run.start <= tail => Room::Pinned {
                slots: run.end - tail,
                again: true,
            },
            (Some(run), Room::Pinned { again, .. }) => Room::Pinned {
                slots: run.start - tail,
                again,
            },
            (Some(run), _) => Room::Until(run.start),
        }
    }

    /// The first run whose writer hangs inside, a lap on, that meets `tail..end`. [R2 lap]: all before it is final.
    fn first_hanging_run(
        &self,
        tail: u64,
        end: u64,
        pending: &mut PendingWake,
    ) -> Option<Range<u64>> {
        let capacity = self.capacity();
        let start = tail.saturating_sub(capacity);
        let end = end.saturating_sub(capacity);
        let mut head = self.first_head(start);
        while head < end {
            let lap = self.slots.lap(head);
            // SYNC vacate: the writer of the run has left.
            let seen = Stamp(self.slots.stamp(head).load(Ordering::Acquire));
            let slots = if seen.is_before(lap) && self.tail() > head + capacity {
                1 // claimed a lap on: final, and perhaps inside of a run there
            } else if seen.is_before(lap) {
                // Claimed half a lap ago, and not entered.
                self.abandon(head, pending);
                continue;
            } else if seen.lap() != Some(lap) || seen.is_single() {
                1
            } else if seen.is_writing() {
                self.abandon(head, pending);
                continue;
            } else if seen.is_lost() && head + seen.run() > start {
                let later = head + capacity;
                return Some(later..later + seen.run());
            } else {
                seen.run()
            };
            head = (head + slots).next_multiple_of(limits::RUN_STEP);
        }
        None
    }
}
