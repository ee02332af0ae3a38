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

use super::listeners::PendingWake;
use super::stamp::{Look, Stamp};
use super::{CLOSED, Policy, Refusal, Ring, longest_hole};
use crate::failpoint::failpoint;
use crate::limits;
use crate::registry::{CursorAt, Room};
use crate::sync::{AtomicU64, Ordering};
use std::ops::Range;

/// A slot that a publisher is inside of: its stamp is `WRITING(sequence)`, or was until somebody abandoned it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Entered {
    pub(super) sequence: u64,
    /// The memory holds an older value.
    pub(super) holds_value: bool,
}

impl Entered {
    /// A slot whose stamp was `found`, and is swapped out.
    #[inline(always)]
    fn new(sequence: u64, found: Stamp, pending: &mut PendingWake) -> Self {
        pending.mark(found.is_waited());
        failpoint!(Entered);
        Entered {
            sequence,
            holds_value: found.holds_value(),
        }
    }
}

/// Claims that a publisher lost, one after the other. It is told that the ring is exhausted when
/// they are more than the ring has slots.
#[derive(Default)]
pub(super) struct Tries(u64);

impl<E> Ring<E> {
    /// Publishes one event, and returns the value that its slot held.
    #[inline(always)]
    pub(crate) fn publish(
        &self,
        mut event: E,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Option<E>, (Refusal, E)> {
        let mut tries = Tries::default();
        loop {
            let entered = match self.claim_and_enter_within(&mut tries, policy, pending) {
                Ok(entered) => entered,
                Err(refusal) => return Err((refusal, event)),
            };
            match self.commit(entered, event) {
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
    ) -> Result<Entered, Refusal> {
        self.claim_and_enter_within(&mut Tries::default(), policy, pending)
    }

    /// Counts one lost claim.
    #[cold]
    #[inline(never)]
    pub(super) fn spend(&self, tries: &mut Tries) -> Result<(), Refusal> {
        tries.0 += 1;
        if tries.0 > self.capacity() {
            return Err(self.exhausted());
        }
        Ok(())
    }

    /// [K1 share] The most slots that one claim may hold when there are so many `publishers`.
    pub(super) fn claim_share(&self, publishers: usize) -> u64 {
        let share = self.capacity() / limits::CLAIM_SHARE / publishers.max(1) as u64;
        share.max(1)
    }

    #[inline(always)]
    fn claim_and_enter_within(
        &self,
        tries: &mut Tries,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Entered, Refusal> {
        loop {
            let claimed = self.claim(1, tries, policy, pending)?;
            failpoint!(Claimed);
            if let Some(entered) = self.enter(claimed.start, pending) {
                return Ok(entered);
            }
            self.spend(tries)?;
        }
    }

    /// Finds room for one event, without claiming it: the next publisher has it.
    pub(crate) fn prepare(&self, policy: Policy, pending: &mut PendingWake) -> Result<(), Refusal> {
        self.room(&mut Tries::default(), policy, pending).map(drop)
    }

    /// Claims up to `want` slots: at least one. [C2 gate]
    #[inline(always)]
    pub(super) fn claim(
        &self,
        want: u64,
        tries: &mut Tries,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Range<u64>, Refusal> {
        loop {
            let Range { start, end } = self.room(tries, policy, pending)?;
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
        tries: &mut Tries,
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
            if let Some(limit) = self.find_room(tail, tries, policy, pending)? {
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

    /// Room beyond `tail`, or `None` if the caller is to look at the tail again.
    #[cold]
    #[inline(never)]
    fn find_room(
        &self,
        tail: u64,
        tries: &mut Tries,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> Result<Option<u64>, Refusal> {
        if tail & CLOSED != 0 {
            return Err(Refusal::Stopped);
        }
        match self.make_room(tail, policy, pending) {
            Room::Until(limit) => {
                self.raise_limit(limit);
                Ok(Some(limit))
            }
            Room::Pinned { slots, again } => {
                // [C4 pin] Pass over the whole window.
                if self
                    .tail
                    .compare_exchange(tail, tail + slots, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
                {
                    failpoint!(Claimed);
                    self.pass_over(tail..tail + slots, longest_hole(again), pending);
                    self.spend(tries)?;
                }
                Ok(None)
            }
            Room::Moving => {
                self.spend(tries)?;
                Ok(None)
            }
            Room::Full(_) => Err(Refusal::Full),
            Room::Exhausted => Err(self.exhausted()),
        }
    }

    /// An older scan's limit is as good as a newer one, so the largest stands.
    fn raise_limit(&self, limit: u64) {
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
    pub(super) fn enter(&self, sequence: u64, pending: &mut PendingWake) -> Option<Entered> {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        // Relaxed: the compare-and-swap acquires.
        let seen = Stamp(stamp.load(Ordering::Relaxed));
        let is_plain = seen.is_before(lap) && seen.at_rest() && seen.is_single();
        if is_plain && swap_in(stamp, seen, Stamp::writing(lap)).is_ok() {
            return Some(Entered::new(sequence, seen, pending));
        }
        self.enter_anyhow(sequence, pending)
    }

    /// Does what [`Ring::enter`] does, whatever the stamp is.
    #[cold]
    #[inline(never)]
    fn enter_anyhow(&self, sequence: u64, pending: &mut PendingWake) -> Option<Entered> {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        // Relaxed: the compare-and-swap below acquires.
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        loop {
            if !seen.is_before(lap) {
                return None; // abandoned before it was entered
            }
            if !seen.is_single() {
                self.hand_on(sequence + 1, sequence + seen.run(), seen);
            }
            let next = if seen.at_rest() {
                Stamp::writing(lap)
            } else {
                Stamp::lost(lap) // a writer of an earlier lap is frozen inside
            };
            match swap_in(stamp, seen, next) {
                Ok(_) if seen.at_rest() => return Some(Entered::new(sequence, seen, pending)),
                Ok(_) => {
                    debug_assert!(seen.is_single(), "[R3 whole] broken: {seen:?}");
                    pending.turn(); // perhaps: no bit can be set while a writer is inside
                    self.count_lost(seen);
                    self.count_holes(1);
                    return None;
                }
                Err(found) => seen = Stamp(found),
            }
        }
    }

    /// Writes and commits; gives the event back if the slot was abandoned meanwhile.
    #[inline(always)]
    pub(crate) fn commit(&self, entered: Entered, event: E) -> Result<Option<E>, E> {
        let Entered {
            sequence,
            holds_value,
        } = entered;
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
                self.leave(sequence, holds_value);
                Err(event)
            }
        }
    }

    /// Gives a slot back unwritten: another ring refused the event.
    pub(crate) fn give_up(&self, entered: Entered) {
        let lap = self.slots.lap(entered.sequence);
        // Relaxed: the memory was not touched, and its `vacate` passes through, as a read-modify-write continues the
        // release sequence.
        match self.slots.stamp(entered.sequence).compare_exchange(
            Stamp::writing(lap).0,
            Stamp::empty(lap, entered.holds_value).0,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => self.count_holes(1),
            Err(_) => self.leave(entered.sequence, entered.holds_value),
        }
    }

    /// Leaves a slot that was abandoned: `LOST(x)` becomes a hole at `x`, however often it was passed meanwhile.
    pub(super) fn leave(&self, sequence: u64, holds_value: bool) {
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

    /// Takes a claim that hangs from its publisher, a run as a whole. How many slots: none if it was final already.
    ///
    /// `sequence` must have been claimed: it is below the tail.
    pub(crate) fn abandon(&self, sequence: u64, pending: &mut PendingWake) -> u64 {
        let made = self.make_holes(sequence, 1, pending);
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

    /// [K2 young] Looks for the claim that a subscriber whose cursor is at `cursor` waits for, or will meet first behind holes,
    /// and abandons it if it is stalled. For shared rings.
    pub(super) fn claim_ahead_of(
        &self,
        cursor: u64,
        tail: u64,
        pending: &mut PendingWake,
    ) -> CursorAt {
        // Relaxed: it spares subscribers that would lose what they have still to read. A close
        // right after it does no harm.
        if self.tail.load(Ordering::Relaxed) & CLOSED != 0 {
            return CursorAt::Closed;
        }
        let at = self.skip_holes(cursor);
        // Decide before abandoning: the subscriber is blocked on this claim even if another thread abandons it first, so it must
        // not be blamed.
        if !self.is_in_flight(at) {
            return CursorAt::NoClaim;
        }
        let distance = self.stall_distance();
        if !self.is_far_behind(at, tail) {
            return CursorAt::Claim {
                until: at + distance,
            };
        }
        let (_, mut end) = self.abandon_each(at..tail + 1 - distance, pending);
        // A batch that is frozen right after its claim leaves slots that it has not entered, as
        // many as one claim may hold. One scan is to free them all; a publisher that runs enters
        // its claim at once.
        let reach = tail.min(end + self.claim_share(1));
        while end < reach && self.look(end) == Look::Earlier && self.is_in_flight(end) {
            end += self.abandon(end, pending).max(1);
        }
        let until = if self.is_in_flight(end) {
            end + distance
        } else {
            u64::MAX
        };
        CursorAt::Claim { until }
    }

    /// Returns the first sequence from `sequence` on that is no hole, as far as one scan looks.
    fn skip_holes(&self, sequence: u64) -> u64 {
        let mut at = sequence;
        for _ in 0..limits::SCAN_REACH {
            match self.look(at) {
                Look::Skip { run } => at += run,
                _ => break,
            }
        }
        at
    }

    /// [C4 pin] Makes all that was claimed holes, with stamps for runs up to `longest`.
    ///
    /// Nobody enters the inside of a run, as it is pinned; nobody waits there, as readers take a run at its head. Where somebody
    /// took the head away while this publisher hung, the run starts behind it. It lies in one lap, as all runs here do.
    fn pass_over(&self, claimed: Range<u64>, longest: u64, pending: &mut PendingWake) {
        let Range { mut start, end } = claimed;
        while start < end {
            let may_begin = start.is_multiple_of(limits::RUN_STEP);
            let run = if may_begin {
                end.min(self.slots.lap_end(start)) - start
            } else {
                1
            };
            let run = run.min(longest);
            start += match self.make_holes(start, run, pending) {
                0 => self.stamp(start).run(),
                made => made,
            };
        }
    }

    /// [S2 final] Makes a claimed sequence a hole, or `run` of them from it on, without touching the memory. How many: where
    /// a writer hangs inside, as many as it was to write; none if `sequence` was final already.
    pub(super) fn make_holes(&self, sequence: u64, run: u64, pending: &mut PendingWake) -> u64 {
        let lap = self.slots.lap(sequence);
        let stamp = self.slots.stamp(sequence);
        let mut seen = Stamp(stamp.load(Ordering::Relaxed));
        loop {
            let (next, made) = if seen.is_before(lap) && seen.at_rest() {
                if !seen.is_single() {
                    self.hand_on(sequence + run, sequence + seen.run(), seen);
                }
                let hole = Stamp::empty(lap, seen.holds_value());
                (hole.with_run(run), run)
            } else if seen.is_before(lap) || seen.is_writing_in(lap) {
                (Stamp::lost(lap).with_run_of(seen), seen.run())
            } else {
                return 0;
            };
            // SYNC final: the stamps that `hand_on` left. The memory is not touched: its `vacate` passes
            // through, as a read-modify-write continues the release sequence.
            match stamp.compare_exchange(seen.0, next.0, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => {
                    if seen.at_rest() {
                        pending.mark(seen.is_waited());
                    } else {
                        pending.turn(); // perhaps: no bit can be set while a writer is inside
                        self.count_lost(seen);
                    }
                    self.count_holes(made);
                    return made;
                }
                Err(found) => seen = Stamp(found),
            }
        }
    }

    /// A slot's writer was found inside: count the slot the first time.
    fn count_lost(&self, seen: Stamp) {
        if seen.is_writing() {
            self.counters.lost.fetch_add(seen.run(), Ordering::Relaxed);
        }
    }
}

/// Swaps the stamp of a slot that a publisher claimed for `next`, if it is still `seen`. Otherwise
/// returns what it is.
#[inline(always)]
fn swap_in(stamp: &AtomicU64, seen: Stamp, next: Stamp) -> Result<u64, u64> {
    // SYNC vacate: the last writer has left.
    // SYNC final: the stamps that `hand_on` left of a run.
    stamp.compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed)
}
