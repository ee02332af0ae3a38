//! What `mem::forget` costs, thing by thing: what the page on limitations says, counted.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, builder, manual, threaded, until};
use ringbus::{Bus, Drive, EvictionReason, HandlerEnd, SubscribeOptions, Subscriber};
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// Reports so many events, and reads each.
fn lap(bus: &Bus<u64>, reader: &mut Subscriber<u64>, events: u64) {
    for n in 0..events {
        bus.report(n).unwrap();
        assert_eq!(*reader.try_recv().unwrap(), n);
    }
}

#[test]
#[allow(clippy::forget_non_drop)] // that they have no destructor is what is tested
fn a_delivery_and_an_iterator_cost_nothing() {
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    for n in 0..1_000u64 {
        bus.report(n).unwrap();
        bus.report(n).unwrap();
        bus.report(n).unwrap();
        mem::forget(reader.recv());
        let mut events = reader.iter();
        assert_eq!(events.next(), Some(Ok(n)));
        mem::forget(events);
        let mut events = reader.try_iter();
        assert_eq!(events.next(), Some(Ok(n)));
        mem::forget(events);
        assert!(reader.try_recv().unwrap_err().is_empty());
    }
    assert_eq!(bus.stats().workers[0].holes, 0);
    assert!(bus.stop().is_clean());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_pending_future_costs_one_wake_up_for_nothing() {
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    {
        // Boxed, so that it is the future that is forgotten and not a pin of it.
        let mut future = Box::pin(reader.recv_async());
        assert!(future.as_mut().poll(&mut context).is_pending());
        mem::forget(future);
    }
    bus.report(1u64).unwrap();
    bus.turn();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(*reader.try_recv().unwrap(), 1);
    bus.report(2).unwrap();
    let future = pin!(reader.recv_async());
    assert!(future.poll(&mut context).is_ready());
}

#[test]
fn subscribers_cost_their_windows_their_seats_and_nothing_more() {
    let bus = manual::<u64>(64);
    let mut reader = bus
        .subscribe_with(SubscribeOptions::new().window(1))
        .unwrap();
    let mut forgotten = 0;
    let refused = loop {
        match bus.subscribe() {
            Ok(mut subscriber) => {
                // Half of them in the middle of an event.
                if forgotten % 2 == 0 {
                    bus.report(0).unwrap();
                    assert!(subscriber.try_recv().is_ok());
                    assert!(reader.try_recv().is_ok());
                }
                mem::forget(subscriber);
                forgotten += 1;
            }
            Err(refused) => break refused,
        }
    };
    assert!(refused.is_full() && forgotten >= 9);
    // However often the ring goes round.
    lap(&bus, &mut reader, 10_000);
    assert_eq!(bus.turn().notices, forgotten, "each is told");
    let stats = bus.stats();
    let worker = &stats.workers[0];
    assert_eq!(worker.subscribers, 1);
    assert_eq!(worker.evicted_for(EvictionReason::Lapped), forgotten as u64);
    assert_eq!(
        (worker.pinned_slots, worker.exhausted),
        (15, 0),
        "a quarter, with the reader's"
    );
    assert_eq!(
        stats.subscribers.len(),
        1 + forgotten,
        "and is seen for as long as the ring lasts"
    );
    assert!(
        (1..=15 * 10_100 / 64).contains(&worker.holes),
        "at most the windows, in each lap"
    );
    assert!(bus.subscribe().unwrap_err().is_full());
    // A stop waits for none of them, and a start has every seat again.
    drop(reader);
    let report = bus.stop_timeout(common::LONG);
    assert!(report.is_clean(), "{report:?}");
    bus.start().unwrap();
    let fresh: Vec<_> = (0..10).map(|_| bus.subscribe().unwrap()).collect();
    assert_eq!(bus.stats().subscribers.len(), fresh.len());
}

#[test]
fn one_that_slept_costs_a_seat_and_no_slot() {
    let bus = manual::<u64>(64);
    let mut reader = bus.subscribe().unwrap();
    let mut sleeping = bus.subscribe().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(sleeping.poll_ready(&mut context).is_pending());
    mem::forget(sleeping);
    lap(&bus, &mut reader, 1_000);
    let stats = bus.stats();
    assert_eq!(
        (stats.workers[0].pinned_slots, stats.workers[0].holes),
        (0, 0)
    );
    assert_eq!(stats.subscribers.len(), 2);
}

#[test]
fn one_is_in_the_way_of_try_report_until_the_host_drops_it() {
    let bus = manual::<u64>(64);
    mem::forget(bus.subscribe().unwrap());
    while bus.try_report(0).is_ok() {}
    assert!(bus.try_report(0).unwrap_err().is_full());
    let id = bus.stats().subscribers[0].id;
    assert!(bus.unsubscribe(id));
    for n in 0..1_000 {
        bus.try_report(n).unwrap();
    }
    assert!(bus.stats().workers[0].pinned_slots <= 8);
}

#[test]
fn one_that_was_not_dropped_holds_a_stop_up_to_its_deadline() {
    let bus = manual::<u64>(64);
    mem::forget(bus.subscribe().unwrap());
    bus.report(1).unwrap();
    let report = bus.stop_timeout(Duration::from_millis(1));
    assert_eq!(report.undrained.len(), 1);
    assert_eq!(report.stats.workers[0].evicted, [0; EvictionReason::COUNT]);
}

#[test]
fn a_forgotten_subscriber_keeps_its_ring_and_a_ring_of_events_at_most() {
    for drive in [Drive::Manual, Drive::Threads] {
        let census = Census::default();
        let bus = builder(64).drive(drive).build().unwrap();
        mem::forget(bus.subscribe().unwrap());
        for n in 0..1_000 {
            bus.report(census.value(n)).unwrap();
        }
        let _ = bus.stop();
        drop(bus);
        until("the rest is dropped", || census.alive() <= 64);
    }
}

#[test]
fn a_guard_costs_its_word_and_its_handler_goes_on() {
    let bus = threaded::<u64>(64);
    let (tell, told) = std::sync::mpsc::channel();
    let guard = bus
        .handle(SubscribeOptions::new(), move |n| tell.send(*n).unwrap())
        .unwrap();
    mem::forget(guard);
    bus.report(7).unwrap();
    assert_eq!(told.recv_timeout(common::LONG), Ok(7));
    let report = bus.stop();
    assert!(report.is_clean() && report.drained.len() == 1, "{report:?}");
}

#[test]
fn a_publisher_or_a_handle_costs_the_close_that_comes_by_itself() {
    let forget_one: [fn(&Bus<u64>); 2] = [
        |bus| mem::forget(bus.publisher()),
        |bus| mem::forget(bus.clone()),
    ];
    for forget in forget_one {
        let bus = threaded::<u64>(64);
        forget(&bus);
        let mut reader = bus.subscribe().unwrap();
        let other = bus.clone();
        drop(bus);
        other.report(1).unwrap();
        assert_eq!(*reader.recv().unwrap(), 1);
        // A close or a stop by name ends it all the same.
        other.close();
        assert!(reader.recv().unwrap_err().is_closed());
        assert!(other.stop().is_clean());

        let bus = threaded::<u64>(64);
        forget(&bus);
        let mut reader = bus.subscribe().unwrap();
        drop(bus);
        let nothing = reader.recv_timeout(Duration::from_millis(5));
        assert!(
            nothing.unwrap_err().is_timeout(),
            "open, and nobody to report"
        );
    }
}

#[test]
fn an_exclusive_publisher_costs_the_end_of_the_stream() {
    let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    let mut reader = bus.subscribe().unwrap();
    let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
    publisher.report(1).unwrap();
    mem::forget(publisher);
    assert_eq!(*reader.recv().unwrap(), 1);
    assert!(
        reader
            .recv_timeout(Duration::from_millis(5))
            .unwrap_err()
            .is_timeout()
    );
    // Nobody can close it: its subscribers are let go one by one.
    assert!(bus.unsubscribe(reader.id()) && bus.unsubscribe(guard.id()));
    assert!(reader.recv().unwrap_err().is_evicted());
    assert_eq!(guard.join(), HandlerEnd::Unsubscribed);
}
