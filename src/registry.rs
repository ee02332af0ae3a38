//! The cursors of a bus, ring by ring, and how a publisher makes room among them.
//!
//! One copy-on-write snapshot serves all rings of a bus, so that choosing the ring with the fewest subscribers and
//! joining it are one swap. Joining, leaving and pruning are lock-free; looking is wait-free and never allocates.
//!
//! - **\[C3 evict\]** Whoever would leave less than an eighth of the ring is evicted, so that a scan buys at least that.
//! - **\[C4 pin\]** The window of an evicted reader is passed over in every lap until it has detached.
//! - **\[C6 join\]** A cursor is registered before the tail is read that it starts from.
//! - **\[C7 capacity\]** Windows add up to at most a quarter of the ring.
//!
//! **Architecture Invariant:** knows cursors, never slots.

pub(crate) mod cursor;
pub(crate) mod progress;
pub(crate) mod registration;

use crate::drain::DrainWaiters;
use crate::error::{EvictionReason, SubscribeError, WindowHolder};
use crate::limits;
use crate::snapshot::{Loaded, Snapshot};
use crate::subscriber::id::SubscriberId;
use crate::subscriber::options::SubscribeOptions;
use crate::sync::Arc;
use cursor::CursorState;
use registration::Registration;
use std::cmp::Reverse;

type Registrations = Arc<Vec<Arc<Registration>>>;

/// Who is subscribed, ring by ring.
#[derive(Debug)]
pub(crate) struct Registry {
    roster: Snapshot<Roster>,
    drain_waiters: DrainWaiters,
}

#[derive(Clone, Debug)]
pub(crate) struct Roster {
    rings: Vec<Registrations>,
}

impl Roster {
    pub(crate) fn of(&self, ring: usize) -> &[Arc<Registration>] {
        &self.rings[ring]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &Arc<Registration>)> {
        (0..)
            .zip(&self.rings)
            .flat_map(|(ring, registrations)| registrations.iter().map(move |m| (ring, m)))
    }
}

/// What a publisher wants room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan {
    pub(crate) tail: u64,
    pub(crate) capacity: u64,
    /// Slots that frozen publishers hold.
    pub(crate) lost: u64,
    pub(crate) may_evict: bool,
}

/// What a scan finds in the slot of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CursorAt {
    /// An event, a hole, or nothing yet: the subscriber itself is to blame for how far it is behind.
    NoClaim,
    /// A claim in flight, or one that was stalled and that the scan has abandoned: the subscriber is not to blame. The next scan
    /// is to come at `until` at the latest, because the claim that is in flight now is stalled by then.
    Claim { until: u64 },
    /// The ring was closed since the scan began: the publisher will claim nothing, so no subscriber
    /// is in its way.
    Closed,
}

/// What a scan found for its tail. Void once the tail has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Every sequence below is free: no active cursor has yet to pass its slot, and no window pins it. [C2 gate]
    Until(u64),
    /// So many slots from the tail on are to become holes. [C4 pin]
    Pinned {
        slots: u64,
        /// The windows at the tail were passed over before, as far as their sequences say. Only for how soon their readers are
        /// told: one whose window starts further on, or was registered late, may read it to its end first.
        again: bool,
    },
    /// A cursor that is a whole ring behind, and was not to be evicted.
    Full(Blocker),
    /// A cursor that is a whole ring behind moved whenever it was to be evicted: look again.
    Moving,
    /// Too much is pinned or lost.
    Exhausted,
}

/// The cursor that a scan stopped at, as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocker {
    /// Its place among the registrations of the ring.
    index: usize,
    position: CursorState,
}

impl Registry {
    pub(crate) fn new(rings: usize) -> Self {
        Registry {
            roster: Snapshot::new(Roster {
                rings: vec![Registrations::default(); rings],
            }),
            drain_waiters: DrainWaiters::new(),
        }
    }

    pub(crate) fn drain_waiters(&self) -> &DrainWaiters {
        &self.drain_waiters
    }

    pub(crate) fn load(&self) -> Loaded<'_, Roster> {
        self.roster.load()
    }

    /// Registers a registration in `ring`, or in the one with the fewest active subscribers, the first of a tie.
    ///
    /// `tail_of` gives a ring's tail, where the cursor starts until it moves up.
    pub(crate) fn register(
        &self,
        id: SubscriberId,
        options: &SubscribeOptions,
        is_handler: bool,
        size: RingSize,
        tail_of: impl Fn(usize) -> u64,
    ) -> Result<(usize, Arc<Registration>), SubscribeError> {
        self.roster
            .update(|roster| {
                let workers = roster.rings.len();
                let chosen = match options.worker {
                    Some(worker) if worker >= workers => {
                        return Err(SubscribeError::NoSuchWorker { worker, workers });
                    }
                    Some(worker) => worker,
                    None => roster.least_loaded(),
                };
                let window = roster
                    .window_for(chosen, options, size)
                    .ok_or_else(|| roster.full(chosen, size.capacity))?;
                let registration = Arc::new(Registration::new(
                    id,
                    options.clone(),
                    is_handler,
                    window,
                    tail_of(chosen),
                ));
                let mut next = roster.clone();
                let mut registrations = unreclaimed(roster.of(chosen));
                registrations.push(Arc::clone(&registration));
                next.rings[chosen] = Registrations::new(registrations);
                Ok((next, (chosen, registration)))
            })
            .inspect(|_| self.roster.sweep())
    }

    /// Takes settled registrations out of a ring's list.
    pub(crate) fn prune(&self, ring: usize) {
        // The only error is that there is nothing to do.
        let pruned = self.roster.update(|roster| {
            let kept = unreclaimed(roster.of(ring));
            if kept.len() == roster.of(ring).len() {
                return Err(());
            }
            let mut next = roster.clone();
            next.rings[ring] = Registrations::new(kept);
            Ok((next, ()))
        });
        if pruned.is_ok() {
            self.roster.sweep();
        }
    }
}

fn unreclaimed(registrations: &[Arc<Registration>]) -> Vec<Arc<Registration>> {
    registrations
        .iter()
        .filter(|m| !m.is_reclaimable())
        .cloned()
        .collect()
}

impl Roster {
    fn least_loaded(&self) -> usize {
        let active = |registrations: &Registrations| {
            registrations
                .iter()
                .filter(|m| m.cursor.glance().is_active())
                .count()
        };
        let (first, _) = (0..)
            .zip(&self.rings)
            .min_by_key(|(_, registrations)| active(registrations))
            .unwrap_or((0, &self.rings[0]));
        first
    }

    /// [C7 capacity] The widest window, a power of two, that takes at most an eighth of what is
    /// left, and at least 1: so early registrations read in long strides, and a small ring still has room
    /// for many.
    ///
    /// At most 8 where time or distance is limited: a cursor moves once a window, and the watch sees cursors only.
    fn window_for(&self, ring: usize, options: &SubscribeOptions, size: RingSize) -> Option<u64> {
        let spent: u64 = self.holders(ring).map(|m| m.window).sum();
        let left = (size.capacity / limits::PIN_SHARE).checked_sub(spent)?;
        if left == 0 {
            return None;
        }
        let widest = match options.window {
            None if options.is_limited() => (left / 8).clamp(1, 8),
            None => (left / 8).clamp(1, size.default_window()),
            Some(wanted) => (wanted as u64).clamp(1, left),
        };
        Some(1 << widest.min(limits::WIDEST_WINDOW).ilog2())
    }
}

/// How large each ring is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingSize {
    pub(crate) capacity: u64,
    pub(crate) slot_bytes: usize,
}

impl RingSize {
    /// The bytes of slots in the widest window by default.
    const WINDOW_BYTES: u64 = 4096;

    /// The widest window by default: as many slots as lie in [`WINDOW_BYTES`](Self::WINDOW_BYTES),
    /// but not less than half of the widest window.
    ///
    /// Small events are read fast, so that moving the cursor costs more than many of them. Of large
    /// ones a reader would leave its nearest cache: it keeps a whole window between its own and the
    /// publisher.
    fn default_window(self) -> u64 {
        let slots = Self::WINDOW_BYTES / self.slot_bytes.max(1) as u64;
        slots.clamp(limits::WIDEST_WINDOW / 2, limits::WIDEST_WINDOW)
    }
}

impl Roster {
    /// Those whose windows count: a registration that was dropped holds its window until it has retired.
    fn holders(&self, ring: usize) -> impl Iterator<Item = &Registration> {
        let registrations = self.of(ring).iter().map(|registration| &**registration);
        registrations.filter(|registration| !registration.is_retired())
    }

    #[cold]
    fn full(&self, ring: usize, capacity: u64) -> SubscribeError {
        let mut holders: Vec<_> = self
            .holders(ring)
            .map(|registration| WindowHolder {
                subscriber: registration.id,
                name: registration.options.name.clone(),
                slots: registration.window,
            })
            .collect();
        holders.sort_by_key(|holder| Reverse(holder.slots));
        SubscribeError::Full {
            worker: ring,
            slots: capacity / limits::PIN_SHARE,
            holders,
        }
    }
}

/// One ring's view of the registry.
#[derive(Debug)]
pub(crate) struct Seats {
    registry: Arc<Registry>,
    ring: usize,
}

impl Seats {
    pub(crate) fn new(registry: Arc<Registry>, ring: usize) -> Self {
        Seats { registry, ring }
    }

    /// Who is listed now. A copy of the list's count: good across user code.
    pub(crate) fn registrations(&self) -> Registrations {
        Arc::clone(&self.registry.load().rings[self.ring])
    }

    pub(crate) fn prune(&self) {
        self.registry.prune(self.ring);
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The futures that wait until all subscribers have read everything.
    pub(crate) fn drain_waiters(&self) -> &DrainWaiters {
        self.registry.drain_waiters()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.registry.load().of(self.ring).is_empty()
    }

    /// [C2 gate], [C3 evict], [C4 pin]: room for a publisher at `scan.tail`. The caller has made the fence of [C6 join].
    ///
    /// `claim_at` looks at the slot of each active cursor, and abandons a claim there that is stalled. Also returns whether
    /// the worker is to be woken.
    pub(crate) fn make_room(
        &self,
        scan: Scan,
        mut claim_at: impl FnMut(u64) -> CursorAt,
    ) -> (Room, bool) {
        let Scan { tail, capacity, .. } = scan;
        // SYNC registry: cursors that were pruned had detached.
        let roster = self.registry.load();
        let registrations = roster.of(self.ring);

        let pinned: u64 = registrations
            .iter()
            .filter(|m| m.cursor.look().pins())
            .map(|m| m.window)
            .sum();
        if pinned + scan.lost > capacity / 2 {
            return (Room::Exhausted, false);
        }

        let mut gate = tail + most_room(capacity);
        let mut free = gate;
        let mut pinned_here = 0;
        let mut again = true;
        let mut wake = false;
        let mut blocker = None;
        for (index, registration) in registrations.iter().enumerate() {
            let (position, until) = scan.settle(registration, &mut claim_at, &mut wake);
            if position.is_active() {
                if until < gate {
                    gate = until;
                    blocker = Some(Blocker { index, position });
                }
            } else if position.pins() {
                match next_pinned(position.sequence(), registration.window, tail, capacity) {
                    Pin::Here { slots, again: told } => {
                        pinned_here = pinned_here.max(slots);
                        again &= told;
                    }
                    Pin::At(sequence) => free = free.min(sequence),
                }
            }
        }

        let room = if let Some(blocker) = blocker
            && gate <= tail
        {
            if scan.may_evict {
                Room::Moving
            } else {
                Room::Full(blocker)
            }
        } else if pinned_here > 0 {
            let slots = pinned_here.min(gate - tail);
            Room::Pinned { slots, again }
        } else {
            Room::Until(gate.min(free))
        };
        (room, wake)
    }

    /// Returns whether the ring is still full for the reason that a scan gave: the cursor that it
    /// stopped at has not moved. False if that subscriber sleeps, because a scan would wake it.
    ///
    /// The other cursors are not looked at, because each look takes a cache line from the subscriber
    /// that writes it. If another subscriber has come to the same place of the list, and stands at
    /// the same sequence, it is in the way just as well.
    pub(crate) fn is_blocked_by(&self, blocker: Blocker) -> bool {
        let roster = self.registry.load();
        let registration = roster.of(self.ring).get(blocker.index);
        !blocker.position.is_idle()
            && registration
                .is_some_and(|registration| registration.cursor.glance() == blocker.position)
    }

    /// Slots between `tail` and the slowest cursor that no window pins, evicting nobody.
    pub(crate) fn free(&self, tail: u64, capacity: u64) -> u64 {
        let mut gate = tail + capacity;
        let mut pinned = 0;
        for registration in self.registry.load().of(self.ring) {
            let position = registration.cursor.look();
            if position.is_active() {
                gate = gate.min(position.sequence() + capacity);
            } else if position.pins() {
                pinned += registration.window;
            }
        }
        gate.saturating_sub(tail).saturating_sub(pinned)
    }
}

impl Scan {
    /// [C3 evict] Looks at one cursor, and evicts it if it is in the way and may be. Returns where it is, and the sequence that
    /// publishers may not reach because of it: [C2 gate], [K2 young].
    fn settle(
        &self,
        registration: &Registration,
        claim_at: &mut impl FnMut(u64) -> CursorAt,
        wake: &mut bool,
    ) -> (CursorState, u64) {
        let quarter = (self.capacity / 4).max(1);
        let eighth = (self.capacity / 8).max(1);
        let mut position = registration.cursor.look();
        if !position.is_active() {
            return (position, self.tail);
        }
        *wake |= position.is_idle() && self.tail.saturating_sub(position.sequence()) >= quarter;
        let (may_evict, blameless, until) = match claim_at(position.sequence()) {
            CursorAt::NoClaim => (self.may_evict, false, u64::MAX),
            CursorAt::Claim { until } => (self.may_evict, true, until),
            CursorAt::Closed => (false, false, u64::MAX),
        };
        // The subscriber moves whenever an eviction loses, so three tries are plenty.
        for _ in 0..3 {
            let room = (position.sequence() + self.capacity).saturating_sub(self.tail);
            let in_the_way = if blameless { room == 0 } else { room < eighth };
            if !(may_evict && in_the_way && position.is_active()) {
                break;
            }
            if registration.cursor.evict(position, EvictionReason::Lapped) {
                *wake = true;
                return (position.evicted(EvictionReason::Lapped), self.tail);
            }
            position = registration.cursor.look();
        }
        (position, until.min(position.sequence() + self.capacity))
    }
}

/// Returns how many slots one scan gives at most, in a ring of `capacity`.
pub(crate) fn most_room(capacity: u64) -> u64 {
    (capacity / 2).max(1)
}

/// Where the window of an evicted reader next meets the tail.
enum Pin {
    /// It covers so many slots from the tail on, for the first time or again.
    Here { slots: u64, again: bool },
    /// It starts at this sequence.
    At(u64),
}

/// [C4 pin] The window `[start, start + width)` pins its slots in every later lap, never in its own.
fn next_pinned(start: u64, width: u64, tail: u64, capacity: u64) -> Pin {
    let first = start + capacity;
    if tail < first {
        return Pin::At(first);
    }
    let offset = (tail - first) % capacity;
    if offset < width {
        let again = tail - first >= capacity;
        let slots = width - offset;
        Pin::Here { slots, again }
    } else {
        Pin::At(tail + capacity - offset)
    }
}
