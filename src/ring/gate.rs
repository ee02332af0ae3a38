//! The gate: how far publishers may claim, because of the cursors, the pinned windows and the runs ahead of them.
//!
//! The LMAX Disruptor gates its publishers by the cursors of its consumers in the same way. It waits
//! for them; a scan here evicts the ones that are in the way.
//!
//! - **\[C3 evict\]** Whoever would leave less than an eighth of the ring is evicted, so that a scan buys at least that.

use super::listeners::PendingWake;
use super::stamp::{Look, Stamp};
use super::{CLOSED, Ring};
use crate::error::EvictionReason;
use crate::limits;
use crate::registry::cursor::CursorState;
use crate::registry::registration::Registration;
use crate::sync::{Ordering, fence};
use std::ops::Range;

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
pub(crate) enum GateOutcome {
    /// Every sequence below is free: no active cursor has yet to pass its slot, and no window pins it. [C2 gate]
    OpenUntil(u64),
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
    Contended,
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

/// One walk over the cursors of a ring, for a publisher at its tail.
struct GateScan<'a, E> {
    ring: &'a Ring<E>,
    tail: u64,
    may_evict: bool,
    /// A subscriber was evicted, or sleeps and is far behind.
    wakes: bool,
    /// Of the claims that were abandoned.
    abandoned: PendingWake,
}

impl<E> Ring<E> {
    /// [C2 gate], [C3 evict], [C4 pin]: looks for room at `tail`, which the caller has loaded (or owns).
    pub(super) fn scan_gate(
        &self,
        tail: u64,
        policy: Policy,
        pending: &mut PendingWake,
    ) -> GateOutcome {
        // SYNC join: `tail` was read before this fence.
        fence(Ordering::SeqCst);
        let mut scan = GateScan {
            ring: self,
            tail,
            may_evict: policy == Policy::Evict,
            wakes: false,
            abandoned: PendingWake::default(),
        };
        let room = scan.walk();
        if scan.wakes {
            // A subscriber that was dropped, should the ring be closed meanwhile, was perhaps the
            // last to be waited for.
            self.registry.drain_waiters().wake_all();
        }
        if scan.wakes || !scan.abandoned.is_nothing() {
            pending.ask_for_turn();
        }
        self.clip_to_runs(tail, room, pending)
    }

    /// Returns whether the ring is still full for the reason that a scan gave: the cursor that it
    /// stopped at has not moved. False if that subscriber sleeps, because a scan would wake it.
    ///
    /// The other cursors are not looked at, because each look takes a cache line from the subscriber
    /// that writes it. If another subscriber has come to the same place of the list, and stands at
    /// the same sequence, it is in the way just as well.
    pub(crate) fn is_blocked_by(&self, blocker: Blocker) -> bool {
        let registrations = self.registry.load();
        let registration = registrations.get(blocker.index);
        !blocker.position.is_idle()
            && registration
                .is_some_and(|registration| registration.cursor.glance() == blocker.position)
    }

    /// Counts a refusal, and returns it.
    pub(super) fn exhausted(&self) -> Refusal {
        self.counters.exhausted.fetch_add(1, Ordering::Relaxed);
        Refusal::Exhausted
    }

    /// How many events fit now without an eviction: at once stale, and not counting what others claim.
    pub(crate) fn free(&self) -> u64 {
        let (tail, capacity) = (self.tail(), self.capacity());
        let mut gate = tail + capacity;
        let mut pinned = 0;
        for registration in self.registry.load().iter() {
            let position = registration.cursor.look();
            if position.is_active() {
                gate = gate.min(position.sequence() + capacity);
            } else if position.pins() {
                pinned += registration.window;
            }
        }
        let free = gate.saturating_sub(tail).saturating_sub(pinned);
        free.saturating_sub(self.counters.lost())
    }

    /// [K2 young] Looks for the claim that a subscriber whose cursor is at `cursor` waits for, or will meet first behind holes,
    /// and abandons it if it is stalled.
    fn claim_ahead_of(&self, cursor: u64, tail: u64, pending: &mut PendingWake) -> CursorAt {
        // The only publisher of an exclusive ring runs this scan, and claims nothing.
        if !self.protocol.can_abandon() {
            return CursorAt::NoClaim;
        }
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

    /// [R2 lap], [R3 whole] What is left of the room that a scan found at `tail`, when runs are looked after.
    fn clip_to_runs(&self, tail: u64, room: GateOutcome, pending: &mut PendingWake) -> GateOutcome {
        // SYNC runs: the tail was read before the fence of the scan.
        if !self.has_runs.load(Ordering::Relaxed) {
            return room;
        }
        let end = match room {
            // So many looks are enough for one scan, however large the ring is.
            GateOutcome::OpenUntil(end) => end.min(tail + limits::SCAN_REACH),
            GateOutcome::Pinned { slots, .. } => tail + slots,
            GateOutcome::Full(_) | GateOutcome::Contended | GateOutcome::Exhausted => return room,
        };
        match (self.first_stalled_run(tail, end, pending), room) {
            (None, GateOutcome::OpenUntil(_)) => GateOutcome::OpenUntil(end),
            (None, _) => room,
            (Some(run), _) if run.start <= tail => GateOutcome::Pinned {
                slots: run.end - tail,
                again: true,
            },
            (Some(run), GateOutcome::Pinned { again, .. }) => GateOutcome::Pinned {
                slots: run.start - tail,
                again,
            },
            (Some(run), _) => GateOutcome::OpenUntil(run.start),
        }
    }

    /// The first run whose writer hangs inside, a lap on, that meets `tail..end`. [R2 lap]: all before it is final.
    fn first_stalled_run(
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

impl<E> GateScan<'_, E> {
    fn walk(&mut self) -> GateOutcome {
        let (tail, capacity) = (self.tail, self.ring.capacity());
        let lost = self.ring.counters.lost();
        // SYNC registry: cursors that were pruned had detached.
        let registrations = self.ring.registry.load();

        let pinned: u64 = registrations
            .iter()
            .filter(|registration| registration.cursor.look().pins())
            .map(|registration| registration.window)
            .sum();
        if pinned + lost > capacity / 2 {
            return GateOutcome::Exhausted;
        }

        let mut gate = tail + limits::most_room(capacity);
        let mut free = gate;
        let mut pinned_here = 0;
        let mut again = true;
        let mut blocker = None;
        for (index, registration) in registrations.iter().enumerate() {
            let (position, until) = self.evict_if_in_the_way(registration);
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

        if let Some(blocker) = blocker
            && gate <= tail
        {
            if self.may_evict {
                GateOutcome::Contended
            } else {
                GateOutcome::Full(blocker)
            }
        } else if pinned_here > 0 {
            let slots = pinned_here.min(gate - tail);
            GateOutcome::Pinned { slots, again }
        } else {
            GateOutcome::OpenUntil(gate.min(free))
        }
    }

    /// [C3 evict] Looks at one cursor, and evicts it if it is in the way and may be. Returns where it is, and the sequence that
    /// publishers may not reach because of it: [C2 gate], [K2 young].
    fn evict_if_in_the_way(&mut self, registration: &Registration) -> (CursorState, u64) {
        let (tail, capacity) = (self.tail, self.ring.capacity());
        let quarter = (capacity / 4).max(1);
        let eighth = (capacity / 8).max(1);
        let mut position = registration.cursor.look();
        if !position.is_active() {
            return (position, tail);
        }
        self.wakes |= position.is_idle() && tail.saturating_sub(position.sequence()) >= quarter;
        let claim = self
            .ring
            .claim_ahead_of(position.sequence(), tail, &mut self.abandoned);
        let (may_evict, blameless, until) = match claim {
            CursorAt::NoClaim => (self.may_evict, false, u64::MAX),
            CursorAt::Claim { until } => (self.may_evict, true, until),
            CursorAt::Closed => (false, false, u64::MAX),
        };
        // An eviction fails where the cursor's word has changed: as a rule because the subscriber has moved, so that three
        // attempts are enough.
        for _ in 0..3 {
            let room = (position.sequence() + capacity).saturating_sub(tail);
            let in_the_way = if blameless { room == 0 } else { room < eighth };
            if !(may_evict && in_the_way && position.is_active()) {
                break;
            }
            if registration.cursor.evict(position, EvictionReason::Lapped) {
                self.wakes = true;
                return (position.evicted(EvictionReason::Lapped), tail);
            }
            position = registration.cursor.look();
        }
        (position, until.min(position.sequence() + capacity))
    }
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
