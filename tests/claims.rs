//! What a publisher may hold while it is frozen, and when its claims are abandoned: [K1 share] and [K2 young].
#![cfg(all(feature = "test-hooks", not(loom)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
#[path = "common/stopped.rs"]
mod stopped;

use common::{Census, Counted, builder};
use ringbus::hooks::{self, Point};
use ringbus::{Bus, Drive, ManualClock, SlotLayout, Subscriber};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use stopped::{POINTS, Stopped};

const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];
/// The frozen publishers' events have numbers from here on.
const FROZEN: u64 = 1_000_000;
/// Longer than any batch that is claimed at once.
const BATCH: u64 = 200;
/// Longer than the default grace of a claim, and shorter than twice that.
const ONE_GRACE: Duration = Duration::from_micros(1_100);

fn bus(capacity: usize, layout: SlotLayout, clock: &ManualClock) -> Bus<Counted> {
    let builder = builder(capacity).drive(Drive::Manual).slots(layout);
    builder.clock(clock.clone()).build().unwrap()
}

fn read(reader: &mut Subscriber<Counted>, seen: &mut Vec<u64>) {
    while reader
        .drain(1_000, |event| seen.push(event.number()))
        .unwrap()
        > 0
    {}
}

/// Freezes a new publisher at `point`, in a batch of events that are numbered from `first` on.
fn freeze_a_batch(bus: &Bus<Counted>, census: &Census, point: Point, first: u64) -> Stopped<usize> {
    let mut publisher = bus.publisher();
    let events: Vec<_> = (first..first + BATCH).map(|n| census.value(n)).collect();
    Stopped::at(point, 0, move || {
        publisher.report_batch(&mut events.into_iter()).unwrap()
    })
}

/// Freezes `frozen` publishers in batches, and reports ten laps beside them to a reader that reads every `stride` events.
fn healthy_beside(frozen: u64, capacity: usize, layout: SlotLayout, point: Point, stride: usize) {
    let census = Census::default();
    let bus = bus(capacity, layout, &ManualClock::new());
    let mut reader = bus.subscribe().unwrap();
    let mut seen = Vec::new();
    // A lap first, so that batches enter runs.
    for n in 0..capacity as u64 {
        bus.report(census.value(n)).unwrap();
        read(&mut reader, &mut seen);
    }
    let frozen: Vec<_> = (1..=frozen)
        .map(|n| freeze_a_batch(&bus, &census, point, n * FROZEN))
        .collect();
    let numbers: Vec<u64> = (capacity as u64..11 * capacity as u64).collect();
    for numbers in numbers.chunks(stride) {
        for &n in numbers {
            bus.report(census.value(n)).unwrap();
        }
        read(&mut reader, &mut seen);
    }
    assert!(
        seen.iter().copied().eq(0..11 * capacity as u64),
        "{point:?}"
    );
    for batch in frozen {
        // The reader is in step with it no more.
        batch.go_on();
    }
    drop((reader, bus));
    census.expect_all_dropped();
}

#[test]
fn one_frozen_batch_publisher_costs_a_healthy_subscriber_nothing() {
    for layout in LAYOUTS {
        for capacity in [64, 128, 256, 512] {
            for point in POINTS {
                healthy_beside(1, capacity, layout, point, capacity / 2 + 1);
                // Seven eighths, less the eighth that the frozen one may hold.
                healthy_beside(1, capacity, layout, point, capacity * 3 / 4);
            }
        }
    }
}

#[test]
fn several_frozen_batch_publishers_share_what_claims_may_take() {
    for layout in LAYOUTS {
        for capacity in [64, 128, 256, 512] {
            for point in POINTS {
                let eighth = capacity / 8;
                let held: usize = (1..=4).map(|n| eighth / n).sum();
                healthy_beside(4, capacity, layout, point, capacity * 7 / 8 - held);
            }
        }
    }
}

#[test]
fn a_publisher_that_is_not_frozen_claims_no_more_than_its_share() {
    let clock = ManualClock::new();
    let bus = Bus::builder().capacity(256).drive(Drive::Manual);
    let bus = bus.clock(clock.clone()).build().unwrap();
    let _reader = bus.subscribe().unwrap();
    let mut publishers = [bus.publisher(), bus.publisher()];
    let claims = Rc::new(RefCell::new(Vec::new()));
    let (counted, seen) = (bus.clone(), claims.clone());
    hooks::set(move |point| {
        if point == Point::Claimed {
            let stats = &counted.stats().workers[0];
            seen.borrow_mut().push(stats.published + stats.holes);
        }
    });
    publishers[0].report_batch(&mut (0..40)).unwrap();
    assert_eq!(*claims.borrow(), [16, 32, 40]);
}

/// Reports 20 events in a batch, of which each of the first `lost` claims is abandoned before it is entered.
fn report_with_lost_claims(lost: usize) -> (Result<usize, usize>, Vec<u64>, u64) {
    let clock = ManualClock::new();
    let bus = Bus::builder().capacity(64).drive(Drive::Manual);
    let bus = bus.clock(clock.clone()).build().unwrap();
    let reader = Rc::new(RefCell::new(bus.subscribe().unwrap()));
    let passing = reader.clone();
    let mut left = lost;
    hooks::set(move |point| {
        if point == Point::Claimed && left > 0 {
            left -= 1;
            let mut reader = passing.borrow_mut();
            while reader.lag() > 0 {
                clock.advance(Duration::from_millis(1));
                assert!(reader.try_recv().is_err());
            }
        }
    });
    let mut publisher = bus.publisher();
    let result = publisher.report_batch(&mut (0..20));
    let mut seen = Vec::new();
    reader.borrow_mut().drain(100, |n| seen.push(*n)).unwrap();
    (
        result.map_err(|refused| refused.accepted),
        seen,
        bus.stats().workers[0].exhausted,
    )
}

#[test]
fn a_batch_may_lose_as_many_claims_in_a_row_as_the_ring_has_slots() {
    let all: Vec<u64> = (0..20).collect();
    assert_eq!(report_with_lost_claims(3), (Ok(20), all.clone(), 0));
    assert_eq!(report_with_lost_claims(64), (Ok(20), all, 0));
    assert_eq!(report_with_lost_claims(65), (Err(0), vec![], 1));
}

#[test]
fn claims_of_publishers_that_run_are_not_abandoned_before_their_grace() {
    let census = Census::default();
    let bus = bus(64, SlotLayout::InLine, &ManualClock::new());
    let mut reader = bus.subscribe().unwrap();
    for n in 0..10 {
        let inside: Vec<_> = (0..24)
            .map(|id| {
                let (event, other) = (census.value(24 * n + id), bus.clone());
                Stopped::at(Point::Entered, 0, move || other.report(event))
            })
            .collect();
        for _ in 0..10 {
            assert!(reader.try_recv().unwrap_err().is_empty());
            assert_eq!(bus.turn().rescued, 0);
        }
        for publisher in inside {
            publisher.go_on().unwrap();
        }
        let mut seen = Vec::new();
        read(&mut reader, &mut seen);
        assert!(seen.into_iter().eq(24 * n..24 * (n + 1)));
    }
    assert_eq!(bus.stats().workers[0].holes, 0);
}

#[test]
fn the_worker_abandons_what_it_has_seen_for_a_grace_and_backs_off() {
    let census = Census::default();
    let clock = ManualClock::new();
    let bus = bus(64, SlotLayout::InLine, &clock);
    let mut reader = bus.subscribe().unwrap();
    let freeze = |n| {
        let (event, bus) = (census.value(n), bus.clone());
        Stopped::at(Point::Claimed, 0, move || bus.report(event))
    };
    let turn = |time| {
        clock.advance(time);
        bus.turn().rescued
    };
    let mut frozen = vec![freeze(FROZEN)];
    assert_eq!(turn(Duration::ZERO), 0);
    // A younger one right behind it, and events up to the middle of the ring.
    frozen.push(freeze(FROZEN + 1));
    for n in 0..20 {
        bus.report(census.value(n)).unwrap();
    }
    assert_eq!(turn(ONE_GRACE), 1);
    assert_eq!(reader.try_recv().unwrap_err(), ringbus::TryRecvError::Empty);
    // The next grace of the same subscriber is twice as long, as no event came between.
    assert_eq!(turn(Duration::ZERO), 0);
    assert_eq!(turn(ONE_GRACE), 0);
    assert_eq!(turn(ONE_GRACE), 1);
    let mut seen = Vec::new();
    read(&mut reader, &mut seen);
    assert!(seen.iter().copied().eq(0..20));
    // Events came: one grace is enough again.
    frozen.push(freeze(FROZEN + 2));
    assert_eq!(turn(Duration::ZERO), 0);
    assert_eq!(turn(ONE_GRACE), 1);
    for (publisher, n) in frozen.into_iter().zip(FROZEN..) {
        publisher.go_on().unwrap();
        assert_eq!(reader.recv().unwrap().number(), n);
    }
}

#[test]
fn a_scan_frees_all_that_a_frozen_batch_has_not_entered() {
    for point in [Point::Claimed, Point::Entered] {
        let census = Census::default();
        let bus = bus(64, SlotLayout::InLine, &ManualClock::new());
        let mut reader = bus.subscribe().unwrap();
        let frozen = freeze_a_batch(&bus, &census, point, FROZEN);
        // Claimed by others, and entered: they run.
        let inside: Vec<_> = (0..4)
            .map(|n| {
                let (event, other) = (census.value(n), bus.clone());
                Stopped::at(Point::Entered, 0, move || other.report(event))
            })
            .collect();
        for n in 4..25 {
            bus.report(census.value(n)).unwrap();
        }
        // One look, which would not notice a claim by itself.
        assert!(reader.try_recv().unwrap_err().is_empty());
        assert_eq!(bus.stats().workers[0].abandoned, 8, "{point:?}");
        for publisher in inside {
            publisher.go_on().unwrap();
        }
        let mut seen = Vec::new();
        read(&mut reader, &mut seen);
        assert!(seen.into_iter().eq(0..25), "{point:?}");
        frozen.go_on();
    }
}

#[test]
fn a_scan_abandons_a_claim_when_the_tail_is_half_a_ring_ahead_of_it() {
    const CAPACITY: u64 = 64;
    for offset in 0..CAPACITY {
        let census = Census::default();
        let bus = bus(CAPACITY as usize, SlotLayout::InLine, &ManualClock::new());
        let mut reader = bus.subscribe().unwrap();
        for n in 0..offset {
            bus.report(census.value(n)).unwrap();
            assert_eq!(reader.recv().unwrap().number(), n);
        }
        reader.release();
        let (event, frozen) = (census.value(FROZEN), bus.clone());
        let frozen = Stopped::at(Point::Claimed, 0, move || frozen.report(event));
        let abandoned = || bus.stats().workers[0].abandoned;
        for n in 1..CAPACITY / 2 {
            bus.report(census.value(n)).unwrap();
            assert_eq!(abandoned(), 0, "{n} events ahead, from {offset} on");
        }
        bus.report(census.value(CAPACITY / 2)).unwrap();
        assert_eq!(abandoned(), 1, "from {offset} on");
        frozen.go_on().unwrap();
    }
}
