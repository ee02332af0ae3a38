//! Many threads at once, with values that check themselves and are counted. `RINGBUS_STRESS=n` makes it n times longer.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, LONG, SetOnDrop, builder, until};
use ringbus::{
    Bus, Drive, EvictionReason, OnLap, Publisher, SlotLayout, SubscribeOptions, Subscriber,
    TryRecvError, WaitStrategy,
};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// How many events each publisher reports.
fn events() -> u64 {
    let times = std::env::var("RINGBUS_STRESS").ok();
    let times = times.map(|n| n.parse().expect("RINGBUS_STRESS is a number"));
    2_000 * times.unwrap_or(1u64)
}

/// A publisher in the high bits, its own count in the low ones.
const PUBLISHER: u32 = 40;

fn number(publisher: u64, n: u64) -> u64 {
    publisher << PUBLISHER | n
}

/// What a subscriber saw: that each publisher's events come in order, and how many.
#[derive(Default)]
struct Seen {
    next: HashMap<u64, u64>,
    count: u64,
    gaps: bool,
}

impl Seen {
    fn add(&mut self, event: &Counted) {
        let number = event.number();
        let (publisher, n) = (number >> PUBLISHER, number & ((1 << PUBLISHER) - 1));
        let next = self.next.entry(publisher).or_insert(n);
        if self.gaps {
            assert!(n >= *next, "out of order: {n} of {publisher}, after {next}");
        } else {
            assert_eq!(n, *next, "of publisher {publisher}");
        }
        *next = n + 1;
        self.count += 1;
    }

    /// Every publisher's events, from its first to its last.
    fn expect_all(&self, publishers: u64, events: u64) {
        assert_eq!(self.count, publishers * events);
        assert!((0..publishers).all(|publisher| self.next[&publisher] == events));
    }
}

fn options(strategy: WaitStrategy) -> SubscribeOptions {
    SubscribeOptions::new().wait(strategy)
}

/// Reads to the end of the bus, losing nothing; `None` if it was dropped.
fn read_to_the_end(
    subscriber: &mut Subscriber<Counted>,
    way: u64,
    may_be_dropped: bool,
) -> Option<Seen> {
    let mut seen = Seen::default();
    loop {
        let result = match way % 3 {
            0 => subscriber.recv().map(|event| seen.add(&event)),
            1 => subscriber.recv_many(20, |event| seen.add(event)).map(drop),
            _ => subscriber
                .recv_matching(|event| event.number() != u64::MAX)
                .map(|event| seen.add(&event)),
        };
        match result {
            Ok(()) => {}
            Err(error) if error.is_closed() => return Some(seen),
            Err(error) => {
                assert!(may_be_dropped && error.is_evicted(), "{error}");
                return None;
            }
        }
    }
}

/// Waits for room for each event, in a way that depends on the publisher.
fn report_with_room(publisher: &mut Publisher<Counted>, id: u64, events: u64, census: &Census) {
    let mut numbers = (0..events).map(|n| census.value(number(id, n)));
    while let Some(event) = numbers.next() {
        match id {
            0 => publisher.report_timeout(event, LONG).unwrap(),
            1 => {
                let mut event = Some(event);
                while let Some(again) = event.take() {
                    if let Err(full) = publisher.try_report(again) {
                        assert!(full.is_full(), "{full}");
                        event = Some(full.into_inner());
                        thread::yield_now();
                    }
                }
            }
            _ => {
                publisher.report_timeout(event, LONG).unwrap();
                publisher.try_report_batch(&mut numbers.by_ref().take(20));
            }
        }
    }
    until("the carried are out", || {
        publisher.try_report_batch(&mut std::iter::empty());
        publisher.carried() == 0
    });
}

/// Publishers that wait for room, subscribers that lose nothing.
///
/// Over several rings a claim that was rescued after another ring's commit is made anew, evicting if it must: there a
/// subscriber may be dropped all the same.
fn lossless(layout: SlotLayout, workers: usize, drive: Drive) {
    let (publishers, subscribers, events) = (3, 3, events());
    let census = Census::default();
    let builder = builder::<Counted>(64).slots(layout).drive(drive);
    let bus = if workers > 1 {
        builder.workers(workers)
    } else {
        builder
    }
    .build()
    .unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..subscribers)
            .map(|way| {
                let strategy = [
                    WaitStrategy::Backoff,
                    WaitStrategy::Yield,
                    WaitStrategy::Park,
                ][way];
                let mut subscriber = bus.subscribe_with(options(strategy)).unwrap();
                scope.spawn(move || read_to_the_end(&mut subscriber, way as u64, workers > 1))
            })
            .collect();
        let writers: Vec<_> = (0..publishers)
            .map(|id| {
                let (mut publisher, census) = (bus.publisher(), &census);
                scope.spawn(move || report_with_room(&mut publisher, id, events, census))
            })
            .collect();
        let _closes = CloseOnDrop(&bus);
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        bus.close();
        for reader in readers {
            if let Some(seen) = reader.join().unwrap() {
                seen.expect_all(publishers, events);
            }
        }
    });
    for worker in bus.stats().workers {
        assert!(
            worker.evicted == [0; EvictionReason::COUNT] || workers > 1 && worker.abandoned > 0
        );
    }
    drop(bus);
    census.expect_all_dropped();
}

/// Lets the readers end however a test does.
struct CloseOnDrop<'a>(&'a Bus<Counted>);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn with_room_awaited_everyone_gets_everything_in_line() {
    lossless(SlotLayout::InLine, 1, Drive::Threads);
}

#[test]
fn with_room_awaited_everyone_gets_everything_dense_and_without_our_threads() {
    lossless(SlotLayout::Dense, 1, Drive::Manual);
}

#[test]
fn with_room_awaited_everyone_gets_everything_over_two_rings() {
    lossless(SlotLayout::InLine, 2, Drive::Threads);
}

/// Reads slowly to the end of the bus, and comes back after each loss.
fn dawdle(subscriber: &mut Subscriber<Counted>) {
    let mut seen = Seen::default();
    loop {
        match subscriber.try_recv() {
            Ok(event) => {
                seen.add(&event);
                (0..20).for_each(|_| thread::yield_now());
                event.number(); // still what it was
            }
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Closed) => return,
            Err(error) => {
                seen = Seen::default();
                if error.is_evicted() && subscriber.rejoin().is_err() {
                    return;
                }
            }
        }
    }
}

/// Subscribes, reads a little and leaves, again and again.
fn come_and_go(bus: &Bus<Counted>, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let Ok(mut subscriber) = bus.subscribe() else {
            return;
        };
        let mut seen = Seen::default();
        while seen.count < 30 && !over.load(Ordering::Acquire) {
            match subscriber.drain(8, |event| seen.add(event)) {
                Ok(_) => thread::yield_now(),
                Err(_) => break,
            }
        }
    }
}

/// Reads to the end of the bus, or until it is dropped.
fn keep_up(subscriber: &mut Subscriber<Counted>, way: u64) -> Seen {
    let mut seen = Seen::default();
    while let Ok(()) = match way {
        0 => subscriber.recv().map(|event| seen.add(&event)),
        _ => subscriber.recv_many(50, |event| seen.add(event)).map(drop),
    } {}
    seen
}

/// Reports one by one and in batches, and waits for no subscriber.
fn report_and_evict(publisher: &mut Publisher<Counted>, id: u64, events: u64, census: &Census) {
    let mut n = 0;
    while n < events {
        if n % 5 == 0 && n + 10 < events {
            let mut batch = (n..n + 10).map(|n| census.value(number(id, n)));
            assert_eq!(publisher.report_batch(&mut batch).unwrap(), 10);
            n += 10;
        } else {
            let event = census.value(number(id, n));
            drop(publisher.report_recycling(event).unwrap());
            n += 1;
        }
        if n % 16 == 0 {
            thread::yield_now();
        }
    }
}

/// Publishers that evict, one that dawdles, some that come and go: nobody loses what he was not told of.
#[test]
fn whoever_is_not_told_of_a_loss_has_none() {
    for workers in [1, 2] {
        let (publishers, events) = (2, events());
        let census = Census::default();
        let bus = builder::<Counted>(256).workers(workers).build().unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let _over = SetOnDrop(&over);
            let over = &over;
            // One that comes back whenever it is dropped; one that rejoins by itself.
            for on_lap in [OnLap::Evict, OnLap::Rejoin] {
                let options = SubscribeOptions::new().on_lap(on_lap);
                let mut subscriber = bus.subscribe_with(options).unwrap();
                scope.spawn(move || dawdle(&mut subscriber));
            }
            let coming = bus.clone();
            scope.spawn(move || come_and_go(&coming, over));
            for way in 0..2 {
                let mut subscriber = bus.subscribe().unwrap();
                scope.spawn(move || {
                    let seen = keep_up(&mut subscriber, way);
                    // Unless the machine did not let it.
                    if subscriber.eviction().is_none() {
                        seen.expect_all(publishers, events);
                    }
                });
            }
            let writers: Vec<_> = (0..publishers)
                .map(|id| {
                    let (mut publisher, census) = (bus.publisher(), &census);
                    scope.spawn(move || report_and_evict(&mut publisher, id, events, census))
                })
                .collect();
            let _closes = CloseOnDrop(&bus);
            writers
                .into_iter()
                .for_each(|writer| writer.join().unwrap());
        });
        drop(bus);
        census.expect_all_dropped();
    }
}

#[test]
fn one_that_never_reads_costs_the_others_nothing() {
    let events = events();
    let census = Census::default();
    let bus = builder::<Counted>(64).build().unwrap();
    let mut stuck = bus.subscribe().unwrap();
    let mut reading = bus.subscribe().unwrap();
    bus.report(census.value(7)).unwrap();
    let held = stuck.recv().unwrap();
    let progress = AtomicU64::new(0);
    assert_eq!(reading.recv().unwrap().number(), 7);
    thread::scope(|scope| {
        let _closes = CloseOnDrop(&bus);
        let (mut publisher, census) = (bus.publisher(), &census);
        let progress = &progress;
        scope.spawn(move || {
            for n in 0..events {
                publisher.report(census.value(number(0, n))).unwrap();
                until("read", || n < progress.load(Ordering::Acquire) + 32);
            }
        });
        let mut seen = Seen::default();
        while seen.count < events {
            match reading.recv() {
                Ok(event) => seen.add(&event),
                Err(error) => {
                    progress.store(u64::MAX / 2, Ordering::Release);
                    panic!("{error}");
                }
            }
            progress.store(seen.count, Ordering::Release);
        }
    });
    assert_eq!(held.number(), 7);
    assert!(stuck.try_recv().unwrap_err().is_evicted());
    drop((stuck, reading, bus));
    census.expect_all_dropped();
}

#[test]
fn an_exclusive_publishers_runs_reach_everyone() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        let events = events();
        let census = Census::default();
        let (mut publisher, bus) = builder::<Counted>(64)
            .slots(layout)
            .build_exclusive()
            .unwrap();
        thread::scope(|scope| {
            let readers: Vec<_> = (0..3)
                .map(|way| {
                    let mut subscriber = bus.subscribe().unwrap();
                    scope.spawn(move || read_to_the_end(&mut subscriber, way, false))
                })
                .collect();
            let census = &census;
            let writer = scope.spawn(move || {
                let mut numbers = (0..events).map(|n| census.value(number(0, n)));
                for round in 0.. {
                    let most = round % 37;
                    if most > 4 {
                        publisher.try_report_batch(&mut numbers.by_ref().take(most));
                    } else if let Some(event) = numbers.next() {
                        publisher.report_timeout(event, LONG).unwrap();
                    } else {
                        break;
                    }
                    if publisher.free() == 0 {
                        thread::yield_now();
                    }
                }
            });
            writer.join().unwrap();
            for reader in readers {
                reader.join().unwrap().unwrap().expect_all(1, events);
            }
        });
        drop(bus);
        census.expect_all_dropped();
    }
}

#[test]
fn an_exclusive_publisher_laps_those_who_come_go_and_dawdle() {
    let events = events() * 2;
    let census = Census::default();
    let (mut publisher, bus) = builder::<Counted>(64).build_exclusive().unwrap();
    thread::scope(|scope| {
        for way in 0..3 {
            let bus = bus.clone();
            scope.spawn(move || {
                while let Ok(mut subscriber) = bus.subscribe() {
                    let mut seen = Seen::default();
                    for _ in 0..50 * (way + 1) {
                        match subscriber.try_recv() {
                            Ok(event) => {
                                seen.add(&event);
                                if way == 0 {
                                    thread::yield_now();
                                }
                                event.number();
                            }
                            Err(TryRecvError::Empty) => thread::yield_now(),
                            Err(TryRecvError::Closed) => return,
                            Err(_) => {
                                seen = Seen::default();
                                if subscriber.rejoin().is_err() {
                                    return;
                                }
                            }
                        }
                        if way == 2 && seen.count % 10 == 9 {
                            seen.gaps = true;
                            if let Ok(event) = subscriber.latest() {
                                seen.add(&event);
                            }
                        }
                    }
                }
            });
        }
        let mut n = 0;
        while n < events {
            let many = n % 40;
            let mut batch = (n..events.min(n + many)).map(|n| census.value(number(0, n)));
            n += publisher.report_batch(&mut batch).unwrap() as u64;
            if n < events {
                publisher.report(census.value(number(0, n))).unwrap();
                n += 1;
            }
            if n % 3 == 0 {
                thread::yield_now();
            }
        }
        publisher.close();
    });
    drop(bus);
    census.expect_all_dropped();
}

#[test]
fn handlers_get_everything_while_others_are_unsubscribed() {
    let events = events();
    let census = Census::default();
    let bus = builder::<Counted>(256).build().unwrap();
    let seen = std::sync::Arc::new(Mutex::new(Seen::default()));
    let adding = seen.clone();
    let guard = bus
        .handle(SubscribeOptions::new(), move |event: &Counted| {
            adding.lock().unwrap().add(event)
        })
        .unwrap();
    let mut publisher = bus.publisher();
    for n in 0..events {
        publisher
            .report_timeout(census.value(number(0, n)), LONG)
            .unwrap();
        if n % 50 == 0 {
            let passing = bus.handle(SubscribeOptions::new(), |event: &Counted| {
                event.number();
            });
            drop(passing.unwrap());
        }
    }
    assert!(bus.stop().is_clean());
    assert_eq!(guard.join(), ringbus::HandlerEnd::Closed);
    seen.lock().unwrap().expect_all(1, events);
    drop((publisher, bus));
    census.expect_all_dropped();
}
