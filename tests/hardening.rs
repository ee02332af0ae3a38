//! What a review once broke: each test failed before its mend.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::{Bus, BusBuilder, Drive, ManualClock, Pinning, SubscribeOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

fn manual<E: Send + Sync + 'static>() -> BusBuilder<E> {
    Bus::builder()
        .capacity(64)
        .pinning(Pinning::Off)
        .drive(Drive::Manual)
}

fn on(worker: usize) -> SubscribeOptions {
    SubscribeOptions::new().worker(worker)
}

#[test]
fn a_report_that_one_ring_refuses_costs_the_others_no_slot() {
    let bus = manual().workers(2).build().unwrap();
    let mut reading = bus.subscribe_with(on(0)).unwrap();
    let _stuck = bus.subscribe_with(on(1)).unwrap();
    while bus.try_report(1u64).is_ok() {
        assert_eq!(*reading.try_recv().unwrap(), 1);
    }
    assert!(reading.try_recv().unwrap_err().is_empty());
    for _ in 0..1000 {
        assert!(bus.try_report(2).unwrap_err().is_full());
    }
    assert_eq!(reading.lag(), 0);
    assert_eq!(bus.stats().workers[0].holes, 0);
    bus.report(3).unwrap(); // drops the stuck one
    assert_eq!(*reading.try_recv().unwrap(), 3);
}

#[test]
fn an_event_whose_drop_panics_leaves_no_claim_open() {
    static ARMED: AtomicBool = AtomicBool::new(false);
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    struct Fragile;
    impl Fragile {
        fn new() -> Self {
            LIVE.fetch_add(1, Ordering::Relaxed);
            Fragile
        }
    }
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            Fragile::new()
        }
    }
    impl Drop for Fragile {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, Ordering::Relaxed);
            assert!(!ARMED.swap(false, Ordering::Relaxed), "a drop that panics");
        }
    }
    let bus = manual().workers(2).build().unwrap();
    let mut reading = bus.subscribe_with(on(0)).unwrap();
    let stuck = bus.subscribe_with(on(1)).unwrap();
    while bus.try_report(Fragile::new()).is_ok() {
        reading.drain(usize::MAX, |_| {}).unwrap();
    }
    ARMED.store(true, Ordering::Relaxed);
    let refused = catch_unwind(AssertUnwindSafe(|| {
        drop(bus.try_report(Fragile::new()));
    }));
    assert!(refused.is_err());
    bus.report(Fragile::new()).unwrap();
    assert_eq!(reading.drain(usize::MAX, |_| {}).unwrap(), 1);
    assert_eq!(bus.stats().workers[0].abandoned, 0);
    drop((reading, stuck, bus));
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
}

#[test]
fn a_stall_limit_counts_from_when_a_reader_fell_behind() {
    let clock = ManualClock::new();
    let bus = manual().clock(clock.clone()).build().unwrap();
    let limit = Duration::from_millis(50);
    let options = SubscribeOptions::new().stall_limit(limit);
    let mut subscriber = bus.subscribe_with(options).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(subscriber.poll_ready(&mut context).is_pending());
    bus.turn();
    clock.advance(limit * 2); // nobody turned meanwhile
    bus.report(7u64).unwrap();
    bus.turn();
    assert_eq!(*subscriber.try_recv().unwrap(), 7);
    bus.report(8).unwrap();
    bus.turn();
    assert!(subscriber.eviction().is_none());
    clock.advance(limit);
    bus.turn();
    let eviction = subscriber.eviction().unwrap();
    assert_eq!(eviction.reason, ringbus::EvictionReason::Stalled);
}

#[test]
fn a_stop_frees_the_events() {
    let bus = manual().build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    let value = Arc::new(());
    bus.report(value.clone()).unwrap();
    drop(subscriber);
    let _ = bus.stop();
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn an_event_that_starts_the_bus_when_it_is_dropped_finds_no_lock_held() {
    static BUS: Mutex<Option<Bus<Starter>>> = Mutex::new(None);
    struct Starter;
    impl Drop for Starter {
        fn drop(&mut self) {
            let bus = BUS.lock().unwrap().clone();
            if let Some(bus) = bus {
                bus.start().unwrap();
            }
        }
    }
    let bus = manual().build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    bus.report(Starter).unwrap();
    drop(subscriber);
    *BUS.lock().unwrap() = Some(bus.clone());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let _ = bus.stop();
        bus.start().unwrap();
        *BUS.lock().unwrap() = None;
        tell.send(bus.subscribe().is_ok()).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(true));
}

#[test]
fn an_iterator_is_not_asked_again_after_its_end() {
    let pausing = |calls: &mut usize| {
        *calls += 1;
        (!calls.is_multiple_of(4)).then_some(*calls)
    };
    let bus = manual().build().unwrap();
    let _subscriber = bus.subscribe().unwrap();
    let mut shared = bus.publisher();
    let (mut exclusive, bus) = manual().build_exclusive().unwrap();
    let _other = bus.subscribe().unwrap();

    let mut calls = 0;
    let mut events = std::iter::from_fn(|| pausing(&mut calls));
    assert_eq!(shared.report_batch(&mut events).unwrap(), 3);
    assert_eq!(shared.try_report_batch(&mut events), 3);
    assert_eq!(exclusive.report_batch(&mut events).unwrap(), 3);
    assert_eq!(exclusive.try_report_batch(&mut events), 3);
    assert_eq!(calls, 16);
}

#[test]
fn an_exclusive_try_batch_takes_what_fits_and_no_more() {
    let (mut publisher, bus) = manual().build_exclusive().unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    let mut events = 0..1000u64;
    assert_eq!(publisher.try_report_batch(&mut events), 64);
    assert_eq!(publisher.try_report_batch(&mut events), 0);
    let mut next = 0;
    let mut check = |event: &u64| {
        assert_eq!(*event, next);
        next += 1;
    };
    assert_eq!(subscriber.drain(10, &mut check).unwrap(), 10);
    subscriber.release();
    assert_eq!(publisher.try_report_batch(&mut events), 10);
    assert_eq!(subscriber.drain(usize::MAX, &mut check).unwrap(), 64);
    assert_eq!(events.next(), Some(74));
}

#[test]
fn an_endless_nap_does_not_end_the_worker() {
    let bus = Bus::builder()
        .pinning(Pinning::Off)
        .max_nap(Duration::MAX)
        .build()
        .unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    let reader = thread::spawn(move || {
        let mut sum = 0;
        while let Ok(event) = subscriber.recv() {
            sum += *event;
        }
        sum
    });
    for n in 1..=100u64 {
        bus.report(n).unwrap();
        thread::yield_now();
    }
    assert!(bus.stop().is_clean());
    assert_eq!(reader.join().unwrap(), 5050);
}

#[test]
fn a_clock_that_panics_does_not_end_the_worker() {
    struct Broken;
    impl ringbus::Clock for Broken {
        fn now(&self) -> Duration {
            panic!("no time")
        }
    }
    let bus = Bus::builder()
        .pinning(Pinning::Off)
        .clock(Broken)
        .build()
        .unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    bus.report(1u64).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 1);
    drop(subscriber);
    bus.close();
}

#[test]
fn an_unsubscribed_reader_does_not_rejoin_by_itself() {
    use ringbus::{EvictionReason, OnLap, RecvError};
    let bus = manual().build().unwrap();
    let options = SubscribeOptions::new().on_lap(OnLap::Rejoin);
    let mut subscriber = bus.subscribe_with(options).unwrap();
    for n in 0..200u64 {
        bus.report(n).unwrap();
    }
    assert!(bus.unsubscribe(subscriber.id()), "about to rejoin");
    assert!(!bus.unsubscribe(subscriber.id()), "only once");
    for _ in 0..2 {
        match subscriber.recv() {
            Err(RecvError::Evicted(end)) => assert_eq!(end.reason, EvictionReason::Unsubscribed),
            other => panic!("{other:?}"),
        }
    }
    subscriber.rejoin().unwrap(); // of its own will it may
    bus.report(200).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 200);
}

#[test]
fn the_hosts_unsubscription_is_told_though_the_guard_goes_next() {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    let bus = manual::<u64>()
        .on_evict(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
    assert!(bus.unsubscribe(guard.id()));
    drop(guard);
    bus.turn();
    assert_eq!(told.load(Ordering::Relaxed), 1);
    drop(bus.handle(SubscribeOptions::new(), |_| {}).unwrap());
    bus.turn();
    assert_eq!(told.load(Ordering::Relaxed), 1, "left by itself");
}

#[test]
fn a_stopped_ring_goes_with_its_last_publisher() {
    let bus = manual().build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    let value = Arc::new(());
    publisher.report(Arc::clone(&value)).unwrap();
    drop(subscriber);
    let _ = bus.stop();
    drop(publisher);
    assert_eq!(Arc::strong_count(&value), 1);
}
