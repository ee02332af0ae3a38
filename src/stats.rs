//! Statistics, as they are read: the counters themselves lie in `RingCounters` (`ring.rs`) and
//! `WorkerCounters` (`worker.rs`).

use crate::error::EvictionReason;
use crate::registry::cursor::CursorState;
use crate::registry::registration::Registration;
use crate::subscriber::id::SubscriberId;
use crate::sync::Ordering;
use crate::worker::Worker;
use crate::worker::set::WorkerSet;

/// What [`Bus::stats`](crate::Bus::stats) found. Counters since the start of the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// One for each worker.
    pub workers: Vec<WorkerStats>,
    /// One for each subscriber that lives.
    pub subscribers: Vec<SubscriberStats>,
}

impl BusStats {
    pub(crate) fn of<E>(set: &WorkerSet<E>) -> Self {
        let snapshot = set.registry.load();
        let mut stats = BusStats {
            workers: set
                .workers
                .iter()
                .map(|worker| WorkerStats::of(worker))
                .collect(),
            subscribers: Vec::new(),
        };
        for (ring, registration) in snapshot
            .all()
            .filter(|(_, registration)| !registration.is_retired())
        {
            let worker = &set.workers[ring];
            let position = registration.cursor.look();
            let of_worker = &mut stats.workers[ring];
            of_worker.subscribers += usize::from(position.is_active());
            of_worker.pinned_slots += if position.pins() {
                registration.window
            } else {
                0
            };
            let subscriber = SubscriberStats::of(worker, registration, position);
            stats.subscribers.push(subscriber);
        }
        stats
    }
}

/// One worker and its ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// Its number, from 0.
    pub id: usize,
    /// The core that its thread is pinned to.
    pub core: Option<usize>,
    /// The ring's slots.
    pub capacity: usize,
    /// The bytes of a slot.
    pub slot_bytes: usize,
    /// Subscribers that were not dropped.
    pub subscribers: usize,
    /// Events; those of publishers that are inside count already.
    pub published: u64,
    /// Sequences without an event.
    pub holes: u64,
    /// Holes that were claims taken from a publisher that hung.
    pub abandoned: u64,
    /// Reports and batches that were refused as exhausted.
    pub exhausted: u64,
    /// Drops that were told, by reason, in the order of [`EvictionReason::ALL`].
    pub evicted: [u64; EvictionReason::COUNT],
    /// Slots that evicted readers hold for now.
    pub pinned_slots: u64,
    /// Wake-ups of the worker, and of sleeping threads by publishers themselves.
    pub wakes: u64,
    /// Panics in the host's notice callback.
    pub notice_panics: u64,
}

impl WorkerStats {
    /// How many were dropped for one reason.
    #[must_use]
    pub fn evicted_for(&self, reason: EvictionReason) -> u64 {
        self.evicted[reason as usize]
    }

    pub(crate) fn of<E>(worker: &Worker<E>) -> Self {
        let ring = &worker.ring;
        // Relaxed: counters.
        let holes = ring.counters.holes.load(Ordering::Relaxed);
        WorkerStats {
            id: worker.id,
            core: worker.core.get().copied(),
            capacity: ring.capacity() as usize,
            slot_bytes: ring.slot_bytes(),
            subscribers: 0,
            published: ring.tail().saturating_sub(holes),
            holes,
            abandoned: ring.counters.abandoned.load(Ordering::Relaxed),
            exhausted: ring.counters.exhausted.load(Ordering::Relaxed),
            evicted: std::array::from_fn(|reason| {
                worker.counters.evicted[reason].load(Ordering::Relaxed)
            }),
            pinned_slots: 0,
            wakes: worker.counters.wakes.load(Ordering::Relaxed),
            notice_panics: worker.counters.notice_panics.load(Ordering::Relaxed),
        }
    }
}

/// One subscriber, as any thread sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberStats {
    /// Its id.
    pub id: SubscriberId,
    /// Its name.
    pub name: Option<String>,
    /// The worker whose ring it reads.
    pub worker: usize,
    /// The core that it asked for.
    pub core: Option<usize>,
    /// The width of its window, in slots.
    pub window: usize,
    /// How many sequences it is behind: an upper bound on events, and up to a window more than it knows itself.
    pub lag: u64,
    /// The first sequence that it has not passed.
    pub sequence: u64,
    /// What it is at.
    pub state: SubscriberState,
}

/// What a subscriber is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriberState {
    /// Reading, or about to.
    Active,
    /// Asleep until something comes.
    Idle,
    /// Dropped, and perhaps still in the middle of an event.
    Evicted(EvictionReason),
    /// It knows that it was dropped.
    Detached,
}

impl SubscriberStats {
    pub(crate) fn of<E>(
        worker: &Worker<E>,
        registration: &Registration,
        position: CursorState,
    ) -> Self {
        SubscriberStats {
            id: registration.id,
            name: registration.options.name.clone(),
            worker: worker.id,
            core: registration.options.core,
            window: registration.window as usize,
            lag: worker.ring.lag(position.sequence()),
            sequence: position.sequence(),
            state: SubscriberState::of(position),
        }
    }
}

impl SubscriberState {
    fn of(position: CursorState) -> Self {
        match position.reason() {
            _ if position.is_detached() => SubscriberState::Detached,
            Some(reason) => SubscriberState::Evicted(reason),
            None if position.is_idle() => SubscriberState::Idle,
            None => SubscriberState::Active,
        }
    }
}
