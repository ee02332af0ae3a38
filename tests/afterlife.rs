//! Subscribers and handlers that outlive their bus: they read what was accepted, and then the memory is freed, once.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, builder, until};
use ringbus::{Drive, HandlerEnd, SlotLayout, SubscribeOptions, Subscriber, TryRecvError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Holds one event, and reads the rest when the bus is gone.
fn outlives(census: &Census, mut subscriber: Subscriber<Counted>, end: impl FnOnce()) {
    {
        let held = subscriber.recv().unwrap();
        end();
        assert_eq!(held.number(), 0);
    }
    assert!(census.alive() > 0);
    for n in 1..40 {
        assert_eq!(subscriber.try_recv().unwrap().number(), n);
    }
    assert_eq!(subscriber.try_recv().unwrap_err(), TryRecvError::Closed);
    assert!(subscriber.recv().unwrap_err().is_closed());
    assert!(subscriber.rejoin().unwrap_err().is_stopped());
    drop(subscriber);
    census.expect_all_dropped();
}

#[test]
fn the_last_subscriber_outlives_a_bus_that_was_not_stopped() {
    for drive in [Drive::Manual, Drive::Threads] {
        for layout in [SlotLayout::InLine, SlotLayout::Dense] {
            for workers in [1, 2] {
                let census = Census::default();
                let builder = builder(64).drive(drive).slots(layout);
                let bus = builder.workers(workers).build().unwrap();
                let subscriber = bus.subscribe().unwrap();
                let second = bus.subscribe().unwrap();
                for n in 0..40 {
                    bus.report(census.value(n)).unwrap();
                }
                drop(second);
                outlives(&census, subscriber, || drop(bus));
            }
            let census = Census::default();
            let (mut publisher, bus) = builder(64).slots(layout).build_exclusive().unwrap();
            let subscriber = bus.subscribe().unwrap();
            let mut events = (0..40).map(|n| census.value(n));
            assert_eq!(publisher.report_batch(&mut events).unwrap(), 40);
            outlives(&census, subscriber, || drop((bus, publisher)));
        }
    }
}

#[test]
fn handlers_finish_a_bus_that_was_dropped_and_then_it_is_freed() {
    let census = Census::default();
    let handled = Arc::new(AtomicUsize::new(0));
    let bus = builder(64).workers(2).build().unwrap();
    let guards = [0, 1, 2].map(|_| {
        let handled = handled.clone();
        let handle = bus.handle(SubscribeOptions::new(), move |event: &Counted| {
            event.number();
            handled.fetch_add(1, Ordering::Relaxed);
        });
        handle.unwrap()
    });
    for n in 0..40 {
        bus.report(census.value(n)).unwrap();
    }
    drop(bus);
    for guard in guards {
        assert_eq!(guard.join(), HandlerEnd::Closed);
    }
    assert_eq!(handled.load(Ordering::Relaxed), 3 * 40);
    census.expect_all_dropped();
}

#[test]
fn a_reader_keeps_what_it_holds_though_the_bus_is_stopped_and_gone() {
    let census = Census::default();
    let bus = builder(64).build().unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    for n in 0..40 {
        bus.report(census.value(n)).unwrap();
    }
    let held = subscriber.recv().unwrap();
    let report = bus.stop_timeout(Duration::ZERO);
    assert_eq!(report.undrained.len(), 1);
    bus.start().unwrap();
    let mut fresh = bus.subscribe().unwrap();
    bus.report(census.value(100)).unwrap();
    assert_eq!(fresh.recv().unwrap().number(), 100);
    drop((bus, fresh));
    assert_eq!(held.number(), 0);
    until("the new ring is freed", || census.alive() == 40);
    drop(subscriber);
    census.expect_all_dropped();
}
