//! Publishing steps: calls that run to their end, and calls that freeze on the way.

use super::errand::{Answer, Errand, Pauses, Place, Stop};
use super::event::Event;
use super::round::{Hub, Round};
use super::source::{Call, Outcome, Refusal, Source, Voice};
use ringbus::SubscriberState;
use std::collections::VecDeque;
use std::sync::Arc;

/// A publishing call on a thread of its own.
pub(crate) struct Flight<E> {
    errand: Errand<(Source<E>, Outcome)>,
    source: u32,
    /// The call is the bus's own: it is no publisher that counts, and ends with it.
    pub(crate) is_hosts: bool,
    call: Call,
    carried: u64,
    stop: Stop,
    freezes: u64,
    /// The slots that a claim of its may hold.
    pub(crate) share: u64,
}

impl<E> Flight<E> {
    /// The slots that its claim holds at most.
    pub(crate) fn slots(&self) -> u64 {
        match self.stop.place {
            Place::Hook(_) if self.call.is_batch() => self.share,
            Place::Hook(_) => 1,
            Place::Iterator | Place::Borrow => 0,
        }
    }

    /// Its events that may be committed.
    pub(crate) fn committed(&self) -> u64 {
        let taken = self.carried + self.stop.taken.max(1);
        match self.stop.place {
            Place::Hook(_) if self.call.is_batch() => (self.stop.commits * self.share).min(taken),
            Place::Hook(_) => self.stop.commits.min(taken),
            Place::Iterator | Place::Borrow => taken,
        }
    }
}

impl<E: Event> Round<E> {
    /// Publishes by one call, which may freeze.
    pub(crate) fn publish(&mut self, freezes: bool) {
        let Some(source) = self.take_source() else {
            return;
        };
        let is_hosts = matches!(source.voice, Voice::Bus(_));
        let call = match self.rng.u32(..if is_hosts { 10 } else { 16 }) {
            0..8 => Call::Report,
            8..10 => Call::TryReport,
            10 => Call::Recycle,
            11..14 => Call::Batch,
            _ => Call::TryBatch,
        };
        let many = if call.is_batch() {
            self.rng.u64(..=self.shape.longest_batch)
        } else {
            1
        };
        if freezes && self.flights.len() < self.shape.most_frozen {
            self.depart(source, call, many);
        } else {
            self.call(source, call, many);
        }
    }

    /// Reports many events one by one.
    pub(crate) fn burst(&mut self) {
        let many = self.rng.u64(1..=self.shape.capacity / 2);
        for _ in 0..many {
            let Some(source) = self.take_source() else {
                return;
            };
            self.now += 1;
            self.call(source, Call::Report, 1);
        }
    }

    /// Takes a publisher that is not inside a call, or the bus itself.
    fn take_source(&mut self) -> Option<Source<E>> {
        if let Hub::Shared(bus) = &self.hub
            && (self.sources.is_empty() || self.rng.u8(..6) == 0)
        {
            let voice = Voice::Bus(bus.clone());
            self.next_source += 1;
            return Some(Source::new(self.next_source - 1, voice));
        }
        let at = (!self.sources.is_empty()).then(|| self.rng.usize(..self.sources.len()))?;
        Some(self.sources.swap_remove(at))
    }

    /// Makes a call that does not freeze.
    fn call(&mut self, mut source: Source<E>, call: Call, many: u64) {
        let numbers = self.books.offer(source.number, self.now, many);
        self.note(|| format!("publisher {} {call:?} {numbers:?}", source.number));
        let share = self.share();
        let outcome = source.publish(call, numbers, &self.ledger, &Pauses::none());
        self.settle(source, call, outcome, share, 0);
    }

    /// Makes a call that may freeze.
    fn depart(&mut self, mut source: Source<E>, call: Call, many: u64) {
        let numbers = self.books.offer(source.number, self.now, many);
        let in_iterator = call.is_batch() && (self.shape.exclusive || self.rng.u8(..6) == 0);
        let mut passes = VecDeque::new();
        for _ in 0..[1, 1, 1, 2, 3][self.rng.usize(..5)] {
            passes.push_back(match self.rng.u8(..3) {
                0 => 0,
                _ if in_iterator => self.rng.u32(..=many as u32),
                _ if call.is_batch() => self.rng.u32(..8),
                _ => self.rng.u32(..3),
            });
        }
        self.note(|| {
            let at = if in_iterator { ", iterator" } else { "" };
            let source = source.number;
            format!("publisher {source} {call:?} {numbers:?}, to freeze after {passes:?}{at}")
        });
        let share = self.share();
        let (number, carried) = (source.number, source.carried.len() as u64);
        let is_hosts = matches!(source.voice, Voice::Bus(_));
        let ledger = Arc::clone(&self.ledger);
        let errand = Errand::start(in_iterator, passes, move |pauses| {
            let outcome = source.publish(call, numbers, &ledger, pauses);
            (source, outcome)
        });
        self.follow(Flight {
            errand,
            source: number,
            is_hosts,
            call,
            carried,
            stop: Stop {
                place: Place::Iterator,
                commits: 0,
                taken: 0,
            },
            freezes: 0,
            share,
        });
    }

    /// Lets a frozen call go on.
    pub(crate) fn thaw(&mut self) {
        if !self.flights.is_empty() {
            let at = self.rng.usize(..self.flights.len());
            let flight = self.flights.swap_remove(at);
            self.note(|| format!("publisher {} goes on", flight.source));
            flight.errand.thaw();
            self.follow(flight);
        }
    }

    /// Waits until a call freezes or is done.
    fn follow(&mut self, mut flight: Flight<E>) {
        match flight.errand.wait() {
            Answer::Frozen(stop) => {
                self.note(|| format!("publisher {} freezes: {stop:?}", flight.source));
                flight.stop = stop;
                flight.freezes += 1;
                let keeps_all = flight.call.keeps_all();
                let slots = flight.slots();
                self.flights.push(flight);
                self.tally.freezes += 1;
                for reader in &mut self.readers {
                    reader.health.freeze(slots);
                }
                self.audit(keeps_all);
            }
            Answer::Done((source, outcome)) => {
                let (share, freezes) = (flight.share, flight.freezes);
                self.settle(source, flight.call, outcome, share, freezes);
            }
            Answer::Panicked(_) => unreachable!("a panic goes on"),
        }
    }

    /// Enters what came of a call into the books.
    fn settle(
        &mut self,
        source: Source<E>,
        call: Call,
        outcome: Outcome,
        share: u64,
        freezes: u64,
    ) {
        let accepted = outcome.accepted.len() as u64;
        self.note(|| {
            let (number, refused) = (source.number, outcome.refused.len());
            let carried = outcome.carried.len();
            let refusal = outcome.refusal;
            format!("publisher {number}: {accepted} accepted, {refused} refused, {carried} carried, {refusal:?}")
        });
        for number in outcome.accepted {
            self.books.accept(number, self.now);
        }
        for number in outcome.refused {
            self.books.refuse(number);
        }
        for reader in &mut self.readers {
            reader.health.accept(accepted);
            if outcome.refusal == Some(Refusal::Exhausted) && call.is_batch() {
                reader.health.give_back(share);
            }
        }
        match outcome.refusal {
            Some(_) if self.closed => {}
            Some(Refusal::Full) => self.check_full(call),
            Some(Refusal::Exhausted) => {
                let lost = share * freezes + self.stats().workers[0].pinned_slots;
                let (held, capacity) = (self.held(), self.shape.capacity);
                assert!(
                    held > capacity / 2 || lost >= capacity,
                    "exhausted, and {held} of {capacity} slots are held, {lost} lost at most"
                );
            }
            Some(Refusal::Stopped) => panic!("refused as stopped before the end"),
            None => {}
        }
        if !matches!(source.voice, Voice::Bus(_)) {
            self.sources.push(source);
        }
        self.audit(call.keeps_all());
    }

    /// The slots that are pinned or held by frozen calls, at most.
    fn held(&self) -> u64 {
        let frozen: u64 = self.flights.iter().map(Flight::slots).sum();
        self.stats().workers[0].pinned_slots + frozen
    }

    /// A ring is full if a subscriber is a whole ring behind. A batch stops short of that by what is held.
    fn check_full(&self, call: Call) {
        let capacity = self.shape.capacity;
        let stats = self.stats();
        let reads = |state| matches!(state, SubscriberState::Active | SubscriberState::Idle);
        let reading = stats.subscribers.iter().filter(|seen| reads(seen.state));
        let furthest = reading.map(|seen| seen.lag).max().unwrap_or(0);
        let held = self.held();
        let is_full = if call.is_batch() {
            furthest + held >= capacity || held > capacity / 2
        } else {
            furthest >= capacity
        };
        assert!(
            is_full,
            "full, and {furthest} of {capacity} behind, {held} held: {stats:?}"
        );
    }
}
