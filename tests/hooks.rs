//! A publisher that stops in the middle of a publish: nobody else waits for it, and nothing is lost.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
#[path = "common/stopped.rs"]
mod stopped;

use common::{Census, Counted, builder, until};
use ringbus::hooks::Point;
use ringbus::{
    Bus, Drive, EvictionReason, ManualClock, Publisher, SlotLayout, SubscribeOptions, Subscriber,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use stopped::{POINTS, Stopped};

/// The stopped publisher's events have numbers from here on.
const STOPPED: u64 = 1_000_000;

fn bus(clock: &ManualClock, layout: SlotLayout) -> Bus<Counted> {
    let builder = builder(64).drive(Drive::Manual).slots(layout);
    builder.clock(clock.clone()).build().unwrap()
}

fn numbers(subscriber: &mut Subscriber<Counted>) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let count = subscriber
            .drain(1_000, |event| numbers.push(event.number()))
            .unwrap();
        if count == 0 {
            return numbers;
        }
    }
}

/// Reports and reads in step; the first claim that is in the way is passed when it is a quarter behind, no clock moved.
fn many_laps(
    publisher: &mut Publisher<Counted>,
    census: &Census,
    readers: &mut [Subscriber<Counted>],
) -> Vec<Vec<u64>> {
    let mut seen: Vec<Vec<u64>> = readers.iter().map(|_| Vec::new()).collect();
    for n in 0..64 * 50 {
        publisher.report(census.value(n)).unwrap();
        for (reader, seen) in readers.iter_mut().zip(&mut seen) {
            seen.extend(numbers(reader));
        }
    }
    seen
}

#[test]
fn a_stopped_publisher_costs_healthy_readers_nothing_and_its_event_comes_later() {
    for point in POINTS {
        for layout in [SlotLayout::InLine, SlotLayout::Dense] {
            let census = Census::default();
            let bus = bus(&ManualClock::new(), layout);
            let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
            let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
            let stopped = Stopped::at(point, 0, move || publisher.report(event));
            let mut seen = many_laps(&mut bus.publisher(), &census, &mut readers);
            let stats = bus.stats();
            assert_eq!(
                (stats.workers[0].abandoned, stats.workers[0].exhausted),
                (1, 0)
            );
            stopped.go_on().unwrap();
            for (reader, seen) in readers.iter_mut().zip(&mut seen) {
                seen.extend(numbers(reader));
                assert!(
                    seen.iter().copied().eq((0..64 * 50).chain([STOPPED])),
                    "{point:?}"
                );
                assert_eq!(reader.eviction(), None);
            }
            assert_eq!(bus.stats().workers[0].evicted, [0; EvictionReason::COUNT]);
            drop((readers, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn readers_that_sleep_or_lag_agree_on_every_hole() {
    for point in POINTS {
        let census = Census::default();
        let bus = bus(&ManualClock::new(), SlotLayout::InLine);
        let mut often = bus.subscribe().unwrap();
        let mut seldom = bus.subscribe().unwrap();
        let mut sequences = [Vec::new(), Vec::new()];
        let mut publisher = bus.publisher();
        let mut read = |reader: &mut Subscriber<Counted>, which: usize| {
            while let Ok(event) = reader.try_recv() {
                sequences[which].push((ringbus::Delivery::sequence(&event), event.number()));
            }
        };
        for round in 0..20 {
            let mut own = bus.publisher();
            let event = census.value(STOPPED + round);
            let stopped = Stopped::at(point, 0, move || own.report(event));
            for n in 0..40 {
                publisher.report(census.value(round * 40 + n)).unwrap();
                read(&mut often, 0);
            }
            read(&mut seldom, 1);
            stopped.go_on().unwrap();
            read(&mut seldom, 1);
            read(&mut often, 0);
        }
        assert_eq!(sequences[0], sequences[1]);
        assert_eq!(sequences[0].len(), 20 * 41, "{point:?}");
        assert!(sequences[0].is_sorted_by(|a, b| a.0 < b.0));
    }
}

#[test]
fn a_claim_is_passed_after_its_grace_by_a_reader_or_by_a_turn() {
    for point in POINTS {
        for by_turn in [false, true] {
            let census = Census::default();
            let clock = ManualClock::new();
            let bus = bus(&clock, SlotLayout::InLine);
            let mut reader = bus.subscribe().unwrap();
            let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
            let stopped = Stopped::at(point, 0, move || publisher.report(event));
            bus.report(census.value(1)).unwrap();
            for _ in 0..100 {
                assert!(
                    reader.try_recv().unwrap_err().is_empty(),
                    "no time has passed"
                );
                assert_eq!(bus.turn().rescued, 0);
            }
            clock.advance(Duration::from_millis(2));
            if by_turn {
                assert_eq!(bus.turn().rescued, 1);
                assert_eq!(reader.try_recv().unwrap().number(), 1);
            } else {
                until("rescued", || {
                    reader.try_recv().is_ok_and(|event| event.number() == 1)
                });
            }
            stopped.go_on().unwrap();
            assert_eq!(numbers(&mut reader), [STOPPED]);
        }
    }
}

#[test]
fn nobody_is_slow_who_waits_at_a_claim_that_hangs() {
    for point in POINTS {
        let census = Census::default();
        let clock = ManualClock::new();
        let grace = Duration::from_secs(60);
        let builder = builder(64).drive(Drive::Manual).clock(clock.clone());
        let bus = builder.stall_grace(grace).build().unwrap();
        let options = SubscribeOptions::new().stall_limit(Duration::from_secs(1));
        let mut reader = bus.subscribe_with(options).unwrap();
        let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
        let stopped = Stopped::at(point, 0, move || publisher.report(event));
        bus.report(census.value(1)).unwrap();
        assert!(numbers(&mut reader).is_empty());
        for _ in 0..5 {
            bus.turn();
            clock.advance(grace / 10);
        }
        stopped.go_on().unwrap();
        assert_eq!(numbers(&mut reader), [STOPPED, 1], "{point:?}");
        // The event itself is another matter.
        bus.report(census.value(2)).unwrap();
        for _ in 0..3 {
            bus.turn();
            clock.advance(grace / 10);
        }
        assert!(reader.eviction().is_some());
    }
}

#[test]
fn a_publisher_that_goes_on_in_time_keeps_its_place() {
    for point in POINTS {
        let census = Census::default();
        let bus = bus(&ManualClock::new(), SlotLayout::InLine);
        let mut reader = bus.subscribe().unwrap();
        let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
        let stopped = Stopped::at(point, 0, move || publisher.report(event));
        bus.report(census.value(1)).unwrap();
        assert!(numbers(&mut reader).is_empty());
        stopped.go_on().unwrap();
        assert_eq!(numbers(&mut reader), [STOPPED, 1]);
        assert_eq!(bus.stats().workers[0].holes, 0);
    }
}

#[test]
fn one_stopped_across_the_end_gets_its_event_back_or_had_it_accepted() {
    for point in POINTS {
        for stop in [false, true] {
            let census = Census::default();
            let clock = ManualClock::new();
            let bus = bus(&clock, SlotLayout::InLine);
            let mut reader = bus.subscribe().unwrap();
            let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
            let stopped = Stopped::at(point, 0, move || publisher.report(event));
            bus.report(census.value(1)).unwrap();
            bus.close();
            assert!(
                reader.try_recv().unwrap_err().is_empty(),
                "the claim is awaited"
            );

            until("rescued", || {
                clock.advance(Duration::from_millis(1));
                reader.try_recv().is_ok_and(|event| event.number() == 1)
            });
            assert!(reader.try_recv().unwrap_err().is_closed());
            if stop {
                assert!(bus.stop().is_clean());
            }
            let refused = stopped.go_on().unwrap_err();
            assert!(refused.is_stopped());
            assert_eq!(refused.into_inner().number(), STOPPED);
            assert!(reader.try_recv().unwrap_err().is_closed());
            drop((reader, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn a_batch_that_stops_keeps_its_order() {
    for point in [Point::Entered, Point::Written] {
        for nth in [0, 3, 15] {
            let census = Census::default();
            let bus = bus(&ManualClock::new(), SlotLayout::InLine);
            let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
            let mut publisher = bus.publisher();
            let batch: Vec<_> = (0..16).map(|n| census.value(STOPPED + n)).collect();
            let stopped = Stopped::at(point, nth, move || {
                publisher.report_batch(&mut batch.into_iter())
            });
            let mut seen = many_laps(&mut bus.publisher(), &census, &mut readers);
            assert_eq!(stopped.go_on().unwrap(), 16);
            for (reader, seen) in readers.iter_mut().zip(&mut seen) {
                seen.extend(numbers(reader));
                let (theirs, others): (Vec<u64>, Vec<u64>) =
                    seen.iter().copied().partition(|n| *n >= STOPPED);
                assert!(
                    theirs.into_iter().eq(STOPPED..STOPPED + 16),
                    "{point:?} {nth}"
                );
                assert!(others.into_iter().eq(0..64 * 50));
                assert_eq!(reader.eviction(), None);
            }
            drop((readers, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn several_stopped_publishers_are_all_passed() {
    let census = Census::default();
    let bus = bus(&ManualClock::new(), SlotLayout::InLine);
    let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
    let stopped: Vec<_> = (0..9)
        .map(|n| {
            let (event, mut publisher) = (census.value(STOPPED + n), bus.publisher());
            Stopped::at(POINTS[n as usize % 3], 0, move || publisher.report(event))
        })
        .collect();
    let mut seen = many_laps(&mut bus.publisher(), &census, &mut readers);
    for publisher in stopped {
        publisher.go_on().unwrap();
    }
    for (reader, seen) in readers.iter_mut().zip(&mut seen) {
        seen.extend(numbers(reader));
        assert!(
            seen.iter()
                .copied()
                .eq((0..64 * 50).chain(STOPPED..STOPPED + 9))
        );
    }
    drop((readers, bus));
    census.expect_all_dropped();
}

#[test]
fn with_two_rings_the_others_get_it_and_nobody_is_held_up() {
    for point in POINTS {
        for nth in [0, 1] {
            let census = Census::default();
            let builder = builder(64).drive(Drive::Manual).workers(2);
            let bus = builder.clock(ManualClock::new()).build().unwrap();
            let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
            let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
            let stopped = Stopped::at(point, nth, move || publisher.report(event));
            let mut seen = many_laps(&mut bus.publisher(), &census, &mut readers);
            stopped.go_on().unwrap();
            for (reader, seen) in readers.iter_mut().zip(&mut seen) {
                seen.extend(numbers(reader));
                assert_eq!(
                    seen.iter().filter(|n| **n == STOPPED).count(),
                    1,
                    "{point:?} {nth}"
                );
                seen.retain(|n| *n != STOPPED);
                assert!(seen.iter().copied().eq(0..64 * 50));
                assert_eq!(reader.eviction(), None);
            }
            drop((readers, bus));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn a_stopped_batch_evicts_nobody_who_drains_now_and_then() {
    for point in POINTS {
        for every in [1, 2, 16, 64, 200] {
            let bus: Bus<u64> = builder(1024)
                .drive(Drive::Manual)
                .clock(ManualClock::new())
                .build()
                .unwrap();
            let mut reader = bus.subscribe().unwrap();
            let mut publisher = bus.publisher();
            let batch = move || {
                publisher
                    .report_batch(&mut (STOPPED..STOPPED + 32))
                    .unwrap()
            };
            let stopped = Stopped::at(point, 0, batch);
            let mut seen = Vec::new();
            for n in 0..5_000 {
                bus.report(n).unwrap();
                if n % every == 0 {
                    reader.drain(usize::MAX, |n| seen.push(*n)).unwrap();
                }
            }
            assert_eq!(stopped.go_on(), 32);
            reader.drain(usize::MAX, |n| seen.push(*n)).unwrap();
            assert_eq!(reader.eviction(), None);
            assert!(
                seen.into_iter().eq((0..5_000).chain(STOPPED..STOPPED + 32)),
                "{point:?}, {every}"
            );
        }
    }
}

/// A task that sleeps at a slot whose writer of an earlier lap hangs inside, where no stamp can be marked.
fn asleep_behind_a_writer(
    point: Point,
    census: &Census,
) -> (Bus<Counted>, Subscriber<Counted>, Arc<Wakes>, Stopped<bool>) {
    let bus = bus(&ManualClock::new(), SlotLayout::InLine);
    let mut sleeper = bus.subscribe().unwrap();
    let (event, mut own) = (census.value(STOPPED), bus.publisher());
    let stopped = Stopped::at(point, 0, move || own.report(event).is_ok());
    // Once round, to the slot that it hangs in.
    for n in 1..64 {
        bus.report(census.value(n)).unwrap();
        numbers(&mut sleeper);
    }
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut context = Context::from_waker(&waker);
    assert!(sleeper.poll_ready(&mut context).is_pending());
    (bus, sleeper, wakes, stopped)
}

/// Whoever passes over it owes the wake-up.
#[test]
fn a_sleeper_behind_a_frozen_writer_is_woken() {
    for point in [Point::Entered, Point::Written] {
        let census = Census::default();
        let (bus, mut sleeper, wakes, stopped) = asleep_behind_a_writer(point, &census);
        bus.turn();
        assert!(!bus.wants_turn());
        bus.report(census.value(64)).unwrap();
        assert!(bus.wants_turn(), "{point:?}");
        bus.turn();
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(numbers(&mut sleeper), [64]);
        assert!(stopped.go_on());
        assert_eq!(numbers(&mut sleeper), [STOPPED]);
    }
}

/// It leaves before anybody passes over it, and the next who writes there owes nothing: the turns keep an eye on it.
#[test]
fn a_sleeper_behind_a_writer_that_leaves_is_watched() {
    for point in [Point::Entered, Point::Written] {
        let census = Census::default();
        let (bus, mut sleeper, wakes, stopped) = asleep_behind_a_writer(point, &census);
        assert_eq!(bus.turn().watched, 1, "{point:?}");
        // It comes again right there: its own slot is the next.
        assert!(stopped.go_on());
        bus.turn();
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(numbers(&mut sleeper), [STOPPED]);
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn one_that_hangs_while_it_passes_over_a_window_makes_no_hole_twice() {
    let census = Census::default();
    let clock = ManualClock::new();
    let bus = bus(&clock, SlotLayout::InLine);
    let window = || SubscribeOptions::new().window(8);
    let mut stuck = bus.subscribe_with(window()).unwrap();
    let mut reader = bus.subscribe_with(window()).unwrap();
    // Up to sequence 128, where the window is passed over for the second time.
    for n in 0..64 + 56 {
        bus.report(census.value(n)).unwrap();
        assert_eq!(numbers(&mut reader), [n]);
        if n == 0 {
            stuck.try_recv().unwrap(); // and reads no more
        }
    }
    assert_eq!(bus.stats().workers[0].holes, 8);
    let (event, mut publisher) = (census.value(STOPPED), bus.publisher());
    let stopped = Stopped::at(Point::Claimed, 0, move || publisher.report(event));
    bus.report(census.value(200)).unwrap();
    let mut read = Vec::new();
    until("it took them away, one by one", || {
        clock.advance(Duration::from_millis(1));
        read.extend(numbers(&mut reader));
        !read.is_empty()
    });
    assert_eq!(read, [200]);
    assert_eq!(bus.stats().workers[0].abandoned, 8);
    stopped.go_on().unwrap();
    assert_eq!(numbers(&mut reader), [STOPPED]);
    assert_eq!(bus.stats().workers[0].holes, 16);
    drop((stuck, reader, bus));
    census.expect_all_dropped();
}
