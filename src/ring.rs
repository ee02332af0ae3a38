//! A bounded multi-consumer ring: its tail, how far it may be claimed, and its end. How it is read is in [`read`], and the
//! two ways to write it in [`claim`] and [`exclusive`].
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
//! **Architecture Invariant:** only this module and its children find the memory of a slot; nothing here knows who runs.

mod abandon;
mod ahead;
mod at_hand;
pub(crate) mod batch;
pub(crate) mod claim;
pub(crate) mod exclusive;
pub(crate) mod gate;
pub(crate) mod in_place;
pub(crate) mod layout;
pub(crate) mod listeners;
pub(crate) mod protocol;
mod read;
mod run;
pub(crate) mod segment;
pub(crate) mod slots;
pub(crate) mod stamp;
pub(crate) mod write_cursor;

use crate::error::BuildError;
use crate::limits;
use crate::registry::{Registry, RingRegistry, RingSize};
use crate::sync::{Arc, AtomicBool, AtomicU64, Lease, Ordering};
use crate::unwind::drop_all;
use crossbeam_utils::CachePadded;
use layout::SlotLayout;
use protocol::Protocol;
use slots::Slots;
use stamp::{Look, Stamp};
use std::mem::MaybeUninit;

/// The bit of `tail` that says that the ring takes no more events.
const CLOSED: u64 = 1 << 63;

/// The event that a reader holds, which a model follows.
pub(crate) type Held<E> = Lease<MaybeUninit<E>>;

/// What became of sequences without an event, and of reports. All Relaxed: they order nothing.
#[derive(Debug)]
pub(crate) struct RingCounters {
    /// Sequences without an event.
    pub(crate) holes: AtomicU64,
    /// Those of them that were claims taken from a publisher that hung.
    pub(crate) abandoned: AtomicU64,
    /// Refusals as exhausted, each counted once.
    pub(crate) exhausted: AtomicU64,
    /// Slots whose abandoned writer is still inside. Below zero while whoever abandoned one has yet to count it.
    lost: AtomicU64,
}

impl RingCounters {
    fn lost(&self) -> u64 {
        // Relaxed: advice.
        let lost = self.lost.load(Ordering::Relaxed).cast_signed();
        lost.max(0).cast_unsigned()
    }

    /// Sequences became holes, by the one stamp that made them final.
    fn count_holes(&self, holes: u64) {
        self.holes.fetch_add(holes, Ordering::Relaxed);
    }
}

/// A bounded multi-consumer ring.
#[derive(Debug)]
pub(crate) struct Ring<E> {
    slots: Slots<E>,
    /// Shared: the next sequence to claim. Exclusive: what is published, or a little less. And
    /// [`CLOSED`].
    ///
    /// It is loaded Relaxed, because it is only compared as a number: readers synchronize on the stamps
    /// of slots, and publishers on `limit`. A claim releases it for one thing, that there are runs
    /// (SYNC runs); a joiner and a scan meet by fences (SYNC join).
    tail: CachePadded<AtomicU64>,
    /// No claim at or beyond it: [C2 gate], [C4 pin].
    limit: CachePadded<AtomicU64>,
    /// [T2 holes] The end of the last holes of an exclusive ring.
    holes_end: CachePadded<AtomicU64>,
    /// The word of [`Listeners`](listeners::Listeners): the one look that a report costs when nobody listens.
    listeners: CachePadded<AtomicU64>,
    registry: RingRegistry,
    pub(crate) counters: CachePadded<RingCounters>,
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
        let first_scan = limits::most_room(slots.capacity());
        Ok(Ring {
            slots,
            tail: CachePadded::new(AtomicU64::new(0)),
            // Nobody can have joined below sequence 0.
            limit: CachePadded::new(AtomicU64::new(first_scan)),
            holes_end: CachePadded::new(AtomicU64::new(0)),
            listeners: CachePadded::new(AtomicU64::new(0)),
            registry: RingRegistry::new(registry, worker),
            counters: CachePadded::new(RingCounters {
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

    pub(crate) fn ring_size(&self) -> RingSize {
        RingSize {
            capacity: self.capacity(),
            slot_bytes: self.slot_bytes(),
        }
    }

    #[inline(always)]
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn registry(&self) -> &RingRegistry {
        &self.registry
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
        // Relaxed: the tail is only compared as a number, and readers synchronize on the stamps of slots.
        self.tail.load(Ordering::Relaxed) & !CLOSED
    }

    /// Returns how many sequences from `sequence` on are taken: an upper bound on events.
    pub(crate) fn lag(&self, sequence: u64) -> u64 {
        self.tail().saturating_sub(sequence)
    }

    /// The tail as a joiner must see it: with the fences of [C6 join] on both sides.
    pub(crate) fn tail_after_fence(&self) -> u64 {
        // SYNC join: either a scan sees the cursor that was registered, or this load sees the tail that it read.
        crate::sync::fence(Ordering::SeqCst);
        self.tail()
    }

    /// [T1 tail] Returns what is published when `stored` is the tail that was stored: a place where
    /// a stamp is or comes next.
    ///
    /// It halves what the publisher may have written without another scan. A run that it meets ends
    /// behind all that is searched, or the events behind it are searched in turn.
    #[cold]
    #[inline(never)]
    fn tail_by_stamps(&self, stored: u64) -> u64 {
        let mut tail = stored;
        let mut end = self
            .slots
            .lap_end(stored)
            .min(stored + limits::most_room(self.capacity()));
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

    #[inline(always)]
    fn stamp(&self, sequence: u64) -> Stamp {
        Stamp::load(self.slots.stamp(sequence))
    }

    /// What a reader at `sequence` finds.
    #[inline(always)]
    pub(crate) fn look(&self, sequence: u64) -> Look {
        self.stamp(sequence).look(self.slots.lap(sequence))
    }
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
