//! Batches among other publishers, in a ring that was written before: runs that go in as one, stop, and are passed.
#![cfg(all(feature = "test-hooks", not(loom)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
#[path = "common/stopped.rs"]
mod stopped;

use common::{Census, Counted, LONG, builder};
use ringbus::hooks::{self, Point};
use ringbus::{Bus, Drive, ManualClock, Publisher, SlotLayout, SubscribeOptions, Subscriber};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;
use stopped::{POINTS, Stopped};

const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];
const CAPACITY: usize = 256;
/// The longest run there, of two publishers.
const LONGEST: u64 = 16;
/// The stopped publisher's events have numbers from here on.
const STOPPED: u64 = 1_000_000;
const MANY: u64 = 100;

fn bus(layout: SlotLayout) -> Bus<Counted> {
    let builder = builder(CAPACITY).drive(Drive::Manual).slots(layout);
    builder.clock(ManualClock::new()).build().unwrap()
}

/// One who has detached and is not gone: events are written, and nobody is in the way.
fn nobody<E: Send + Sync + 'static>(bus: &Bus<E>) -> Subscriber<E> {
    let mut gone = bus.subscribe().unwrap();
    assert!(bus.unsubscribe(gone.id()));
    assert!(gone.try_recv().is_err());
    gone
}

fn read(reader: &mut Subscriber<Counted>, seen: &mut Vec<u64>) {
    while reader
        .drain(1_000, |event| seen.push(event.number()))
        .unwrap()
        > 0
    {}
}

/// Reports `numbers` one by one and in batches of many sizes, and calls `each` after every one.
fn report(
    publisher: &mut Publisher<Counted>,
    census: &Census,
    numbers: std::ops::Range<u64>,
    mut each: impl FnMut(),
) {
    let mut numbers = numbers;
    for size in [1, 3, 40, 1, 8, 1, 1, 29, 4, 64].into_iter().cycle() {
        let mut batch = numbers
            .by_ref()
            .take(size)
            .map(|n| census.value(n))
            .peekable();
        if batch.peek().is_none() {
            return;
        }
        if size == 1 {
            batch.for_each(|event| publisher.report(event).unwrap());
        } else {
            publisher.report_batch(&mut batch).unwrap();
        }
        each();
    }
}

fn stop_a_batch(bus: &Bus<Counted>, census: &Census, point: Point, nth: usize) -> Stopped<usize> {
    let mut publisher = bus.publisher();
    let events: Vec<_> = (STOPPED..STOPPED + MANY).map(|n| census.value(n)).collect();
    Stopped::at(point, nth, move || {
        publisher.report_batch(&mut events.into_iter()).unwrap()
    })
}

#[test]
fn a_batch_that_stops_loses_and_misplaces_nothing() {
    for layout in LAYOUTS {
        for (point, nth) in POINTS
            .into_iter()
            .flat_map(|point| [0, 1, 2].map(|nth| (point, nth)))
        {
            if point == POINTS[0] && nth > 0 {
                continue; // all of it is claimed at once
            }
            for before in [0, 1, 30] {
                let census = Census::default();
                let bus = bus(layout);
                let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
                let mut seen = [Vec::new(), Vec::new()];
                let mut publisher = bus.publisher();
                let mut read_all = || {
                    for (reader, seen) in readers.iter_mut().zip(&mut seen) {
                        read(reader, seen);
                    }
                };
                let first = CAPACITY as u64 + before;
                report(&mut publisher, &census, 0..first, &mut read_all);
                let stopped = stop_a_batch(&bus, &census, point, nth);
                report(&mut publisher, &census, first..9_000, &mut read_all);
                assert_eq!(stopped.go_on() as u64, MANY);
                read_all();
                for (reader, mut seen) in readers.iter().zip(seen) {
                    assert_eq!(reader.eviction(), None);
                    let theirs: Vec<_> = seen.extract_if(.., |n| *n >= STOPPED).collect();
                    assert!(
                        theirs.into_iter().eq(STOPPED..STOPPED + MANY),
                        "{point:?} {nth}"
                    );
                    assert!(seen.into_iter().eq(0..9_000), "{point:?} {nth}");
                }
                drop((readers, publisher, bus));
                census.expect_all_dropped();
            }
        }
    }
}

#[test]
fn a_run_that_nobody_waits_for_is_passed_as_a_whole_until_it_is_left() {
    for (point, passed) in POINTS.into_iter().zip([0, LONGEST, LONGEST]) {
        let census = Census::default();
        let bus = bus(SlotLayout::InLine);
        let gone = nobody(&bus);
        let mut publisher = bus.publisher();
        report(&mut publisher, &census, 0..256, || {});
        let stopped = stop_a_batch(&bus, &census, point, 0);
        let holes = |bus: &Bus<Counted>| bus.stats().workers[0].holes;
        report(&mut publisher, &census, 256..1_000, || {});
        let laps = 10;
        let before = holes(&bus);
        let length = laps * (CAPACITY as u64 - passed);
        report(&mut publisher, &census, 1_000..1_000 + length, || {});
        assert_eq!(holes(&bus) - before, laps * passed, "{point:?}");
        assert_eq!(
            publisher.free() as u64,
            CAPACITY as u64 - passed,
            "{point:?}"
        );
        assert_eq!(stopped.go_on() as u64, MANY);
        let before = holes(&bus);
        let mut late = bus.subscribe().unwrap();
        let mut seen = Vec::new();
        report(&mut publisher, &census, 0..5_000, || {
            read(&mut late, &mut seen)
        });
        assert!(seen.into_iter().eq(0..5_000));
        assert_eq!(holes(&bus), before, "{point:?}");
        drop((gone, late, publisher, bus));
        census.expect_all_dropped();
    }
}

#[test]
fn however_many_batches_stop_the_ring_is_not_exhausted() {
    for point in POINTS {
        let census = Census::default();
        let bus = bus(SlotLayout::InLine);
        let mut reader = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        let mut seen = Vec::new();
        report(&mut publisher, &census, 0..256, || {
            read(&mut reader, &mut seen)
        });
        let mut batches = Vec::new();
        let mut next = 256;
        for _ in 0..20 {
            batches.push(stop_a_batch(&bus, &census, point, 0));
            read(&mut reader, &mut seen);
            let some = next..next + 300;
            next = some.end;
            report(&mut publisher, &census, some, || {
                read(&mut reader, &mut seen);
            });
        }
        report(&mut publisher, &census, next..9_000, || {
            read(&mut reader, &mut seen)
        });
        assert!(seen.into_iter().eq(0..9_000));
        let stats = &bus.stats().workers[0];
        assert_eq!((reader.eviction(), stats.exhausted), (None, 0));
        for batch in batches {
            assert_eq!(batch.go_on() as u64, MANY);
            let mut theirs = Vec::new();
            read(&mut reader, &mut theirs);
            assert!(theirs.into_iter().eq(STOPPED..STOPPED + MANY));
        }
        drop((reader, publisher, bus));
        census.expect_all_dropped();
    }
}

#[test]
fn a_run_is_not_entered_a_lap_late() {
    let census = Census::default();
    let bus = bus(SlotLayout::InLine);
    let gone = nobody(&bus);
    let mut publisher = bus.publisher();
    report(&mut publisher, &census, 0..256, || {});
    // A run, so that in the next lap its head alone says that a run may be entered there.
    let mut run = (256..256 + LONGEST).map(|n| census.value(n));
    assert_eq!(publisher.report_batch(&mut run).unwrap() as u64, LONGEST);
    let mut report_until = |numbers: std::ops::Range<u64>, end| {
        for n in numbers {
            publisher.report(census.value(n)).unwrap();
        }
        let stats = &bus.stats().workers[0];
        assert_eq!(stats.published + stats.holes, end);
    };
    report_until(256 + LONGEST..512, 512);
    // Claimed, and not entered: at its head, a lap later, there is another of that kind.
    let batch = stop_a_batch(&bus, &census, POINTS[0], 0);
    report_until(512..768 - LONGEST, 768);
    let (event, mut single) = (census.value(0), bus.publisher());
    let single = Stopped::at(POINTS[0], 0, move || single.report(event).is_ok());
    let mut late = bus.subscribe().unwrap();
    // Into the inside of what the batch would enter as a run.
    publisher.report(census.value(769)).unwrap();
    assert_eq!(batch.go_on() as u64, MANY);
    assert!(single.go_on()); // where it claimed: before `late`
    let mut seen = Vec::new();
    read(&mut late, &mut seen);
    assert_eq!(seen.remove(0), 769);
    // Some of its claims were still good, before `late`; the rest was claimed anew.
    let first = seen.first().copied().unwrap();
    assert!(first > STOPPED && seen.into_iter().eq(first..STOPPED + MANY));
    drop((gone, late, publisher, bus));
    census.expect_all_dropped();
}

#[test]
fn what_is_borrowed_inside_of_a_run_is_gone_around() {
    for layout in LAYOUTS {
        for taken in 1..40 {
            let census = Census::default();
            let bus = bus(layout);
            let mut stuck = bus
                .subscribe_with(SubscribeOptions::new().window(8))
                .unwrap();
            let mut reader = bus.subscribe().unwrap();
            let mut publisher = bus.publisher();
            let mut seen = Vec::new();
            report(&mut publisher, &census, 0..256, || {
                read(&mut stuck, &mut Vec::new());
                read(&mut reader, &mut seen);
            });
            let mut run = (256..296).map(|n| census.value(n));
            assert_eq!(publisher.report_batch(&mut run).unwrap(), 40);
            for _ in 1..taken {
                stuck.recv().unwrap();
            }
            let held = stuck.recv().unwrap();
            // Dropped on the way, in the middle of its event.
            report(&mut publisher, &census, 296..9_000, || {
                read(&mut reader, &mut seen)
            });
            assert_eq!(held.number(), 255 + taken);
            assert!(stuck.eviction().is_some());
            assert!(seen.into_iter().eq(0..9_000));
            assert_eq!(reader.eviction(), None);
            // Nobody hung: whoever stands inside of a run does not wait.
            assert_eq!(bus.stats().workers[0].abandoned, 0);
            drop((stuck, reader, publisher, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn who_reads_inside_of_a_run_does_not_wait_though_its_head_is_gone() {
    for layout in LAYOUTS {
        for taken in 1..16 {
            let census = Census::default();
            let bus = bus(layout);
            let options = SubscribeOptions::new().window(1);
            let mut slow = bus.subscribe_with(options).unwrap();
            let mut publisher = bus.publisher();
            report(&mut publisher, &census, 0..256, || {
                read(&mut slow, &mut Vec::new())
            });
            let mut run = (256..272).map(|n| census.value(n));
            assert_eq!(publisher.report_batch(&mut run).unwrap(), 16);
            for _ in 0..taken {
                slow.recv().unwrap();
            }
            // Over the head, and up to the slot that it holds.
            for n in 272..256 + 255 + taken {
                publisher.try_report(census.value(n)).unwrap();
            }
            let event = census.value(0);
            assert!(publisher.try_report(event).unwrap_err().is_full());
            bus.turn();
            assert_eq!(bus.stats().workers[0].abandoned, 0, "at {taken}");
            let mut seen = Vec::new();
            read(&mut slow, &mut seen);
            assert!(seen.into_iter().eq(256 + taken..256 + 255 + taken));
            drop((slow, publisher, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn a_run_that_is_taken_from_its_passer_is_counted_once() {
    let census = Census::default();
    let bus = bus(SlotLayout::InLine);
    let mut reader = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    let mut seen = Vec::new();
    report(&mut publisher, &census, 0..256, || {
        read(&mut reader, &mut seen)
    });
    let batch = stop_a_batch(&bus, &census, POINTS[1], 0);
    let mut next = 256;
    let mut report_one = |reader: &mut Subscriber<Counted>| {
        publisher.report(census.value(next)).unwrap();
        next += 1;
        read(reader, &mut seen);
    };
    // Once round, to the slot before the run.
    while bus.stats().workers[0].published + bus.stats().workers[0].holes < 512 {
        report_one(&mut reader);
    }
    let (event, mut passer) = (census.value(STOPPED * 2), bus.publisher());
    let passer = Stopped::at(POINTS[0], 0, move || passer.report(event).is_ok());
    for _ in 0..CAPACITY / 2 + 10 {
        report_one(&mut reader); // far enough to take it away
    }
    assert!(passer.go_on());
    assert_eq!(batch.go_on() as u64, MANY);
    read(&mut reader, &mut seen);
    let accepted = next + 1 + MANY;
    assert_eq!(seen.len() as u64, accepted);
    assert_eq!(bus.stats().workers[0].published, accepted);
    drop((reader, publisher, bus));
    census.expect_all_dropped();
}

#[test]
fn who_sleeps_where_a_run_is_left_is_woken() {
    let census = Census::default();
    let clock = ManualClock::new();
    let builder = builder(CAPACITY).drive(Drive::Manual).clock(clock.clone());
    let bus = builder.build().unwrap();
    let mut reader = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    report(&mut publisher, &census, 0..256, || {
        read(&mut reader, &mut Vec::new())
    });
    let mut run = (256..288).map(|n| census.value(n));
    assert_eq!(publisher.report_batch(&mut run).unwrap(), 32);
    for n in 288..512 {
        publisher.report(census.value(n)).unwrap();
        read(&mut reader, &mut Vec::new());
    }
    // A lap on, it is about to enter the first part of that run.
    let (events, mut other) = (
        (0..8).map(|n| census.value(n)).collect::<Vec<_>>(),
        bus.publisher(),
    );
    let batch = Stopped::at(Point::Seen, 0, move || {
        other.report_batch(&mut events.into_iter()).unwrap()
    });
    while reader.lag() > 0 {
        clock.advance(Duration::from_secs(1));
        assert!(reader.try_recv().is_err()); // takes the claims away, one by one
    }
    let mut context = Context::from_waker(Waker::noop());
    assert!(reader.poll_ready(&mut context).is_pending());
    bus.turn();
    assert!(!bus.wants_turn());
    // It makes its claims anew, where the reader sleeps.
    assert_eq!(batch.go_on(), 8);
    assert!(bus.wants_turn());
    bus.turn();
    let mut seen = Vec::new();
    read(&mut reader, &mut seen);
    assert!(seen.into_iter().eq(0..8));
    drop((reader, publisher, bus));
    census.expect_all_dropped();
}

#[test]
fn what_is_left_of_a_run_stays_final_behind_who_was_faster() {
    let census = Census::default();
    let bus = bus(SlotLayout::InLine);
    let gone = nobody(&bus);
    let mut publisher = bus.publisher();
    let mut slow = bus
        .subscribe_with(SubscribeOptions::new().window(1))
        .unwrap();
    for n in 0..416 {
        publisher.report(census.value(n)).unwrap();
        if n < 300 {
            slow.recv().unwrap();
        }
    }
    slow.release();
    let mut run = (416..448).map(|n| census.value(n));
    assert_eq!(publisher.report_batch(&mut run).unwrap(), 32);
    // The limit is in the middle of that run, a lap on.
    while publisher.try_report(census.value(0)).is_ok() {}
    drop(slow);
    assert_eq!(bus.stats().workers[0].published, 300 + 256);
    let mut report_until = |tail: u64| {
        while bus.stats().workers[0].published < tail {
            publisher.report(census.value(0)).unwrap();
        }
    };
    report_until(416 + 256);
    // At its head, and behind it.
    let (event, mut other) = (census.value(0), bus.publisher());
    let stopped = Stopped::at(Point::Claimed, 0, move || other.report(event).is_ok());
    report_until(416 + 256 + 7);
    assert!(stopped.go_on());
    // The next scan frees what is left of it: there is nothing to take away.
    report_until(800);
    let stats = &bus.stats().workers[0];
    assert_eq!((stats.holes, stats.abandoned), (0, 0));
    drop((gone, publisher, bus));
    census.expect_all_dropped();
}

/// A scan looks for the run that a subscriber is inside of, place by place. Meanwhile two publishers
/// swap out its heads: one after `first` places, the other after `second`.
fn a_run_is_handed_on_under_a_scan(first: usize, second: usize) {
    let bus = Bus::builder()
        .capacity(128)
        .drive(Drive::Manual)
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let subscribe = || bus.subscribe_with(SubscribeOptions::new().window(1));
    let mut subscribers = [subscribe().unwrap(), subscribe().unwrap()];
    let read = |subscriber: &mut Subscriber<u64>, events: u64| {
        assert_eq!(
            subscriber.drain(events as usize, |_| {}),
            Ok(events as usize)
        );
        subscriber.release();
    };
    for number in 0..128 {
        bus.report(number).unwrap();
        subscribers.iter_mut().for_each(|it| read(it, 1));
    }
    assert_eq!(bus.publisher().report_batch(128..144).unwrap(), 16);
    // One is at the end of the run, the other has left room for five events of the next lap.
    read(&mut subscribers[0], 15);
    read(&mut subscribers[1], 5);
    (144..256).for_each(|number| bus.try_report(number).unwrap());
    let claim = |number| {
        let bus = bus.clone();
        Stopped::at(Point::Claimed, 0, move || bus.try_report(number).is_ok())
    };
    // At the first place where the run may begin, and at the second.
    let one = claim(256);
    (257..260).for_each(|number| bus.try_report(number).unwrap());
    let mut stopped = vec![(second, claim(260)), (first, one)];

    let mut places = 0;
    hooks::set(move |point| {
        if point == Point::Sought {
            places += 1;
            while let Some((_, next)) = stopped.pop_if(|(after, _)| places > *after) {
                assert!(next.go_on());
            }
        }
    });
    assert!(bus.try_report(261).unwrap_err().is_full());
    let worker = &bus.stats().workers[0];
    assert_eq!(
        (worker.published, worker.holes, worker.abandoned),
        (261, 0, 0),
        "after {first} and {second} places"
    );
    assert_eq!(*subscribers[0].try_recv().unwrap(), 143);
}

#[test]
fn a_run_that_is_handed_on_under_a_scan_stays_final() {
    for first in 0..8 {
        (first..8).for_each(|second| a_run_is_handed_on_under_a_scan(first, second));
    }
}

/// Needs no drop, and must not be there twice all the same.
#[derive(Debug)]
struct Token(u64);

/// A bus that holds a token in each slot, its publisher, and a subscriber that is in no event's
/// way.
fn one_lap_of_tokens(layout: SlotLayout) -> (Publisher<Token>, Bus<Token>, Subscriber<Token>) {
    let builder = builder(CAPACITY).drive(Drive::Manual).slots(layout);
    let bus = builder.build().unwrap();
    let gone = nobody(&bus);
    let mut publisher = bus.publisher();
    (0..CAPACITY as u64).for_each(|number| publisher.report(Token(number)).unwrap());
    (publisher, bus, gone)
}

#[test]
fn what_needs_no_drop_is_given_back_once_after_its_batch_was_lost() {
    for layout in LAYOUTS {
        let (mut publisher, bus, _gone) = one_lap_of_tokens(layout);
        let lap = CAPACITY as u64;

        let mut other = bus.publisher();
        let stopped = Stopped::at(Point::Written, 1, move || {
            let tokens = STOPPED..STOPPED + MANY;
            other.report_batch(tokens.map(Token)).unwrap()
        });
        // A lap on, a scan takes the run away and passes over it.
        (lap..3 * lap).for_each(|number| publisher.report(Token(number)).unwrap());
        assert!(bus.stats().workers[0].abandoned >= LONGEST);
        assert_eq!(stopped.go_on(), MANY as usize);

        let mut given = Vec::new();
        for number in 3 * lap..6 * lap {
            let old = publisher.report_recycling(Token(number)).unwrap();
            given.extend(old.map(|token| token.0));
        }
        given.sort_unstable();
        let twice = given.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
        // Its first run was there before, and others' reports have dropped it.
        let anew = given.iter().filter(|number| **number >= STOPPED).count();
        assert_eq!(anew as u64, MANY - LONGEST);
    }
}

/// Stops a thread once at each of `points`, in order; its `go` lets it go on.
fn stops(points: &[Point]) -> (impl FnMut(Point) + 'static, Receiver<()>, Sender<()>) {
    let (tell, told) = channel();
    let (go, wait) = channel::<()>();
    let mut points = Vec::from(points).into_iter().peekable();
    let hook = move |point| {
        if points.next_if_eq(&point).is_some() {
            tell.send(()).unwrap();
            let _ = wait.recv_timeout(LONG);
        }
    };
    (hook, told, go)
}

#[test]
fn a_slow_hand_on_brings_back_nothing_that_was_forgotten() {
    let (mut publisher, bus, _gone) = one_lap_of_tokens(SlotLayout::InLine);
    let lap = CAPACITY as u64;
    publisher.report_batch((lap..2 * lap).map(Token)).unwrap();

    // A batch claims the head of a run, a lap on.
    let (hook, reached, go) = stops(&[Point::Claimed, Point::Written]);
    let mut other = bus.publisher();
    let batch = thread::spawn(move || {
        hooks::set(hook);
        let tokens = STOPPED..STOPPED + 2 * LONGEST;
        other.report_batch(tokens.map(Token)).unwrap()
    });
    reached.recv_timeout(LONG).unwrap();
    // A scan takes the claim, and is slow to hand on that run.
    let (hook, is_slow, go_slowly) = stops(&[Point::HandingOn]);
    let mut third = bus.publisher();
    let tail = bus.stats().workers[0].published;
    (tail..3 * lap).for_each(|number| publisher.report(Token(number)).unwrap());
    let slow = thread::spawn(move || {
        hooks::set(hook);
        third.report(Token(3 * lap)).unwrap();
    });
    is_slow.recv_timeout(LONG).unwrap();
    // The batch goes in and writes, is taken away, and forgets what lay there.
    go.send(()).unwrap();
    reached.recv_timeout(LONG).unwrap();
    publisher.report(Token(3 * lap + 1)).unwrap();
    go.send(()).unwrap();
    assert_eq!(batch.join().unwrap() as u64, 2 * LONGEST);
    go_slowly.send(()).unwrap();
    slow.join().unwrap();

    let mut given = Vec::new();
    for number in 4 * lap..10 * lap {
        let old = publisher.report_recycling(Token(number)).unwrap();
        given.extend(old.map(|token| token.0));
    }
    given.sort_unstable();
    let twice = given.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}
