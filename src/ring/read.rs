//! Reading: what is at a sequence, and how far claims and runs may reach.

use super::Ring;
use super::segment::{LapSegment, SegmentValues};
use super::stamp::{Look, Stamp};
use crate::failpoint::failpoint;
use crate::limits;
use crate::sync::{AtomicU64, Borrow, Ordering, prefetch};
use std::mem::MaybeUninit;

impl<E> Ring<E> {
    /// Brings the stamp of `sequence` near, before a reader looks at it. Behind a run of a batch, a
    /// stamp lies on a cache line that the processor does not expect.
    #[inline(always)]
    pub(crate) fn prefetch_stamp(&self, sequence: u64) {
        let stamp: *const AtomicU64 = self.slots.stamp(sequence);
        prefetch(stamp.cast());
    }

    /// Prefetches so many events from `start` on, those of the next window, if they lie on few
    /// cache lines.
    ///
    /// A reader moves its cursor by a locked instruction before each window, and no load behind it
    /// begins earlier. So where windows are short, the reader would wait for the lines of each.
    #[inline(always)]
    pub(crate) fn prefetch_events(&self, start: u64, events: u64) {
        self.slots.prefetch_short(start, events as usize);
    }

    /// From `start` to `limit`, or to the end of the lap.
    #[inline(always)]
    pub(crate) fn segment(&self, start: u64, limit: u64) -> LapSegment {
        LapSegment {
            end: limit.min(self.slots.lap_end(start)),
            full: Stamp::full(self.slots.lap(start)),
        }
    }

    /// A plain event is at `sequence`, which lies in `segment`: the quick half of [`Ring::look`].
    #[inline(always)]
    pub(crate) fn is_full(&self, sequence: u64, segment: LapSegment) -> bool {
        self.stamp(sequence) == segment.full
    }

    /// A plain event is in the `offset`th slot of a segment.
    ///
    /// # Safety
    /// The slot lies in `segment`, and in the lap of the values.
    #[inline(always)]
    pub(crate) unsafe fn is_full_in(
        values: &SegmentValues<'_, E>,
        offset: usize,
        segment: LapSegment,
    ) -> bool {
        // SAFETY: as the caller promises.
        Stamp::load(unsafe { values.stamp(offset) }) == segment.full
    }

    /// The newest event from `start` on whose stamp, or whose run's, lies there too.
    ///
    /// The inside of a run bears stamps of earlier laps, or none: what it is, its head says.
    pub(crate) fn newest(&self, start: u64) -> Option<u64> {
        (start..self.tail())
            .rev()
            .find_map(|sequence| match self.look(sequence) {
                Look::Ready { run } => Some(sequence + run - 1),
                _ => None,
            })
    }

    /// # Safety
    /// The event of `sequence` is there ([`Look::Ready`] covered it), and `sequence` lies in the caller's window:
    /// [C1 window], [C4 pin].
    #[inline(always)]
    pub(crate) unsafe fn borrow(&self, sequence: u64) -> (*const E, Borrow<MaybeUninit<E>>) {
        self.slots.borrow(sequence)
    }

    /// The values from `sequence` to the end of its lap.
    #[inline(always)]
    pub(crate) fn values_from(&self, sequence: u64) -> SegmentValues<'_, E> {
        self.slots.values_from(sequence)
    }

    /// Nothing at `sequence` yet: somebody claimed it, or will.
    pub(crate) fn is_pending(&self, sequence: u64) -> bool {
        matches!(self.look(sequence), Look::Writing | Look::Earlier)
    }

    /// `sequence` is claimed and neither committed nor given up.
    pub(crate) fn is_in_flight(&self, sequence: u64) -> bool {
        if !self.protocol.can_abandon() {
            return false;
        }
        let claimed = sequence < self.tail();
        // A publisher that is inside has claimed it, whatever this thread knows of the tail.
        match self.look(sequence) {
            Look::Writing => true,
            Look::Earlier => claimed && !self.is_in_final_run(sequence),
            _ => false,
        }
    }

    /// [K2 young] Returns whether a claim at `sequence` counts as stalled without a grace, because the tail is so far ahead.
    pub(crate) fn is_far_behind(&self, sequence: u64, tail: u64) -> bool {
        tail.saturating_sub(sequence) >= self.stall_distance()
    }

    /// [T2 holes] Returns whether each slot from `start` to `last` holds an event, and no run leads
    /// beyond `last`. For an exclusive ring.
    #[inline(always)]
    pub(crate) fn is_event_each(&self, start: u64, last: u64) -> bool {
        debug_assert!(self.protocol().writes_in_order());
        // SYNC publish: the contents of all of them, and the end of all holes before `last`.
        self.is_single(last) && self.holes_end.load(Ordering::Relaxed) <= start
    }

    /// Returns whether an event with a stamp of its own is at `sequence`.
    #[inline(always)]
    pub(crate) fn is_single(&self, sequence: u64) -> bool {
        self.stamp(sequence) == Stamp::full(self.slots.lap(sequence))
    }

    // How far claims and runs reach.

    /// [K1 share] The most slots that one claim may hold when there are so many `publishers`.
    pub(super) fn claim_share(&self, publishers: u64) -> u64 {
        let share = self.capacity() / limits::CLAIM_SHARE / publishers.max(1);
        share.max(1)
    }

    /// [K2 young] Half of the ring, at least one slot.
    pub(super) fn stall_distance(&self) -> u64 {
        (self.capacity() / limits::STALL_SHARE).max(1)
    }

    /// The longest run that one of so many publishers enters: none where the ring is too small for it.
    pub(super) fn longest_run(&self, publishers: u64) -> u64 {
        let share = self.claim_share(publishers);
        let whole_steps = share - share % limits::RUN_STEP;
        whole_steps.min(limits::BATCH as u64)
    }

    /// The first place where a run that covers `sequence` may begin; beyond it if there is none.
    pub(super) fn first_head(&self, sequence: u64) -> u64 {
        (sequence + 1)
            .saturating_sub(self.longest_run(1))
            .next_multiple_of(limits::RUN_STEP)
    }

    /// `sequence` lies inside of a run that is final.
    fn is_in_final_run(&self, sequence: u64) -> bool {
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
}
