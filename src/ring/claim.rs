//! Writing with many publishers: claim, enter, write, commit.
//!
//! A publisher may be frozen at any instruction. What it claimed can be taken from it by anyone
//! ([`Ring::abandon`]); it finds out at its next compare-and-swap and publishes anew, at a new sequence. So an event
//! may be delayed by its own publisher's freeze, and by nobody else's.
//!
//! What a publisher may hold while it is frozen, and when its claim may be taken from it:
//!
//! - **\[K1 share\]** One claim holds at most an eighth of the ring divided by the publishers of the moment, and at least one
//!   slot. So a frozen publisher costs a subscriber at most an eighth of the ring. The `i`-th of several that freeze was one of at
//!   least `i` publishers, so `n` of them cost at most an eighth times `1 + 1/2 + ... + 1/n`, or `n` slots if that is more.
//! - **\[K2 young\]** Before its grace has passed, a claim is abandoned only when the tail is half
//!   of the ring ahead of it, with the slots right behind it that are claimed and not entered,
//!   because one frozen batch may hold them all. A subscriber that waits there would soon be
//!   dropped: it is dropped at seven eighths, and needs the three eighths between to catch up. A
//!   scan that finds a subscriber at a younger claim lets publishers go no further than that half,
//!   so that the next scan comes in time.

use super::abandon::longest_hole;
use super::gate::{GateOutcome, Policy, Refusal};
use super::listeners::PendingWake;
use super::stamp::Stamp;
use super::{CLOSED, Ring};
use crate::failpoint::failpoint;
use crate::sync::{AtomicU64, Ordering};
use std::ops::Range;

/// A slot that a publisher is inside of: its stamp is `WRITING(sequence)`, or was until somebody abandoned it.
#[derive(Debug)]
#[must_use]
pub(crate) struct ClaimedSlot {
    pub(super) sequence: u64,
    /// The memory holds an older value.
    pub(super) holds_value: bool,
}

impl ClaimedSlot {
    /// A slot whose stamp was `found`, and is swapped out.
    #[inline(always)]
    fn new(sequence: u64, found: Stamp, pending: &mut PendingWake) -> Self {
        pending.mark(found.is_waited());
        failpoint!(Entered);
        ClaimedSlot {
            sequence,
            holds_value: found.holds_value(),
        }
    }
}

/// Claims that a publisher lost, one after the other. It is told that the ring is exhausted when
/// they are more than the ring has slots.
#[derive(Default)]
pub(super) struct RetryBudget(u64);

impl<E> Ring<E> {
    /// Publishes one event, and returns the value that its slot held.
    #[inline(always)]
    pub(crate) fn publish(
        &self,
        mut event: E,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Option<E>, (Refusal, E)> {
        let mut budget = RetryBudget::default();
        loop {
            let slot = match self.claim_and_enter_within(&mut budget, policy, pending) {
                Ok(slot) => slot,
                Err(refusal) => return Err((refusal, event)),
            };
            match self.commit(slot, event) {
                Ok(old) => return Ok(old),
                Err(lost) => event = lost,
            }
        }
    }

    /// Claims a slot and enters it, for a report to several rings.
    pub(crate) fn claim_and_enter(
        &self,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<ClaimedSlot, Refusal> {
        self.claim_and_enter_within(&mut RetryBudget::default(), policy, pending)
    }

    /// Counts one lost claim.
    #[cold]
    #[inline(never)]
    pub(super) fn spend(&self, budget: &mut RetryBudget) -> Result<(), Refusal> {
        budget.0 += 1;
        if budget.0 > self.capacity() {
            return Err(self.exhausted());
        }
        Ok(())
    }

    #[inline(always)]
    fn claim_and_enter_within(
        &self,
        budget: &mut RetryBudget,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<ClaimedSlot, Refusal> {
        loop {
            let claimed = self.claim(1, budget, policy, pending)?;
            failpoint!(Claimed);
            if let Some(slot) = self.enter_slot(claimed.start, pending) {
                return Ok(slot);
            }
            self.spend(budget)?;
        }
    }

    /// Finds room for one event, without claiming it: the next publisher has it.
    pub(crate) fn prepare(&self, policy: Policy, pending: &mut PendingWake) -> Result<(), Refusal> {
        self.room(&mut RetryBudget::default(), policy, pending)
            .map(drop)
    }

    /// Claims up to `want` slots: at least one. [C2 gate]
    #[inline(always)]
    pub(super) fn claim(
        &self,
        want: u64,
        budget: &mut RetryBudget,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Range<u64>, Refusal> {
        loop {
            let Range { start, end } = self.room(budget, policy, pending)?;
            let end = start + want.min(end - start);
            // It fails if anything happened since the tail was read, the close included: then what was decided from it,
            // room or hole, holds no more. SYNC runs: whoever meets this tail knows whether to look after runs.
            if self
                .tail
                .compare_exchange_weak(start, end, Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return Ok(start..end);
            }
        }
    }

    /// From the tail to the limit: at least one slot, if the tail is still the same.
    #[inline(always)]
    fn room(
        &self,
        budget: &mut RetryBudget,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Range<u64>, Refusal> {
        loop {
            // Relaxed: only a compare-and-swap makes anything of it. (A scan reads it before its fence.)
            let tail = self.tail.load(Ordering::Relaxed);
            // SYNC limit: the reads that the limit was computed from are over.
            let limit = self.limit.load(Ordering::Acquire);
            // A tail that is closed is beyond every limit.
            if tail < limit {
                return Ok(tail..limit);
            }
            if let Some(limit) = self.find_room(tail, budget, policy, pending)? {
                return Ok(tail..limit);
            }
        }
    }

    /// Returns how many events fit without a scan: 0 in a ring that is closed. Slots that are lost to
    /// their writers take none.
    pub(crate) fn room_at_hand(&self) -> u64 {
        // Relaxed, both: a number, which is at once stale. A tail that is closed is beyond every
        // limit.
        let tail = self.tail.load(Ordering::Relaxed);
        let room = self.limit.load(Ordering::Relaxed).saturating_sub(tail);
        room.saturating_sub(self.counters.lost())
    }

    /// Finds room beyond `tail`. Returns its end, or `None` if the caller is to look at the tail again.
    #[cold]
    #[inline(never)]
    fn find_room(
        &self,
        tail: u64,
        budget: &mut RetryBudget,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Option<u64>, Refusal> {
        if tail & CLOSED != 0 {
            return Err(Refusal::Stopped);
        }
        match self.scan_gate(tail, policy, pending) {
            GateOutcome::OpenUntil(limit) => {
                self.raise_limit_past(limit);
                Ok(Some(limit))
            }
            GateOutcome::Pinned { slots, again } => {
                // [C4 pin] Pass over the whole window. Relaxed: what the claims before released goes on
                // through this exchange.
                if self
                    .tail
                    .compare_exchange(tail, tail + slots, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
                {
                    failpoint!(Claimed);
                    self.skip_pinned(tail..tail + slots, longest_hole(again), pending);
                    self.spend(budget)?;
                }
                Ok(None)
            }
            GateOutcome::Contended => {
                self.spend(budget)?;
                Ok(None)
            }
            GateOutcome::Full(_) => Err(Refusal::Full),
            GateOutcome::Exhausted => Err(self.exhausted()),
        }
    }

    /// An older scan's limit is as good as a newer one, so the largest stands.
    fn raise_limit_past(&self, limit: u64) {
        let mut seen = self.limit.load(Ordering::Relaxed);
        // SYNC limit: carries `advance` and `detach` to publishers that did not scan. (Not `fetch_max`, which thread
        // sanitizers do not follow.)
        while seen < limit
            && let Err(found) =
                self.limit
                    .compare_exchange_weak(seen, limit, Ordering::Release, Ordering::Relaxed)
        {
            seen = found;
        }
    }

    /// [S1 enter] Makes the slot of a claim this publisher's own; `None` if the claim was lost.
    #[inline(always)]
    pub(super) fn enter_slot(
        &self,
        sequence: u64,
        pending: &mut PendingWake,
    ) -> Option<ClaimedSlot> {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        // Relaxed: the compare-and-swap acquires.
        let seen = Stamp(stamp.load(Ordering::Relaxed));
        let is_plain = seen.is_before(lap) && seen.at_rest() && seen.is_single();
        if is_plain && swap_in(stamp, seen, Stamp::writing(lap)).is_ok() {
            return Some(ClaimedSlot::new(sequence, seen, pending));
        }
        self.enter_slot_anyhow(sequence, pending)
    }

    /// Does what [`Ring::enter_slot`] does, whatever the stamp is.
    #[cold]
    #[inline(never)]
    fn enter_slot_anyhow(&self, sequence: u64, pending: &mut PendingWake) -> Option<ClaimedSlot> {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        // Relaxed: the compare-and-swap below acquires.
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        loop {
            if !seen.is_before(lap) {
                return None; // abandoned before it was entered
            }
            if !seen.is_single() {
                self.restamp_rest(sequence + 1, sequence + seen.run(), seen);
            }
            let next = if seen.at_rest() {
                Stamp::writing(lap)
            } else {
                Stamp::lost(lap) // a writer of an earlier lap is frozen inside
            };
            match swap_in(stamp, seen, next) {
                Ok(_) if seen.at_rest() => return Some(ClaimedSlot::new(sequence, seen, pending)),
                Ok(_) => {
                    debug_assert!(seen.is_single(), "[R3 whole] broken: {seen:?}");
                    pending.ask_for_turn(); // perhaps: no bit can be set while a writer is inside
                    self.count_lost(seen);
                    self.counters.count_holes(1);
                    return None;
                }
                Err(found) => seen = Stamp(found),
            }
        }
    }

    /// Writes and commits; gives the event back if the slot was abandoned meanwhile.
    #[inline(always)]
    pub(crate) fn commit(&self, slot: ClaimedSlot, event: E) -> Result<Option<E>, E> {
        let ClaimedSlot {
            sequence,
            holds_value,
        } = slot;
        let lap = self.slots.lap(sequence);
        // SAFETY: [S1 enter]: the stamp is `WRITING(sequence)` or `LOST`, by our compare-and-swap. [C2 gate] and [C4 pin]:
        // nobody borrows the older value. The stamp that we found said whether there is one.
        let old = unsafe { self.slots.replace(sequence, event, holds_value) };
        failpoint!(Written);
        // SYNC publish, vacate: the event's contents to readers, the memory to the next claimer.
        match self.slots.stamp(sequence).compare_exchange(
            Stamp::writing(lap).0,
            Stamp::full(lap).0,
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            Ok(_) => Ok(old),
            Err(_) => {
                // SAFETY: [S1 enter]: `LOST` leaves the memory to its writer, and it holds the event.
                let event = unsafe { self.slots.restore(sequence, old) };
                self.vacate(sequence, holds_value);
                Err(event)
            }
        }
    }

    /// Gives a slot back unwritten: another ring refused the event.
    pub(crate) fn abort(&self, slot: ClaimedSlot) {
        let lap = self.slots.lap(slot.sequence);
        // Relaxed: the memory was not touched, and its `vacate` passes through, as a read-modify-write continues the
        // release sequence.
        match self.slots.stamp(slot.sequence).compare_exchange(
            Stamp::writing(lap).0,
            Stamp::empty(lap, slot.holds_value).0,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => self.counters.count_holes(1),
            Err(_) => self.vacate(slot.sequence, slot.holds_value),
        }
    }
}

/// Swaps the stamp of a slot that a publisher claimed for `next`, if it is still `seen`. Otherwise
/// returns what it is.
#[inline(always)]
fn swap_in(stamp: &AtomicU64, seen: Stamp, next: Stamp) -> Result<u64, u64> {
    // SYNC vacate: the last writer has left.
    // SYNC final: the stamps that `restamp_rest` left of a run.
    stamp.compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed)
}
