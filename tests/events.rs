//! Events of every kind, and events, iterators and closures whose code panics, calls the bus, or forgets.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]
#![allow(clippy::forget_non_drop)] // that a delivery may be forgotten too is a promise

mod common;

use common::{Census, Counted, builder, manual, threaded};
use ringbus::{Bus, Drive, SlotLayout, SubscribeOptions};
use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];

fn panics<R>(act: impl FnOnce() -> R) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "no panic");
}

/// Laps a shared and an exclusive ring with events that `make` makes and `check` checks.
fn laps<E: Send + Sync + 'static>(make: impl Fn(u64) -> E, check: impl Fn(u64, &E)) {
    for layout in LAYOUTS {
        let bus = builder(64)
            .slots(layout)
            .drive(Drive::Manual)
            .build()
            .unwrap();
        let (mut exclusive, other) = builder(64).slots(layout).build_exclusive().unwrap();
        let mut readers = [bus.subscribe().unwrap(), other.subscribe().unwrap()];
        let mut publisher = bus.publisher();
        for round in 0..20 {
            let mut batch = (0..30).map(|n| make(round * 30 + n));
            publisher.report_batch(&mut batch).unwrap();
            let mut batch = (0..30).map(|n| make(round * 30 + n));
            exclusive.report_batch(&mut batch).unwrap();
            for reader in &mut readers {
                for n in 0..30 {
                    check(round * 30 + n, &reader.try_recv().unwrap());
                }
                assert!(reader.try_recv().err().unwrap().is_empty());
            }
        }
    }
}

#[test]
fn nothing_at_all_is_an_event() {
    laps(|_| (), |_, ()| {});
}

#[test]
fn nothing_at_all_is_dropped_as_often_as_it_was_made() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let bus = manual(64);
    let mut subscriber = bus.subscribe().unwrap();
    for _ in 0..1_000 {
        bus.report(Nothing).unwrap();
    }
    subscriber.try_recv().map(drop).unwrap_err();
    drop((bus, subscriber));
    assert_eq!(DROPPED.load(Ordering::Relaxed), 1_000);
}

#[test]
fn events_may_be_aligned_beyond_a_line_and_of_any_size() {
    #[repr(align(256))]
    struct Wide(u64);
    laps(Wide, |n, event| {
        assert_eq!(event.0, n);
        assert_eq!(std::ptr::from_ref(event).addr() % 256, 0);
    });
    laps(|n| [n; 37], |n, event| assert_eq!(*event, [n; 37]));
    laps(|n| n as u8, |n, event| assert_eq!(*event, n as u8));
    laps(
        |n| vec![n.to_string()],
        |n, event| assert_eq!(event[0], n.to_string()),
    );
}

/// Panics when it is dropped, if told to.
struct Fragile(bool, #[allow(dead_code)] Counted);

impl Drop for Fragile {
    fn drop(&mut self) {
        if mem::take(&mut self.0) {
            panic!("dropped");
        }
    }
}

#[test]
fn an_event_that_panics_when_dropped_harms_nobody_else() {
    let census = Census::default();
    let bus = manual(64);
    let mut publisher = bus.publisher();
    let mut subscriber = bus.subscribe().unwrap();
    let event = |n, fragile| Fragile(fragile, census.value(n));
    for n in 0..64 {
        publisher.report(event(n, n % 10 == 0)).unwrap();
        subscriber.try_recv().unwrap();
    }
    for n in 64..128 {
        // The panic comes after its own event is out.
        match n % 10 == 4 {
            true => panics(|| publisher.report(event(n, false))),
            false => publisher.report(event(n, false)).unwrap(),
        }
        assert_eq!(subscriber.try_recv().unwrap().1.number(), n);
    }
    panics(|| {
        bus.close();
        let _ = bus.report(event(128, true));
    });
    drop((bus, publisher, subscriber));
    census.expect_all_dropped();
}

#[test]
fn a_batch_over_an_event_that_panics_when_dropped_is_out_all_the_same() {
    let census = Census::default();
    let bus = manual(64);
    let mut publisher = bus.publisher();
    let mut subscriber = bus.subscribe().unwrap();
    let mut seen = 0;
    for n in 0..64 {
        publisher.report(Fragile(n == 5, census.value(n))).unwrap();
    }
    subscriber.drain(64, |_| seen += 1).unwrap();
    subscriber.release();
    let mut batch = (64..74).map(|n| Fragile(false, census.value(n)));
    panics(|| publisher.report_batch(&mut batch));
    subscriber.drain(64, |_| seen += 1).unwrap();
    assert_eq!(seen, 74);
    drop((bus, publisher, subscriber));
    census.expect_all_dropped();
}

thread_local! {
    static CLONES_LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

struct Cloned(Counted);

impl Clone for Cloned {
    fn clone(&self) -> Self {
        let left = CLONES_LEFT.get();
        CLONES_LEFT.set(left.wrapping_sub(1));
        assert_ne!(left, 0, "no more clones");
        Cloned(self.0.clone())
    }
}

#[test]
fn a_clone_that_panics_has_touched_nothing() {
    let census = Census::default();
    let bus = builder(64).drive(Drive::Manual).workers(3).build().unwrap();
    let mut readers: Vec<_> = (0..3).map(|_| bus.subscribe().unwrap()).collect();
    bus.report(Cloned(census.value(1))).unwrap();
    for clones in [0, 1] {
        CLONES_LEFT.set(clones);
        panics(|| bus.report(Cloned(census.value(2))));
    }
    CLONES_LEFT.set(usize::MAX);
    bus.report(Cloned(census.value(3))).unwrap();
    for reader in &mut readers {
        assert_eq!(reader.try_recv().unwrap().0.number(), 1);
        assert_eq!(reader.try_recv().unwrap().0.number(), 3);
        assert!(reader.try_recv().err().unwrap().is_empty());
    }
    assert!(bus.stats().workers.iter().all(|worker| worker.holes == 0));
    drop((bus, readers));
    census.expect_all_dropped();
}

#[test]
fn with_one_ring_nothing_is_cloned_and_with_two_once_for_each_more() {
    let census = Census::default();
    let bus = builder::<Counted>(64)
        .drive(Drive::Manual)
        .workers(2)
        .build()
        .unwrap();
    let first = bus.subscribe().unwrap();
    bus.report(census.value(1)).unwrap();
    assert_eq!(census.made(), 1, "the other ring has nobody");
    let second = bus.subscribe().unwrap();
    assert_eq!((first.worker(), second.worker()), (0, 1));
    bus.report(census.value(2)).unwrap();
    assert_eq!(census.made(), 3);
    drop((first, second));
    bus.report(census.value(3)).unwrap();
    assert_eq!(census.made(), 4);
    assert_eq!(census.alive(), 3, "the last had nobody to go to");
}

/// Reports to a bus when it is dropped, once.
struct Echo(u64);

static ECHOES: OnceLock<Bus<Echo>> = OnceLock::new();

impl Drop for Echo {
    fn drop(&mut self) {
        if self.0 < 10 {
            let bus = ECHOES.get().unwrap();
            bus.report(Echo(self.0 + 100)).unwrap();
            drop(bus.subscribe().unwrap());
            bus.turn();
        }
    }
}

#[test]
fn an_event_may_call_the_bus_when_it_is_dropped() {
    let bus = ECHOES.get_or_init(|| manual(64));
    let mut subscriber = bus.subscribe().unwrap();
    let mut seen = Vec::new();
    for n in 0..64 + 30 {
        bus.report(Echo(n)).unwrap();
        subscriber.drain(9, |event| seen.push(event.0)).unwrap();
    }
    assert!((0..94).all(|n| seen.contains(&n)));
    assert!((100..110).all(|n| seen.contains(&n)));
    assert_eq!(seen.len(), 104);
}

#[test]
fn an_iterator_may_panic_and_may_use_the_bus() {
    let census = Census::default();
    let bus = manual(256);
    let mut publisher = bus.publisher();
    let mut subscriber = bus.subscribe().unwrap();
    let mut broken = (0..150).map(|n| {
        assert_ne!(n, 140, "no more");
        census.value(n)
    });
    panics(|| publisher.report_batch(&mut broken));
    let mut seen = Vec::new();
    subscriber
        .drain(999, |event| seen.push(event.number()))
        .unwrap();
    // Batches of 128 are gathered before anything is claimed: the second was never out.
    assert!(seen.into_iter().eq(0..128));
    let mut using = (100..103).map(|n| {
        bus.report(census.value(n + 100)).unwrap();
        census.value(n)
    });
    assert_eq!(publisher.report_batch(&mut using).unwrap(), 3);
    let mut seen = Vec::new();
    subscriber
        .drain(99, |event| seen.push(event.number()))
        .unwrap();
    assert_eq!(seen, [200, 201, 202, 100, 101, 102]);
    let mut broken = std::iter::once_with(|| -> Counted { panic!("at once") });
    panics(|| publisher.try_report_batch(&mut broken));
    bus.report(census.value(7)).unwrap();
    assert_eq!(subscriber.try_recv().unwrap().number(), 7);
    drop((bus, publisher, subscriber));
    census.expect_all_dropped();
}

#[test]
fn a_closure_that_panics_has_read_its_event() {
    let bus = manual(64);
    let mut subscriber = bus.subscribe().unwrap();
    for n in 0..10u64 {
        bus.report(n).unwrap();
    }
    panics(|| subscriber.drain(10, |n| assert_ne!(*n, 3)));
    assert_eq!(*subscriber.try_recv().unwrap(), 4);
    panics(|| {
        subscriber
            .recv_matching(|n| *n != 5 || panic!("5"))
            .map(drop)
    });
    assert_eq!(*subscriber.try_recv().unwrap(), 6);
    panics(|| subscriber.recv_many(10, |n| assert_ne!(*n, 8)));
    assert_eq!(*subscriber.latest().unwrap(), 9);
}

#[test]
fn what_is_forgotten_costs_no_more_than_one_that_stopped_reading() {
    let census = Census::default();
    let bus = threaded(64);
    let mut reading = bus.subscribe().unwrap();
    let mut forgotten = bus.subscribe().unwrap();
    bus.report(census.value(0)).unwrap();
    mem::forget(forgotten.recv().unwrap());
    mem::forget(reading.recv().unwrap());
    mem::forget(forgotten);
    mem::forget(bus.subscribe().unwrap());
    for n in 1..1_000 {
        bus.report(census.value(n)).unwrap();
        assert_eq!(reading.recv().unwrap().number(), n);
    }
    let stats = bus.stats();
    assert_eq!(
        (stats.workers[0].subscribers, stats.workers[0].exhausted),
        (1, 0)
    );
    assert!(stats.workers[0].pinned_slots <= 16);
}

#[test]
fn recycling_gives_buffers_back() {
    let bus = manual::<Vec<u64>>(64);
    let mut publisher = bus.publisher();
    assert_eq!(
        publisher.report_recycling(vec![1]).unwrap(),
        Some(vec![1]),
        "nobody listens"
    );
    let mut subscriber = bus.subscribe_with(SubscribeOptions::new()).unwrap();
    for n in 0..200 {
        let old = publisher.report_recycling(vec![n]).unwrap();
        assert_eq!(old, n.checked_sub(64).map(|old| vec![old]));
        assert_eq!(*subscriber.try_recv().unwrap(), [n]);
    }
}

#[test]
fn events_that_are_shared_are_let_go_by_the_end() {
    let shared = Arc::new(());
    let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
    let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
    for _ in 0..100 {
        bus.report(shared.clone()).unwrap();
        for reader in &mut readers {
            reader.try_recv().unwrap();
        }
    }
    assert_eq!(Arc::strong_count(&shared), 1 + 2 * 64);
    drop((bus, readers));
    assert_eq!(Arc::strong_count(&shared), 1);
}
