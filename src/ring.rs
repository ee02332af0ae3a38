//! Slots, and how to read them. The two ways to write them are in [`shared`] and [`exclusive`].
//!
//! The rules, by the names that `// SAFETY` and `// SYNC` cite:
//!
//! - **\[C2 gate\]** No publisher enters a slot that an active cursor has not passed: it claims below `limit` only, and
//!   whoever stores `limit` has seen every cursor pass.
//! - **\[C4 pin\]** No publisher enters a slot that lies in a pinned window.
//! - **\[S1 enter\]** Only the publisher whose compare-and-swap made the stamp `WRITING(t)` touches the memory of the
//!   slot, until its stamp is at rest again.
//! - **\[S2 final\]** `FULL`, `HOLE`, `VACANT` and `LOST` are final for their sequence: all readers agree on it.
//! - **\[S3 order\]** No user code runs between claim and commit. (An exclusive publisher claims nothing.)
//!
//! **Architecture Invariant:** only this module and its children dereference a slot; nothing here knows of threads.

mod ahead;
mod at_hand;
pub(crate) mod batch;
pub(crate) mod exclusive;
pub(crate) mod in_place;
pub(crate) mod layout;
pub(crate) mod listeners;
pub(crate) mod protocol;
mod run;
pub(crate) mod segment;
pub(crate) mod shared;
pub(crate) mod slots;
pub(crate) mod stamp;

use crate::error::BuildError;
use crate::limits;
use crate::registry::{CursorAt, Registry, RingSize, Room, Scan, Seats, most_room};
use crate::sync::{Arc, AtomicBool, AtomicU64, Borrow, Lease, Ordering, prefetch};
use crate::unwind::drop_all;
use crossbeam_utils::CachePadded;
use layout::SlotLayout;
use listeners::PendingWake;
use protocol::Protocol;
use segment::{LapSegment, SegmentValues};
use slots::Slots;
use stamp::{Look, Stamp};
use std::mem::MaybeUninit;

/// The bit of `tail` that says that the ring takes no more events.
const CLOSED: u64 = 1 << 63;

/// A refusal, without the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Stopped,
    Exhausted,
}

/// What a publisher does with subscribers that are in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Drops them.
    Evict,
    /// Gives up.
    Keep,
}

/// The event that a reader holds, which a model follows.
pub(crate) type Held<E> = Lease<MaybeUninit<E>>;

/// Events counted by what became of them. All Relaxed: they order nothing.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Sequences without an event.
    pub(crate) holes: AtomicU64,
    /// Those of them that were claims taken from a publisher that hung.
    pub(crate) abandoned: AtomicU64,
    /// Refusals as exhausted, each counted once.
    pub(crate) exhausted: AtomicU64,
    /// Slots whose abandoned writer is still inside. Below zero while whoever abandoned one has yet to count it.
    lost: AtomicU64,
}

impl Counters {
    fn lost(&self) -> u64 {
        // Relaxed: advice.
        let lost = self.lost.load(Ordering::Relaxed).cast_signed();
        lost.max(0).cast_unsigned()
    }
}

/// A bounded multi-consumer ring.
#[derive(Debug)]
pub(crate) struct Ring<E> {
    slots: Slots<E>,
    /// Shared: the next sequence to claim. Exclusive: what is published, or a little less. And
    /// [`CLOSED`].
    tail: CachePadded<AtomicU64>,
    /// No claim at or beyond it: [C2 gate], [C4 pin].
    limit: CachePadded<AtomicU64>,
    /// [T2 holes] The end of the last holes of an exclusive ring.
    holes_end: CachePadded<AtomicU64>,
    /// An [`Listeners`]: the one look that a report costs when nobody listens.
    listeners: CachePadded<AtomicU64>,
    seats: Seats,
    pub(crate) counters: CachePadded<Counters>,
    protocol: Protocol,
    /// Somebody has claimed slots for a run: scans look after them. Never taken back.
    has_runs: AtomicBool,
}

impl<E> Ring<E> {
    /// The ring of `worker`. `capacity` is a power of two.
    pub(crate) fn new(
        capacity: usize,
        layout: SlotLayout,
        protocol: Protocol,
        registry: Arc<Registry>,
        worker: usize,
    ) -> Result<Self, BuildError> {
        let slots = Slots::new(capacity, layout)?;
        let first_scan = most_room(slots.capacity());
        Ok(Ring {
            slots,
            tail: CachePadded::new(AtomicU64::new(0)),
            // Nobody can have joined below sequence 0.
            limit: CachePadded::new(AtomicU64::new(first_scan)),
            holes_end: CachePadded::new(AtomicU64::new(0)),
            listeners: CachePadded::new(AtomicU64::new(0)),
            seats: Seats::new(registry, worker),
            counters: CachePadded::new(Counters {
                holes: AtomicU64::new(0),
                abandoned: AtomicU64::new(0),
                exhausted: AtomicU64::new(0),
                lost: AtomicU64::new(0),
            }),
            protocol,
            has_runs: AtomicBool::new(false),
        })
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.slots.capacity()
    }

    pub(crate) fn slot_bytes(&self) -> usize {
        self.slots.slot_bytes()
    }

    pub(crate) fn size(&self) -> RingSize {
        RingSize {
            capacity: self.capacity(),
            slot_bytes: self.slot_bytes(),
        }
    }

    #[inline(always)]
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn seats(&self) -> &Seats {
        &self.seats
    }

    /// The next sequence that a publisher will take.
    #[inline(always)]
    pub(crate) fn tail(&self) -> u64 {
        let stored = self.stored_tail();
        if self.protocol.stores_tail_late() {
            self.tail_by_stamps(stored)
        } else {
            stored
        }
    }

    #[inline(always)]
    fn stored_tail(&self) -> u64 {
        // Relaxed: a number. What there is to read, the stamps say.
        self.tail.load(Ordering::Relaxed) & !CLOSED
    }

    /// The tail as a joiner must see it: with the fences of [C6 join] on both sides.
    pub(crate) fn tail_after_fence(&self) -> u64 {
        // SYNC join: either a scan sees the cursor that was registered, or this load sees the tail that it read.
        crate::sync::fence(Ordering::SeqCst);
        self.tail()
    }

    /// [K2 young] Half of the ring, at least one slot.
    fn stall_distance(&self) -> u64 {
        (self.capacity() / limits::STALL_SHARE).max(1)
    }

    // Reading.

    #[inline(always)]
    fn stamp(&self, sequence: u64) -> Stamp {
        Stamp::load(self.slots.stamp(sequence))
    }

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

    /// A plain event is in the `offset`th slot of a row.
    ///
    /// # Safety
    /// The slot lies in `segment`, and in the lap of the row.
    #[inline(always)]
    pub(crate) unsafe fn is_full_in(
        values: &SegmentValues<'_, E>,
        offset: usize,
        segment: LapSegment,
    ) -> bool {
        // SAFETY: as the caller promises.
        Stamp::load(unsafe { values.stamp(offset) }) == segment.full
    }

    /// What a reader at `sequence` finds.
    #[inline(always)]
    pub(crate) fn look(&self, sequence: u64) -> Look {
        self.stamp(sequence).look(self.slots.lap(sequence))
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

    // Scanning.

    /// [C2 gate], [C3 evict]: asks the registry for room at `tail`, which the caller has loaded (or owns).
    fn make_room(&self, tail: u64, policy: Policy, pending: &mut PendingWake) -> Room {
        // SYNC join: `tail` was read before this fence.
        crate::sync::fence(Ordering::SeqCst);
        let scan = Scan {
            tail,
            capacity: self.capacity(),
            lost: self.counters.lost(),
            may_evict: policy == Policy::Evict,
        };
        let mut abandoned = PendingWake::default();
        let (room, wake) = self.seats.make_room(scan, |cursor| {
            // An exclusive ring has no claim in flight, because its only publisher runs this scan.
            if !self.protocol.can_abandon() {
                return CursorAt::NoClaim;
            }
            self.claim_ahead_of(cursor, tail, &mut abandoned)
        });
        if wake {
            // A subscriber that was dropped, should the ring be closed meanwhile, was perhaps the
            // last to be waited for.
            self.seats.drain_waiters().wake_all();
        }
        if wake || !abandoned.is_nothing() {
            pending.turn();
        }
        self.beside_runs(tail, room, pending)
    }

    /// Counts a refusal, and returns it.
    fn exhausted(&self) -> Refusal {
        self.counters.exhausted.fetch_add(1, Ordering::Relaxed);
        Refusal::Exhausted
    }

    /// How many events fit now without an eviction: at once stale, and not counting what others claim.
    pub(crate) fn free(&self) -> u64 {
        let free = self.seats.free(self.tail(), self.capacity());
        free.saturating_sub(self.counters.lost())
    }

    /// Sequences became holes, by the one stamp that made them final.
    fn count_holes(&self, holes: u64) {
        self.counters.holes.fetch_add(holes, Ordering::Relaxed);
    }
}

/// [C4 pin] The longest run of holes that one stamp is to speak for.
///
/// A pinned window is passed slot by slot the first time, so that its reader, wherever it stands in it, finds at its next look
/// that it was lapped. After that a stamp for all of it does.
fn longest_hole(again: bool) -> u64 {
    if again { stamp::LONGEST_RUN } else { 1 }
}

impl<E> Drop for Ring<E> {
    fn drop(&mut self) {
        if !std::mem::needs_drop::<E>() {
            return;
        }
        let tail = self.tail();
        let holds_value = |sequence: &u64| {
            if self.protocol.writes_in_order() {
                // Each slot of the first lap that was passed holds a value, because no window is
                // pinned in the lap that it was read in. Beyond the tail there may be slots that
                // were filled.
                *sequence < tail || self.stamp(*sequence).holds_value()
            } else {
                // At rest, as publishers are gone. (Were one not, its slot would leak.)
                let stamp = Stamp(self.slots.stamp(*sequence).load(Ordering::Relaxed));
                stamp.at_rest() && stamp.holds_value()
            }
        };
        let full = (0..self.capacity()).filter(holds_value);
        // SAFETY: `&mut self`: publishers and readers are gone. Tags (or the tail) say that it holds a value. Each once.
        drop_all(full.map(|sequence| unsafe { self.slots.drop_value(sequence) }));
    }
}
