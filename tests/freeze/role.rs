//! The threads that are frozen, and what each counts of its progress.

use crate::bus::{Bus, CAPACITY, How, Next, Publisher, Subscriber};
use crate::event::{Body, Census, Event, Seen};
use crate::signal;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::thread;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Publisher,
    /// A subscriber that never sleeps.
    Spinning,
    /// A subscriber that sleeps.
    Parked,
    /// A subscriber that keeps looking at an event for long.
    Borrowing,
    /// One that joins, reads a little, and leaves.
    Joiner,
    /// The bus's own thread.
    Worker,
}

/// What a thread was at when it was frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In the test's own code.
    Outside,
    /// In a call of the bus.
    Calling,
    /// In a delivered event.
    Borrowing,
}

/// A reader's health: this, or by `2 n + 1` in its nth freeze, or by `2 n` not yet recovered from it.
///
/// Who is not healthy may be dropped, and no publisher paces itself by it.
const HEALTHY: u64 = 0;

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    thread: AtomicI32,
    /// Events accepted, or delivered; joins and leaves; turns.
    events: AtomicU64,
    /// Events whose report was begun.
    begun: AtomicU64,
    /// A publisher's: it waits to go on.
    wants: AtomicBool,
    /// Calls that returned, with an event or without.
    calls: AtomicU64,
    phase: AtomicU8,
    health: AtomicU64,
    /// The largest ticket that it has seen.
    ticket: AtomicU64,
    /// How often it was told that it missed something.
    told: AtomicU64,
    /// And how often that was not for its own freeze.
    told_healthy: AtomicU64,
}

impl Role {
    pub(crate) fn new(kind: Kind, name: impl Into<String>) -> Arc<Self> {
        Arc::new(Role {
            name: name.into(),
            kind,
            thread: AtomicI32::new(0),
            events: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            wants: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Outside as u8),
            health: AtomicU64::new(HEALTHY),
            ticket: AtomicU64::new(0),
            told: AtomicU64::new(0),
            told_healthy: AtomicU64::new(0),
        })
    }

    pub(crate) fn starts(&self, thread: i32) {
        self.thread.store(thread, Ordering::Release);
    }

    /// 0 before it has started.
    pub(crate) fn thread(&self) -> i32 {
        self.thread.load(Ordering::Acquire)
    }

    pub(crate) fn turned(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Acquire)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Acquire)
    }

    pub(crate) fn told(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    pub(crate) fn told_healthy(&self) -> u64 {
        self.told_healthy.load(Ordering::Acquire)
    }

    pub(crate) fn is_reader(&self) -> bool {
        matches!(self.kind, Kind::Spinning | Kind::Parked | Kind::Borrowing)
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Outside,
            1 => Phase::Calling,
            _ => Phase::Borrowing,
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Before its `nth` freeze, from 1.
    pub(crate) fn excuse(&self, nth: u64) {
        self.health.store(2 * nth + 1, Ordering::SeqCst);
    }

    /// After it.
    pub(crate) fn recover(&self, nth: u64) {
        self.health.store(2 * nth, Ordering::SeqCst);
    }

    fn is_frozen(&self) -> bool {
        self.health.load(Ordering::SeqCst) % 2 == 1
    }

    fn is_healthy(&self) -> bool {
        self.health.load(Ordering::SeqCst) == HEALTHY
    }

    /// It reads an event, and is healthy again if that is a young one.
    fn sees(&self, ticket: u64, tickets: &AtomicU64) {
        self.ticket.fetch_max(ticket, Ordering::Relaxed);
        // First of all: a freeze after this look, however long, makes it another number.
        let health = self.health.load(Ordering::SeqCst);
        let is_frozen = health % 2 == 1;
        let behind = tickets.load(Ordering::SeqCst).saturating_sub(ticket);
        if !is_frozen && health != HEALTHY && behind <= CAPACITY / 4 {
            let _ =
                self.health
                    .compare_exchange(health, HEALTHY, Ordering::SeqCst, Ordering::Relaxed);
        }
    }

    fn was_told(&self) {
        if self.is_healthy() {
            self.told_healthy.fetch_add(1, Ordering::Relaxed);
        }
        self.told.fetch_add(1, Ordering::Release);
    }
}

/// What the roles of one run share.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) publishers: Vec<Arc<Role>>,
    pub(crate) readers: Vec<Arc<Role>>,
    /// The events that were begun.
    pub(crate) tickets: AtomicU64,
    pub(crate) census: &'static Census,
    /// Which publisher went last.
    pub(crate) last: AtomicUsize,
    pub(crate) over: AtomicBool,
    pub(crate) failed: AtomicBool,
}

/// Ends the run if a role panics.
struct FailOnPanic<'a>(&'a Scene);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.store(true, Ordering::Release);
        }
    }
}

impl Scene {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// How a host keeps its publishers from running its readers over: only those that are frozen are dropped.
    ///
    /// So whoever else is dropped is a fault, however the system shares out its cores.
    fn pace(&self, id: usize) {
        let keeps_up = |reader: &Arc<Role>| {
            let newest = self.tickets.load(Ordering::Relaxed);
            let behind = newest.saturating_sub(reader.ticket.load(Ordering::Relaxed));
            behind <= CAPACITY / 2 || !reader.is_healthy()
        };
        // In turns, or a publisher that yields may find the room taken for ever.
        let next = |other: &Arc<Role>| other.wants.load(Ordering::SeqCst) && !other.is_frozen();
        let is_last = || self.last.load(Ordering::SeqCst) == id;
        let role = &self.publishers[id];
        role.wants.store(true, Ordering::SeqCst);
        let others = || {
            self.publishers
                .iter()
                .filter(|other| !Arc::ptr_eq(other, role))
        };
        while !self.is_over()
            && (!self.readers.iter().all(keeps_up) || is_last() && others().any(next))
        {
            thread::yield_now();
        }
        self.last.store(id, Ordering::SeqCst);
        role.wants.store(false, Ordering::SeqCst);
    }

    /// Reports one by one and in batches, until the run is over.
    pub(crate) fn publish<B: Body>(&self, id: usize, mut publisher: impl Publisher<B>) {
        let _fails = FailOnPanic(self);
        let role = &self.publishers[id];
        role.starts(signal::thread_id());
        let event = |number| {
            let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) + 1;
            Event::new(id, number, ticket, self.census)
        };
        let mut number = 0u64;
        while !self.is_over() {
            self.pace(id);
            // Seven one by one, then eight at once.
            for turn in 0..8 {
                let count = if turn < 7 { 1 } else { 8 };
                let events = number..number + count;
                number += count;
                role.begun.store(number, Ordering::SeqCst);
                role.enter(Phase::Calling);
                match count {
                    1 => publisher.report(event(events.start)),
                    _ => publisher.report_batch(&mut events.map(event)),
                }
                role.enter(Phase::Outside);
                role.calls.fetch_add(1, Ordering::Relaxed);
                role.events.store(number, Ordering::SeqCst);
            }
        }
    }

    /// Reads to the end of the bus.
    pub(crate) fn read<B: Body>(&self, role: &Role, mut subscriber: impl Subscriber<B>) -> Seen {
        let _fails = FailOnPanic(self);
        role.starts(signal::thread_id());
        let mut seen = Seen::from_the_start(self.publishers.len());
        loop {
            let newest = self.tickets.load(Ordering::Relaxed);
            role.enter(Phase::Calling);
            let next = subscriber.next(&mut |event| {
                role.enter(Phase::Borrowing);
                seen.add(event);
                role.sees(event.ticket, &self.tickets);
                if role.kind == Kind::Borrowing && event.number.is_multiple_of(64) {
                    self.hold(event);
                }
                role.enter(Phase::Calling);
            });
            role.enter(Phase::Outside);
            role.calls.fetch_add(1, Ordering::Release);
            match next {
                Next::Event => {
                    role.events.fetch_add(1, Ordering::Release);
                }
                Next::Empty => thread::yield_now(),
                Next::Missed(sequences) => {
                    seen.missed(sequences);
                    role.ticket.fetch_max(newest, Ordering::Relaxed);
                    role.was_told();
                }
                Next::Lost => {
                    seen.missed(u64::MAX);
                    role.was_told();
                    return seen;
                }
                Next::Closed => return seen,
            }
        }
    }

    /// Looks at one event again and again: it stays what it was.
    fn hold<B: Body>(&self, event: &Event<B>) {
        for _ in 0..20 {
            (0..50).for_each(|_| spin_loop());
            event.check();
        }
    }

    /// Joins, reads a little and leaves, now by itself and now by the host.
    pub(crate) fn come_and_go<B: Body>(&self, role: &Role, bus: &impl Bus<B>) {
        let _fails = FailOnPanic(self);
        role.starts(signal::thread_id());
        while !self.is_over() {
            let round = role.events();
            let counts = |count: fn(&Role) -> &AtomicU64| -> Vec<u64> {
                let load = |role: &Arc<Role>| count(role).load(Ordering::SeqCst);
                self.publishers.iter().map(load).collect()
            };
            let reported = counts(|role| &role.events);
            role.enter(Phase::Calling);
            let how = [How::Spin, How::Park][usize::from(round.is_multiple_of(64))];
            let Some(mut subscriber) = bus.subscribe(how) else {
                return;
            };
            let mut seen = Seen::joined(&reported, &counts(|role| &role.begun));
            for _ in 0..8 {
                let next = subscriber.next(&mut |event| seen.add(event));
                role.calls.fetch_add(1, Ordering::Release);
                if let Next::Missed(sequences) = next {
                    seen.missed(sequences);
                }
            }
            if round.is_multiple_of(2) {
                bus.unsubscribe(&subscriber);
            }
            drop(subscriber);
            role.enter(Phase::Outside);
            role.events.fetch_add(1, Ordering::Release);
        }
    }
}
