//! One round: its parts, its steps, and the look at the statistics after each.

use super::awaited::Awaited;
use super::books::Books;
use super::event::{Event, Ledger};
use super::flight::Flight;
use super::health::{Health, share};
use super::reader::{Reader, Seat, Wish};
use super::shape::{GRACE, Shape, Step};
use super::source::{Source, Voice};
use super::tally::Tally;
use super::trace::Trace;
use fastrand::Rng;
use ringbus::{
    Bus, BusStats, Drive, EvictionReason, Exclusive, ManualClock, Pinning, SubscriberState,
};
use std::sync::Arc;
use std::time::Duration;

/// The readers of a round at the same time.
const MOST_READERS: usize = 6;

pub(crate) enum Hub<E> {
    Shared(Bus<E>),
    Exclusive(Bus<E, Exclusive>),
}

macro_rules! on_bus {
    ($round:expr, $bus:ident => $call:expr) => {
        match &$round.hub {
            $crate::round::Hub::Shared($bus) => $call,
            $crate::round::Hub::Exclusive($bus) => $call,
        }
    };
}

pub(crate) struct Round<E: Event> {
    pub(crate) rng: Rng,
    pub(crate) shape: Shape,
    pub(crate) hub: Hub<E>,
    pub(crate) clock: ManualClock,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) books: Books,
    /// The publishers that are not inside a call.
    pub(crate) sources: Vec<Source<E>>,
    /// The calls that are frozen.
    pub(crate) flights: Vec<Flight<E>>,
    pub(crate) readers: Vec<Reader<E>>,
    /// The number of the step.
    pub(crate) now: u32,
    pub(crate) next_source: u32,
    pub(crate) closed: bool,
    /// Waits until all has been read.
    pub(crate) drained: Awaited,
    pub(crate) tally: Tally,
    pub(crate) trace: Trace,
}

impl<E: Event> Round<E> {
    pub(crate) fn new(mut rng: Rng, shape: Shape, ledger: &Arc<Ledger>, trace: Trace) -> Self {
        let clock = ManualClock::new();
        let builder = Bus::builder()
            .capacity(shape.capacity as usize)
            .pinning(Pinning::Off)
            .drive(Drive::Manual)
            .slots(shape.layout)
            .stall_grace(GRACE)
            .clock(clock.clone());
        trace.note(|| format!("{shape:?}"));
        let mut sources = Vec::new();
        let hub = if shape.exclusive {
            let (publisher, bus) = builder.build_exclusive().unwrap();
            sources.push(Source::new(0, Voice::Exclusive(publisher)));
            Hub::Exclusive(bus)
        } else {
            let bus = builder.build().unwrap();
            let voices = (0..shape.publishers as u32).map(|number| (number, bus.publisher()));
            sources.extend(voices.map(|(number, voice)| Source::new(number, Voice::Shared(voice))));
            Hub::Shared(bus)
        };
        let rng = rng.fork();
        let drained = match &hub {
            Hub::Shared(bus) => Awaited::new(bus.drained()),
            Hub::Exclusive(bus) => Awaited::new(bus.drained()),
        };
        Round {
            rng,
            shape,
            hub,
            clock,
            ledger: Arc::clone(ledger),
            books: Books::default(),
            next_source: sources.len() as u32,
            sources,
            flights: Vec::new(),
            readers: Vec::new(),
            now: 0,
            closed: false,
            drained,
            tally: Tally::default(),
            trace,
        }
    }

    /// Runs the round to its end. Panics on a violation.
    pub(crate) fn run(mut self) -> Tally {
        for _ in 0..self.shape.readers {
            self.now += 1;
            self.join();
        }
        for _ in 0..self.shape.steps {
            self.now += 1;
            let step = self.shape.step(&mut self.rng);
            self.step(step);
            assert!(!self.drained.is_ready(), "drained, and not closed");
        }
        self.end()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish => self.publish(false),
            Step::PublishAndFreeze => self.publish(true),
            Step::Burst => self.burst(),
            Step::Thaw => self.thaw(),
            Step::Read => self.read(),
            Step::DrainAll => self.drain_all(),
            Step::Hold => self.hold(),
            Step::LetGo => self.let_go(),
            Step::Advance => self.advance(),
            Step::Turn => self.turn(),
            Step::Join => self.join(),
            Step::Leave => self.leave(),
            Step::Unsubscribe => self.unsubscribe(),
            Step::Rejoin => self.rejoin(),
            Step::Publishers => self.change_publishers(),
        }
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        self.trace.note(|| format!("{}: {}", self.now, what()));
    }

    pub(crate) fn stats(&self) -> BusStats {
        on_bus!(self, bus => bus.stats())
    }

    /// Draws a reader that `fits`.
    pub(crate) fn draw_reader(&mut self, fits: impl Fn(&Reader<E>) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.readers.len())
            .filter(|&at| fits(&self.readers[at]))
            .collect();
        (!fitting.is_empty()).then(|| fitting[self.rng.usize(..fitting.len())])
    }

    fn advance(&mut self) {
        let micros = [100, 500, 1_000, 3_000, 50_000, 1_000_000][self.rng.usize(..6)];
        self.note(|| format!("{micros} us pass"));
        self.clock.advance(Duration::from_micros(micros));
    }

    pub(crate) fn turn(&mut self) {
        let turn = on_bus!(self, bus => bus.turn());
        self.note(|| format!("{turn:?}"));
        self.audit(true);
        if self.flights.is_empty() {
            self.check_sleepers();
        }
    }

    /// A turn wakes every sleeper that has something to read, when no publisher is frozen.
    fn check_sleepers(&mut self) {
        for reader in &mut self.readers {
            let Some(alarm) = reader.asleep.clone() else {
                continue;
            };
            let waits_for = self.books.missing(reader.stay());
            let number = reader.number;
            assert!(
                alarm.rang() || waits_for.is_none() && !reader.down,
                "reader {number} sleeps on, in spite of event {waits_for:?}"
            );
        }
    }

    fn join(&mut self) {
        if self
            .readers
            .iter()
            .filter(|reader| !reader.is_gone())
            .count()
            >= MOST_READERS
        {
            return;
        }
        let wish = Wish::draw(&mut self.rng, self.shape.capacity);
        match on_bus!(self, bus => bus.subscribe_with(wish.options())) {
            Ok(subscriber) => {
                let number = self.readers.len() as u32;
                let from = self.sequence_of(subscriber.id());
                self.note(|| format!("reader {number} joins at {from}: {wish:?}"));
                let health = self.fresh_health(wish.window);
                let reader = Reader::new(number, subscriber, wish, self.now, from, health);
                self.readers.push(reader);
                self.tally.joins += 1;
            }
            Err(error) => assert!(error.is_full(), "{error}"),
        }
    }

    pub(crate) fn leave(&mut self) {
        if let Some(at) = self.draw_reader(Reader::is_here) {
            self.note(|| format!("reader {at} leaves"));
            let reader = &mut self.readers[at];
            reader.stays_on = false;
            reader.asleep = None;
            reader.seat = Seat::Gone;
        }
    }

    pub(crate) fn unsubscribe(&mut self) {
        if let Some(at) = self.draw_reader(|reader| !reader.is_gone()) {
            self.readers[at].unsubscribed = true;
            let id = self.readers[at].id;
            let dropped = on_bus!(self, bus => bus.unsubscribe(id));
            self.note(|| format!("reader {at} is unsubscribed: {dropped}"));
            self.audit(true);
        }
    }

    fn change_publishers(&mut self) {
        let Hub::Shared(bus) = &self.hub else { return };
        if self.rng.bool() && self.publishers() < 4 {
            let number = self.next_source;
            self.next_source += 1;
            self.sources
                .push(Source::new(number, Voice::Shared(bus.publisher())));
            self.note(|| format!("publisher {number} comes"));
        } else if self.sources.len() > 1 {
            let at = self.rng.usize(..self.sources.len());
            let source = self.sources.swap_remove(at);
            self.note(|| format!("publisher {} goes", source.number));
            self.retire(source);
            let share = self.share();
            for flight in &mut self.flights {
                flight.share = flight.share.max(share);
            }
        }
    }

    /// What a publisher carries is dropped with it.
    pub(crate) fn retire(&mut self, source: Source<E>) {
        for &number in &source.carried {
            self.books.refuse(number);
        }
    }

    /// The live publishers, those inside a call included.
    fn publishers(&self) -> usize {
        let inside = self.flights.iter().filter(|flight| !flight.is_hosts);
        self.sources.len() + inside.count()
    }

    /// The slots that a claim may hold now.
    pub(crate) fn share(&self) -> u64 {
        share(self.shape.capacity, self.publishers() as u64)
    }

    pub(crate) fn sequence_of(&self, id: ringbus::SubscriberId) -> u64 {
        let stats = self.stats();
        let found = stats.subscribers.iter().find(|seen| seen.id == id);
        found.expect("a subscriber that lives is listed").sequence
    }

    /// The health of a reader that has read everything by now.
    pub(crate) fn fresh_health(&self, window: u64) -> Health {
        let frozen = self.flights.iter().map(Flight::slots).sum();
        Health::fresh(window, frozen, self.stats().workers[0].pinned_slots)
    }

    /// Looks who was dropped by the last step, and whether rightly. `keeps_all` says that the step must drop no reader for lag.
    pub(crate) fn audit(&mut self, keeps_all: bool) {
        let dropped = self.find_dropped();
        // First, because a call that drops one reader may pass over its window, and then drop another.
        for &(at, _) in &dropped {
            let Reader { asleep, health, .. } = &self.readers[at];
            // A reader that is asleep borrows nothing.
            let pinned = if asleep.is_some() { 0 } else { health.window };
            for (other, reader) in self.readers.iter_mut().enumerate() {
                reader.health.pin(if other == at { 0 } else { pinned });
            }
        }
        let committed = self.flights.iter().map(Flight::committed).sum();
        for (at, reason) in dropped {
            let reader = &self.readers[at];
            self.tally.evictions[reason as usize] += 1;
            match reason {
                EvictionReason::Lapped => {
                    assert!(
                        !keeps_all,
                        "reader {at} was dropped by a call that drops none"
                    );
                    reader.health.check_drop(at, self.shape.capacity, committed);
                }
                EvictionReason::Unsubscribed => assert!(reader.unsubscribed, "reader {at}"),
                EvictionReason::Lagging | EvictionReason::Stalled => {
                    assert!(reader.is_limited, "reader {at} has no limits: {reason:?}");
                }
                other => panic!("reader {at} was dropped: {other:?}"),
            }
        }
    }

    /// Finds the readers that were dropped since the last look.
    fn find_dropped(&mut self) -> Vec<(usize, EvictionReason)> {
        let mut dropped = Vec::new();
        for seen in self.stats().subscribers {
            let at = self.readers.iter().position(|reader| reader.id == seen.id);
            let at = at.expect("a subscriber that is listed lives");
            let SubscriberState::Evicted(reason) = seen.state else {
                continue;
            };
            if !std::mem::replace(&mut self.readers[at].down, true) {
                self.trace
                    .note(|| format!("    reader {at} is dropped: {seen:?}"));
                dropped.push((at, reason));
            }
        }
        dropped
    }
}
