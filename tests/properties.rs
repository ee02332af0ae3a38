//! Random histories, one thread at a time, against what the API promises (see `oracle`).
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
mod oracle;

use common::{Census, Counted, builder};
use oracle::{Oracle, Place};
use proptest::prelude::*;
use ringbus::{
    Bus, BusBuilder, Drive, Eviction, EvictionReason, Exclusive, ExclusivePublisher, OnLap,
    Publish, Publisher, ReportError, Shared, SlotLayout, SubscribeOptions, Subscriber,
    SubscriberState, TryRecvError, TryReportError,
};
use std::ops::ControlFlow;
use std::time::Duration;

const CAPACITY: u64 = 64;

#[derive(Clone, Debug)]
enum Step {
    Report(usize),
    TryReport(usize),
    ReportBatch(usize),
    TryReportBatch(usize),
    Recycle,
    Subscribe { window: usize, rejoins: bool },
    Read(usize, Reading),
    Leave(usize),
    Unsubscribe(usize),
    Turn,
    End,
}

#[derive(Clone, Debug)]
enum Reading {
    One,
    Many(usize),
    Until(usize),
    Newest,
    Matching(u64),
    Release,
    Rejoin,
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        4 => Just(Reading::One),
        4 => (1..80usize).prop_map(Reading::Many),
        2 => (1..10usize).prop_map(Reading::Until),
        1 => Just(Reading::Newest),
        1 => (1..8u64).prop_map(Reading::Matching),
        2 => Just(Reading::Release),
        1 => Just(Reading::Rejoin),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..30usize).prop_map(Step::Report),
        5 => (1..30usize).prop_map(Step::TryReport),
        4 => (0..90usize).prop_map(Step::ReportBatch),
        4 => (0..90usize).prop_map(Step::TryReportBatch),
        2 => Just(Step::Recycle),
        3 => (0..9usize, any::<bool>()).prop_map(|(window, rejoins)| Step::Subscribe { window, rejoins }),
        20 => (0..8usize, reading()).prop_map(|(who, how)| Step::Read(who, how)),
        1 => (0..8usize).prop_map(Step::Leave),
        1 => (0..8usize).prop_map(Step::Unsubscribe),
        1 => Just(Step::Turn),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    (proptest::collection::vec(step(), 1..120), any::<bool>()).prop_map(|(mut steps, ends)| {
        if ends {
            steps.insert(steps.len() * 4 / 5, Step::End);
        }
        steps
    })
}

struct Reader {
    subscriber: Subscriber<Counted>,
    place: Place,
    on_lap: OnLap,
    rejoins: bool,
    /// As it was told first.
    told: Option<Eviction>,
    /// Unread after the last call.
    least: u64,
}

/// A history of a bus, with a publisher of either kind.
struct Run<P, M> {
    bus: Bus<Counted, M>,
    /// None once an exclusive bus has ended.
    publisher: Option<P>,
    end: fn(&mut Run<P, M>),
    oracle: Oracle,
    readers: Vec<Reader>,
    census: Census,
    next: u64,
}

impl<P: Publish<Counted>, M> Run<P, M> {
    fn event(&mut self) -> Counted {
        self.next += 1;
        self.census.value(self.next)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Report(times) => (0..times).for_each(|_| self.report()),
            Step::TryReport(times) => (0..times).for_each(|_| self.try_report()),
            Step::ReportBatch(length) => self.report_batch(length as u64),
            Step::TryReportBatch(length) => self.try_report_batch(length as u64),
            Step::Recycle => self.recycle(),
            Step::Subscribe { window, rejoins } => self.subscribe(window, rejoins),
            Step::Read(who, how) if who < self.readers.len() => self.read(who, how),
            Step::Leave(who) if who < self.readers.len() => drop(self.readers.remove(who)),
            Step::Unsubscribe(who) if who < self.readers.len() => {
                let reader = &mut self.readers[who];
                let id = reader.subscriber.id();
                let done = self.bus.unsubscribe(id);
                assert!(
                    !done || reader.rejoins || !reader.place.dropped,
                    "dropped twice"
                );
                reader.place.dropped |= done;
                // By the host, so it does not come back by itself.
                reader.rejoins &= !done;
            }
            Step::Turn => drop(self.bus.turn()),
            Step::End => {
                self.oracle.close();
                (self.end)(self);
            }
            _ => {}
        }
        self.look_who_was_dropped();
    }

    fn report(&mut self) {
        let (event, number) = (self.event(), self.next);
        let result = match &mut self.publisher {
            Some(publisher) => publisher.report(event),
            None => Err(ReportError::Stopped(event)),
        };
        match result {
            Ok(()) => self.oracle.accept(number),
            Err(refused) => {
                assert!(refused.is_stopped(), "{refused}");
                self.oracle.refuse_as_stopped();
                assert_eq!(refused.into_inner().number(), number);
            }
        }
        self.look_who_was_dropped();
    }

    fn try_report(&mut self) {
        let (event, number) = (self.event(), self.next);
        let dropped = self.dropped();
        let result = match &mut self.publisher {
            Some(publisher) => publisher.try_report(event),
            None => Err(TryReportError::Stopped(event)),
        };
        match result {
            Ok(()) => self.oracle.accept(number),
            Err(refused) => {
                match &refused {
                    TryReportError::Full(_) => self.expect_full(),
                    TryReportError::Stopped(_) => self.oracle.refuse_as_stopped(),
                    other => panic!("{other}"),
                }
                assert_eq!(refused.into_inner().number(), number);
            }
        }
        self.look_who_was_dropped();
        assert_eq!(self.dropped(), dropped, "by one that drops nobody");
    }

    fn report_batch(&mut self, length: u64) {
        let (first, census) = (self.next + 1, self.census.clone());
        let mut events = (first..first + length).map(|n| census.value(n));
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        let result = publisher.report_batch(&mut events);
        self.next += length;
        match result {
            Ok(accepted) => {
                assert_eq!(accepted as u64, length);
                (first..first + length).for_each(|n| self.oracle.accept(n));
            }
            Err(refused) => {
                assert!(refused.is_stopped() && refused.accepted == 0);
                self.oracle.refuse_as_stopped();
                let back = refused
                    .into_events()
                    .chain(events)
                    .map(|event| event.number());
                assert!(back.eq(first..first + length));
            }
        }
    }

    fn try_report_batch(&mut self, length: u64) {
        let (first, census) = (self.next + 1, self.census.clone());
        let dropped = self.dropped();
        let mut events = (first..first + length).map(|n| census.value(n));
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        let accepted = publisher.try_report_batch(&mut events) as u64;
        assert_eq!(
            events.count() as u64 + accepted,
            length,
            "alone, none is carried"
        );
        self.next += length;
        (first..first + accepted).for_each(|n| self.oracle.accept(n));
        if accepted < length && !self.oracle.is_closed() {
            self.expect_full();
        }
        self.look_who_was_dropped();
        assert_eq!(self.dropped(), dropped, "by one that drops nobody");
    }

    fn recycle(&mut self) {
        let (event, number) = (self.event(), self.next);
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        match publisher.report_recycling(event) {
            Ok(old) => {
                self.oracle.accept(number);
                assert!(old.is_none_or(|old| old.number() <= number));
            }
            Err(refused) => assert!(self.oracle.is_closed() && refused.is_stopped()),
        }
    }

    fn subscribe(&mut self, window: usize, rejoins: bool) {
        let on_lap = if rejoins { OnLap::Rejoin } else { OnLap::Evict };
        let options = SubscribeOptions::new().on_lap(on_lap);
        let options = match window {
            0 => options,
            slots => options.window(slots),
        };
        match self.bus.subscribe_with(options) {
            Ok(subscriber) => {
                let place = self.oracle.join();
                self.readers.push(Reader {
                    subscriber,
                    place,
                    on_lap,
                    rejoins,
                    told: None,
                    least: 0,
                });
            }
            Err(error) if error.is_stopped() => self.oracle.refuse_as_stopped(),
            Err(error) => assert!(error.is_full() && !self.readers.is_empty(), "{error}"),
        }
    }

    fn read(&mut self, who: usize, how: Reading) {
        let oracle = &self.oracle;
        let Reader {
            subscriber, place, ..
        } = &mut self.readers[who];
        let result: Result<(), TryRecvError> = match how {
            Reading::One => subscriber
                .try_recv()
                .map(|event| oracle.read(place, event.number())),
            Reading::Many(max) => {
                let result = subscriber.drain(max, |event| oracle.read(place, event.number()));
                result
                    .map_err(Into::into)
                    .and_then(|count| enough(count > 0))
            }
            Reading::Until(max) => {
                let mut left = max;
                let result = subscriber.drain_while(100, |event| {
                    oracle.read(place, event.number());
                    left -= 1;
                    if left == 0 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                result
                    .map_err(Into::into)
                    .and_then(|count| enough(count > 0))
            }
            Reading::Newest => subscriber.latest().map(|event| {
                oracle.skip_to(place, event.number());
                assert!(place.dropped || oracle.unread(place) == 0, "not the newest");
            }),
            Reading::Matching(divisor) => {
                let matches = |event: &Counted| {
                    oracle.read(place, event.number());
                    event.number().is_multiple_of(divisor)
                };
                let found = subscriber
                    .try_recv_matching(matches)
                    .map(|event| event.number());
                found.map(|number| assert!(number.is_multiple_of(divisor)))
            }
            Reading::Release => {
                subscriber.release();
                return;
            }
            Reading::Rejoin => return self.rejoin(who),
        };
        self.check(who, result);
    }

    fn check(&mut self, who: usize, result: Result<(), TryRecvError>) {
        let holes = self.holes(who);
        let oracle = &self.oracle;
        let Reader {
            subscriber,
            place,
            rejoins,
            told,
            least,
            ..
        } = &mut self.readers[who];
        match result {
            Ok(()) => assert!(
                subscriber.lag() >= oracle.unread(place),
                "lag is an upper bound"
            ),
            Err(TryRecvError::Empty) => oracle.nothing(place),
            Err(TryRecvError::Closed) => {
                assert!(oracle.is_closed());
                oracle.nothing(place);
            }
            Err(TryRecvError::Lagged(missed)) => {
                assert!(
                    *rejoins && place.dropped,
                    "told of a loss that there was not"
                );
                oracle.missed(place, missed, holes);
            }
            Err(TryRecvError::Evicted(eviction)) => {
                assert!(place.dropped, "not dropped: {eviction}");
                let by_itself = *rejoins && eviction.reason == EvictionReason::Lapped;
                assert!(
                    !by_itself || oracle.is_closed(),
                    "one that rejoins was dropped for good"
                );
                // What it is told stands; it may have been seen by the call before, at its end.
                assert!(told.is_none_or(
                    |told| (told.sequence, told.lag) == (eviction.sequence, eviction.lag)
                ));
                let only_then = eviction.reason == EvictionReason::Unsubscribed;
                assert!(told.is_none_or(|told| told.reason == eviction.reason || only_then));
                if told.replace(eviction).is_none() {
                    let most = oracle.unread(place).saturating_add(holes);
                    let fewest = oracle.unread(place).min(*least);
                    assert!(
                        (fewest..=most).contains(&eviction.lag),
                        "{eviction}, {fewest} unread"
                    );
                }
                assert_eq!(subscriber.eviction(), Some(eviction));
            }
            Err(other) => panic!("{other}"),
        }
        *least = oracle.unread(place);
    }

    fn rejoin(&mut self, who: usize) {
        let holes = self.holes(who);
        let reader = &mut self.readers[who];
        match reader.subscriber.rejoin() {
            Ok(missed) => {
                reader.told = None;
                reader.least = 0;
                reader.rejoins = reader.on_lap == OnLap::Rejoin;
                self.oracle.missed(&mut reader.place, missed, holes);
            }
            Err(error) => assert!(error.is_stopped() && self.oracle.is_closed()),
        }
    }

    fn holes(&self, who: usize) -> u64 {
        let stats = self.bus.stats();
        let worker = self.readers[who].subscriber.worker();
        // After a stop nobody counts any more.
        stats
            .workers
            .get(worker)
            .map_or(u64::MAX / 2, |worker| worker.holes)
    }

    fn dropped(&self) -> usize {
        self.readers
            .iter()
            .filter(|reader| reader.place.dropped)
            .count()
    }

    fn expect_full(&self) {
        let stats = self.bus.stats();
        let pinned: u64 = stats
            .workers
            .iter()
            .map(|worker| worker.pinned_slots)
            .max()
            .unwrap_or(0);
        let furthest = stats
            .subscribers
            .iter()
            .map(|subscriber| subscriber.lag)
            .max()
            .unwrap_or(0);
        assert!(
            furthest + pinned >= CAPACITY,
            "full, and nobody is a ring behind: {stats:?}"
        );
    }

    /// Nobody is dropped who is not at least seven eighths behind; nobody stays who is more than a ring behind.
    fn look_who_was_dropped(&mut self) {
        let stats = self.bus.stats();
        for seen in &stats.subscribers {
            let Some(reader) = self
                .readers
                .iter_mut()
                .find(|r| r.subscriber.id() == seen.id)
            else {
                panic!("one that left is listed: {seen:?}");
            };
            match seen.state {
                SubscriberState::Evicted(EvictionReason::Lapped) if !reader.place.dropped => {
                    assert!(seen.lag > CAPACITY * 7 / 8, "dropped too soon: {seen:?}");
                    reader.place.dropped = true;
                }
                SubscriberState::Active | SubscriberState::Idle => {
                    assert!(!reader.place.dropped && seen.lag <= CAPACITY, "{seen:?}");
                }
                _ => assert!(reader.place.dropped, "{seen:?}"),
            }
        }
    }
}

fn enough(some: bool) -> Result<(), TryRecvError> {
    some.then_some(()).ok_or(TryRecvError::Empty)
}

type SharedRun = Run<Publisher<Counted>, Shared>;
type ExclusiveRun = Run<ExclusivePublisher<Counted>, Exclusive>;

fn end_shared(run: &mut SharedRun) {
    if run.next.is_multiple_of(2) {
        return run.bus.close();
    }
    let undrained = run.bus.stop_timeout(Duration::ZERO).undrained;
    let was_dropped = |id| {
        let mut dropped = run.readers.iter().filter(|r| r.place.dropped);
        dropped.any(|reader| reader.subscriber.id() == id)
    };
    assert!(!undrained.iter().any(|stopped| was_dropped(stopped.id)));
}

fn end_exclusive(run: &mut ExclusiveRun) {
    drop(run.publisher.take());
}

fn run_shared(steps: Vec<Step>, dense: bool, workers: usize) {
    let bus = subject(dense).workers(workers).build().unwrap();
    run(steps, bus.publisher(), bus, end_shared);
}

fn run_exclusive(steps: Vec<Step>, dense: bool) {
    let (publisher, bus) = subject(dense).build_exclusive().unwrap();
    run(steps, publisher, bus, end_exclusive);
}

fn subject(dense: bool) -> BusBuilder<Counted> {
    let layout = if dense {
        SlotLayout::Dense
    } else {
        SlotLayout::InLine
    };
    builder(CAPACITY as usize)
        .drive(Drive::Manual)
        .slots(layout)
}

fn run<P: Publish<Counted>, M>(
    steps: Vec<Step>,
    publisher: P,
    bus: Bus<Counted, M>,
    end: fn(&mut Run<P, M>),
) {
    let census = Census::default();
    let mut run = Run {
        bus,
        publisher: Some(publisher),
        end,
        oracle: Oracle::default(),
        readers: Vec::new(),
        census: census.clone(),
        next: 0,
    };
    steps.into_iter().for_each(|step| run.step(step));
    // Every event that a reader was not told to have lost is still to be had.
    for who in 0..run.readers.len() {
        run.read(who, Reading::Many(1_000));
        run.read(who, Reading::Many(1_000));
    }
    drop(run);
    assert_eq!(census.alive(), 0, "values that were never dropped");
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_shared_bus_keeps_its_promises(steps in history(), dense in any::<bool>()) {
        run_shared(steps, dense, 1);
    }

    #[test]
    fn an_exclusive_bus_keeps_its_promises(steps in history(), dense in any::<bool>()) {
        run_exclusive(steps, dense);
    }

    #[test]
    fn a_bus_of_two_workers_keeps_its_promises(steps in history(), dense in any::<bool>()) {
        run_shared(steps, dense, 2);
    }
}
