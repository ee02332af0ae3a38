//! What hostile use broke: each of these tests fails without its mend.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, builder, manual, until};
use ringbus::{Bus, Clock, Drive, HandlerEnd, ManualClock, SubscribeOptions};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// Panics when it is dropped, if told to, without a noise.
struct Fragile(bool, Counted);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        Fragile(self.0, self.1.clone())
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if mem::take(&mut self.0) {
            resume_unwind(Box::new("dropped"));
        }
    }
}

fn panics<R>(act: impl FnOnce() -> R) {
    assert!(catch_unwind(AssertUnwindSafe(|| drop(act()))).is_err());
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_leaves_no_seat_taken() {
    struct Broken;
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Broken {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    let bus = manual::<u64>(64);
    for _ in 0..100 {
        let mut subscriber = bus.subscribe().unwrap();
        let waker = Waker::from(Arc::new(Broken));
        let mut context = Context::from_waker(&waker);
        assert!(subscriber.poll_ready(&mut context).is_pending());
        drop(waker);
        panics(|| drop(subscriber));
    }
    assert!(bus.stats().subscribers.is_empty());
}

#[test]
fn the_rest_of_a_ring_is_dropped_though_one_event_panics() {
    for exclusive in [false, true] {
        let census = Census::default();
        let event = |n| Fragile(n % 3 == 1, census.value(n));
        let mut events = (0..10).map(event);
        if exclusive {
            let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
            let subscriber = bus.subscribe().unwrap();
            assert_eq!(publisher.report_batch(&mut events).unwrap(), 10);
            drop((publisher, bus));
            panics(|| drop(subscriber));
        } else {
            let bus = manual(64);
            let subscriber = bus.subscribe().unwrap();
            assert_eq!(bus.publisher().report_batch(&mut events).unwrap(), 10);
            drop(bus);
            panics(|| drop(subscriber));
        }
        census.expect_all_dropped();
    }
}

#[test]
fn old_events_of_one_report_may_all_panic() {
    for rings in [2, 3] {
        let census = Census::default();
        let bus = builder(64)
            .workers(rings)
            .drive(Drive::Manual)
            .build()
            .unwrap();
        let mut readers: Vec<_> = (0..rings).map(|_| bus.subscribe().unwrap()).collect();
        for n in 0..65 {
            let event = Fragile(n == 0, census.value(n));
            match n {
                64 => panics(|| bus.report(event)),
                _ => bus.report(event).unwrap(),
            }
            readers
                .iter_mut()
                .for_each(|reader| _ = reader.try_recv().unwrap());
        }
        drop((bus, readers));
        census.expect_all_dropped();
    }
}

#[test]
fn old_events_of_one_batch_may_all_panic() {
    for exclusive in [false, true] {
        let census = Census::default();
        let mut events = (0..).map(|n| Fragile(n < 64, census.value(n)));
        if exclusive {
            let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
            let mut reader = bus.subscribe().unwrap();
            assert_eq!(publisher.try_report_batch(&mut events), 64);
            reader.drain(64, |_| {}).unwrap();
            reader.release();
            // The first finds room, and goes alone.
            panics(|| publisher.report(events.next().unwrap()));
            panics(|| publisher.report_batch(&mut events.by_ref().take(20)));
            assert_eq!(reader.drain(64, |_| {}), Ok(21));
            (0..43).for_each(|_| panics(|| publisher.report(events.next().unwrap())));
        } else {
            let bus = manual(64);
            let mut publisher = bus.publisher();
            let mut reader = bus.subscribe().unwrap();
            assert_eq!(publisher.try_report_batch(&mut events), 64);
            reader.drain(64, |_| {}).unwrap();
            reader.release();
            panics(|| publisher.report_batch(&mut events.by_ref().take(20)));
            assert_eq!(reader.drain(64, |_| {}), Ok(20));
            (0..44).for_each(|_| panics(|| publisher.report(events.next().unwrap())));
        }
        census.expect_all_dropped();
    }
}

#[test]
fn a_moved_clock_never_goes_back() {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Duration::from_nanos(u64::MAX));
    }
}

struct Broken;

impl Clock for Broken {
    fn now(&self) -> Duration {
        resume_unwind(Box::new("no time"))
    }
}

#[test]
fn a_turn_wakes_sleepers_though_its_clock_panics() {
    let bus = builder::<u64>(64)
        .drive(Drive::Manual)
        .clock(Broken)
        .build()
        .unwrap();
    let mut sleeper = bus.subscribe().unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(sleeper.poll_ready(&mut context).is_pending());
    bus.report(7).unwrap();
    assert_eq!(bus.turn().woken, 1);
    assert_eq!(*sleeper.try_recv().unwrap(), 7);
}

#[test]
fn a_stop_reports_though_a_clock_panics() {
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = builder::<u64>(64)
            .drive(drive)
            .clock(Broken)
            .build()
            .unwrap();
        let _reader = bus.subscribe().unwrap();
        assert_eq!(bus.stop().drained.len(), 1);
    }
}

#[test]
fn a_guard_keeps_no_event() {
    let census = Census::default();
    let bus: Bus<Counted> = builder(64).build().unwrap();
    let kept = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
    mem::forget(bus.handle(SubscribeOptions::new(), |_| {}).unwrap());
    bus.report(census.value(1)).unwrap();
    assert!(bus.stop().is_clean());
    until("dropped with the ring", || census.alive() == 0);
    assert_eq!(kept.join(), HandlerEnd::Closed);
}
