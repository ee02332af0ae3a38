//! A bus that is stopped and started again, and publishers that still have the old workers at hand.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, LONG, SetOnDrop, builder};
use ringbus::{Bus, Drive, SubscribeOptions, Subscriber};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

fn numbers(subscriber: &mut Subscriber<Counted>) -> Vec<u64> {
    let mut numbers = Vec::new();
    let drained = subscriber.drain(usize::MAX, |event| numbers.push(event.number()));
    drained.unwrap();
    subscriber.release();
    numbers
}

fn on(bus: &Bus<Counted>, worker: usize) -> Subscriber<Counted> {
    bus.subscribe_with(SubscribeOptions::new().worker(worker))
        .unwrap()
}

#[test]
fn an_old_publisher_finds_as_many_workers_as_there_are_now() {
    let census = Census::default();
    let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
    let mut old: Vec<_> = (0..5).map(|_| bus.publisher()).collect();
    for workers in [1, 3, 2, 1, 4] {
        let _ = bus.stop();
        assert!(old[0].report(census.value(0)).unwrap_err().is_stopped());
        bus.start_with(workers).unwrap();
        let mut readers: Vec<_> = (0..workers).map(|worker| on(&bus, worker)).collect();
        old[0].report(census.value(1)).unwrap();
        old[1].try_report(census.value(2)).unwrap();
        old[2].report_timeout(census.value(3), LONG).unwrap();
        let mut batch = (4..44).map(|n| census.value(n));
        assert_eq!(old[3].report_batch(&mut batch).unwrap(), 40);
        let mut batch = (44..50).map(|n| census.value(n));
        assert_eq!(old[4].try_report_batch(&mut batch), 6);
        for reader in &mut readers {
            assert!(numbers(reader).into_iter().eq(1..50), "{workers} workers");
        }
        old.rotate_left(1);
    }
    drop((bus, old));
    census.expect_all_dropped();
}

#[test]
fn a_restart_by_the_iterator_of_a_batch_sends_what_was_gathered_to_the_new_workers() {
    for workers in [1, 2] {
        let census = Census::default();
        let bus = builder(256)
            .drive(Drive::Manual)
            .workers(workers)
            .build()
            .unwrap();
        let mut old = bus.subscribe().unwrap();
        let mut fresh = Vec::new();
        let mut publisher = bus.publisher();
        let mut events = (0..150).map(|n| {
            if n == 140 {
                assert!(numbers(&mut old).into_iter().eq(0..128));
                assert!(bus.stop().is_clean());
                bus.start().unwrap();
                fresh.extend((0..workers).map(|worker| on(&bus, worker)));
            }
            census.value(n)
        });
        assert_eq!(publisher.report_batch(&mut events).unwrap(), 150);
        drop(events);
        assert!(old.try_recv().unwrap_err().is_closed());
        for reader in &mut fresh {
            assert!(numbers(reader).into_iter().eq(128..150));
        }
        drop((bus, publisher, old, fresh));
        census.expect_all_dropped();
    }
}

#[test]
fn what_a_publisher_carries_comes_first_in_the_new_ring_or_comes_back() {
    for restarted in [true, false] {
        let census = Census::default();
        let bus = builder(64).drive(Drive::Manual).build().unwrap();
        let mut reader = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        // Somebody else takes the room for which these are gathered.
        let mut events = (0..10).map(|n| {
            while n == 0 && bus.try_report(census.value(99)).is_ok() {}
            census.value(n)
        });
        assert_eq!(publisher.try_report_batch(&mut events), 0);
        drop(events);
        assert_eq!(publisher.carried(), 10);
        assert_eq!(numbers(&mut reader), [99; 64]);
        assert!(bus.stop().is_clean());
        let mut more = (10..20).map(|n| census.value(n));
        if restarted {
            bus.start().unwrap();
            let mut fresh = bus.subscribe().unwrap();
            assert_eq!(publisher.report_batch(&mut more).unwrap(), 20);
            assert!(numbers(&mut fresh).into_iter().eq(0..20));
        } else {
            let refused = publisher.report_batch(&mut more).unwrap_err();
            assert!(refused.is_stopped() && refused.accepted == 0);
            let back = refused.into_events().chain(more);
            assert!(back.map(|event| event.number()).eq(0..20));
        }
        assert_eq!(publisher.carried(), 0);
        drop((bus, publisher, reader));
        census.expect_all_dropped();
    }
}

#[test]
fn every_run_has_an_unbroken_piece_of_what_was_accepted() {
    const RUNS: u64 = 30;
    let census = Census::default();
    let bus = builder(1024).workers(2).build().unwrap();
    let (over, accepted) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let (mut publisher, census) = (bus.publisher(), &census);
        let (over, accepted) = (&over, &accepted);
        scope.spawn(move || {
            let mut next = 0;
            while !over.load(Ordering::Relaxed) {
                // What a stop refuses is reported again; with room awaited nobody is dropped.
                match publisher.report_timeout(census.value(next), LONG) {
                    Ok(()) => next += 1,
                    Err(refused) => {
                        assert!(refused.is_stopped());
                        assert_eq!(refused.into_inner().number(), next);
                        thread::yield_now();
                    }
                }
                accepted.store(next, Ordering::Relaxed);
            }
        });
        let _ends = SetOnDrop(over);
        let mut before = 0;
        for _ in 0..RUNS {
            let mut reader = bus.subscribe().unwrap();
            let first = reader.recv_timeout(LONG).unwrap().number();
            assert!(first >= before, "{first} was accepted before");
            before = first;
            let reading = scope.spawn(move || {
                let mut next = first + 1;
                while let Ok(event) = reader.recv() {
                    assert_eq!(event.number(), next);
                    next += 1;
                }
                next
            });
            let enough = accepted.load(Ordering::Relaxed) + 20;
            common::until("some more", || accepted.load(Ordering::Relaxed) > enough);
            assert!(bus.stop_timeout(LONG).is_clean());
            before = before.max(reading.join().unwrap());
            bus.start().unwrap();
        }
    });
    drop(bus);
    census.expect_all_dropped();
}

#[test]
fn an_old_publishers_room_is_that_of_the_new_workers() {
    let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
    let mut old = bus.publisher();
    let _ = bus.stop();
    assert_eq!(old.free(), 0, "nothing fits into a stopped bus");
    bus.start().unwrap();
    let _full = bus.subscribe().unwrap();
    while bus.try_report(1).is_ok() {}
    assert_eq!(old.free(), 0, "a lower bound");
    assert!(old.try_report(2).unwrap_err().is_full());
}

#[test]
fn a_publisher_knows_whether_the_bus_takes_events() {
    for workers in [1, 2] {
        let builder = builder::<u64>(64).drive(Drive::Manual).workers(workers);
        let bus = builder.build().unwrap();
        let mut publisher = bus.publisher();
        assert!(!publisher.is_stopped());
        let stopped = bus.stop();
        assert!(stopped.is_clean() && publisher.is_stopped());
        assert_eq!(publisher.try_report_batch(&mut (0..9)), 0);
        bus.start().unwrap();
        assert!(!publisher.is_stopped() && publisher.free() == 64);
        bus.close();
        assert!(publisher.is_stopped());
    }
}
