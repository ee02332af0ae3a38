//! Starting, stopping, closing, placing.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, LONG, SetOnDrop, builder, manual, threaded, until};
use ringbus::affinity::cores;
use ringbus::{
    BuildError, Bus, Drive, OnLap, Pinning, SlotLayout, SubscribeError, SubscribeOptions,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

// Starting and stopping.

#[test]
fn after_a_stop_every_way_to_report_gives_the_event_back() {
    let bus = manual::<String>(64);
    let mut publisher = bus.publisher();
    let mut late = bus.publisher();
    let _ = bus.stop();
    let event = || "back".to_owned();
    assert_eq!(bus.report(event()).unwrap_err().into_inner(), "back");
    assert!(bus.report(event()).unwrap_err().is_stopped());
    let refused = bus.try_report(event()).unwrap_err();
    assert!(refused.is_stopped() && !refused.is_full());
    assert_eq!(refused.into_inner(), "back");
    assert!(publisher.report(event()).unwrap_err().is_stopped());
    assert!(publisher.try_report(event()).unwrap_err().is_stopped());
    let refused = publisher.report_timeout(event(), LONG).unwrap_err();
    assert_eq!(refused.into_inner(), "back");
    let refused = publisher.report_recycling(event()).unwrap_err();
    assert_eq!(refused.into_inner(), "back");

    let mut numbers = (0..100).map(|n| n.to_string());
    let refused = publisher.report_batch(&mut numbers).unwrap_err();
    assert!(refused.is_stopped());
    assert_eq!(refused.accepted, 0);
    let back: Vec<String> = refused.into_events().chain(numbers).collect();
    assert!(
        back.iter()
            .map(String::as_str)
            .eq((0..100).map(|n| n.to_string()).collect::<Vec<_>>())
    );
    let mut numbers = (0..100).map(|n| n.to_string());
    assert_eq!(late.try_report_batch(&mut numbers), 0);
    assert_eq!(numbers.len() + late.carried(), 100);
    assert_eq!(late.carried(), 0, "nothing is taken that has nowhere to go");
}

#[test]
fn a_stopped_bus_has_nobody_and_nothing() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let _ = bus.stop();
    assert!(bus.subscribe().unwrap_err().is_stopped());
    let handler = bus.handle(SubscribeOptions::new(), |_| {});
    assert!(handler.unwrap_err().is_stopped());
    assert!(!bus.unsubscribe(subscriber.id()));
    assert_eq!(bus.lag_of(subscriber.id()), None);
    assert!(bus.stats().workers.is_empty() && bus.stats().subscribers.is_empty());
    assert!(!bus.turn().did_something());
    assert!(subscriber.recv().unwrap_err().is_closed());
    assert!(subscriber.rejoin().unwrap_err().is_stopped());
    assert!(bus.stop().is_clean(), "again");
}

#[test]
fn a_bus_starts_again_with_fresh_workers_and_old_publishers_find_them() {
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = builder::<u64>(64).drive(drive).build().unwrap();
        let mut publisher = bus.publisher();
        let mut old = bus.subscribe().unwrap();
        publisher.report(1).unwrap();
        assert_eq!(old.drain(9, |n| assert_eq!(*n, 1)).unwrap(), 1);
        old.release();
        assert!(bus.stop().is_clean());
        bus.start().unwrap();
        let mut fresh = bus.subscribe().unwrap();
        assert_ne!(old.id(), fresh.id());
        publisher.report(2).unwrap();
        assert_eq!(publisher.report_batch(&mut (3..=40)).unwrap(), 38);
        assert!(old.recv().unwrap_err().is_closed());
        for n in 2..=40 {
            assert_eq!(*fresh.recv().unwrap(), n);
        }
        assert_eq!(bus.stats().workers[0].published, 39, "counted anew");
    }
}

#[test]
fn an_old_publisher_tries_the_new_workers_with_every_method() {
    let bus = manual::<u64>(64);
    let mut old = bus.publisher();
    for round in 0..5 {
        let _ = bus.stop();
        bus.start().unwrap();
        let mut fresh = bus.subscribe().unwrap();
        match round {
            0 => old.try_report(7).unwrap(),
            1 => old.report_timeout(7, LONG).unwrap(),
            2 => drop(old.report_recycling(7).unwrap()),
            3 => assert_eq!(old.try_report_batch(&mut (7..8)), 1),
            _ => assert_eq!(old.report_batch(&mut (7..8)).unwrap(), 1),
        }
        assert_eq!(*fresh.recv().unwrap(), 7);
    }
}

#[test]
fn starting_what_runs_does_nothing() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    bus.start().unwrap();
    bus.start_with(1).unwrap();
    bus.report(1).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 1);
    assert_eq!(
        bus.start_with(2),
        Err(BuildError::NeedsClone { workers: 2 })
    );
    let bus = builder::<u64>(64)
        .drive(Drive::Manual)
        .workers(2)
        .build()
        .unwrap();
    assert_eq!(bus.start_with(3), Err(BuildError::Running { workers: 2 }));
    assert_eq!(bus.start_with(0), Err(BuildError::NoWorkers));
    let _ = bus.stop();
    bus.start_with(3).unwrap();
    assert_eq!(bus.stats().workers.len(), 3);
    let _ = bus.stop();
    bus.start().unwrap();
    assert_eq!(bus.stats().workers.len(), 2);
}

#[test]
fn a_stop_lets_everyone_drain() {
    let bus = builder::<u64>(1024).workers(2).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut subscriber = bus.subscribe().unwrap();
            scope.spawn(move || {
                let sum: u64 = subscriber.iter().map(|event| event.unwrap()).sum();
                assert_eq!(sum, 500 * 501 / 2);
            });
        }
        for n in 1..=500 {
            bus.report(n).unwrap();
        }
        let report = bus.stop_timeout(LONG);
        assert!(report.is_clean(), "{report:?}");
    });
}

#[test]
fn a_shutdowns_last_event_reaches_everyone() {
    let bus = builder::<u64>(64).workers(2).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            let mut subscriber = bus.subscribe().unwrap();
            scope.spawn(move || {
                let events: Vec<u64> = subscriber.iter().map(|event| event.unwrap()).collect();
                assert_eq!(events, [1, 2, 99]);
            });
        }
        bus.report(1).unwrap();
        bus.report(2).unwrap();
        let report = bus.shutdown(99);
        assert!(report.last_accepted && report.is_clean(), "{report:?}");
    });
    assert!(!bus.shutdown(100).last_accepted);
}

#[test]
fn a_stop_tells_who_had_drained_and_who_had_not() {
    let bus = manual::<u64>(64);
    let named = |name: &str| {
        bus.subscribe_with(SubscribeOptions::new().name(name))
            .unwrap()
    };
    let mut done = named("done");
    let mut stuck = named("stuck");
    let dropped = named("dropped");
    let left = named("left");
    bus.report(1).unwrap();
    bus.report(2).unwrap();
    assert_eq!(done.drain(9, |_| {}).unwrap(), 2);
    bus.unsubscribe(dropped.id());
    drop(left);
    let report = bus.stop_timeout(Duration::ZERO);
    let names = |list: &[ringbus::Stopped]| {
        list.iter()
            .map(|s| s.name.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&report.drained), ["done"]);
    assert_eq!(names(&report.undrained), ["stuck"]);
    let undrained = &report.undrained[0];
    assert_eq!((undrained.id, undrained.lag), (stuck.id(), 2));
    assert!(!undrained.within_window && undrained.lost == 0);
    assert_eq!(report.lost(), 0);
    assert!(report.running.is_empty() && !report.is_clean());
    assert_eq!(report.stats.workers[0].published, 2);
    assert!(done.recv().unwrap_err().is_closed());
    // It reads on to the end.
    assert_eq!(stuck.drain(9, |_| {}).unwrap(), 2);
    assert!(stuck.recv().unwrap_err().is_closed());
}

#[test]
fn stopping_and_starting_while_others_report_loses_no_value() {
    let census = Census::default();
    let bus = threaded(64);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut publisher = bus.publisher();
            let (census, over) = (&census, &over);
            scope.spawn(move || {
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    match publisher.report(census.value(n)) {
                        Ok(()) => {}
                        Err(refused) => {
                            assert!(refused.is_stopped());
                            assert_eq!(refused.into_inner().number(), n);
                            thread::yield_now();
                        }
                    }
                }
            });
        }
        let _stops = SetOnDrop(&over);
        for _ in 0..30 {
            let mut subscriber = bus.subscribe().unwrap();
            for _ in 0..10 {
                // It may be lapped at any time.
                if subscriber.recv().map(|event| event.number()).is_err() {
                    subscriber.rejoin().unwrap();
                }
            }
            drop(subscriber);
            assert!(bus.stop().is_clean());
            bus.start().unwrap();
        }
    });
    drop(bus);
    census.expect_all_dropped();
}

#[test]
fn stops_at_the_same_time_all_return() {
    let bus = threaded::<u64>(64);
    let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
    bus.report(1).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| bus.stop());
        }
    });
    assert_eq!(guard.join(), ringbus::HandlerEnd::Closed);
}

// Closing.

#[test]
fn dropping_the_last_handle_and_the_last_publisher_closes() {
    let bus = threaded::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    let clone = bus.clone();
    drop(bus);
    clone.report(1).unwrap();
    drop(clone);
    publisher.report(2).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 1);
    let last = publisher.clone();
    drop(publisher);
    assert_eq!(*subscriber.recv().unwrap(), 2);
    assert!(subscriber.try_recv().unwrap_err().is_empty());
    drop(last);
    assert!(subscriber.recv().unwrap_err().is_closed());
}

#[test]
fn a_closed_bus_takes_no_subscribers_and_stops_at_once() {
    let bus = threaded::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    bus.report(1).unwrap();
    bus.close();
    bus.close();
    assert!(bus.subscribe().unwrap_err().is_stopped());
    bus.start().unwrap(); // documented: nothing before a stop
    assert!(bus.report(2).unwrap_err().is_stopped());
    assert_eq!(*subscriber.recv().unwrap(), 1);
    assert!(subscriber.recv().unwrap_err().is_closed());
    assert!(bus.stop().is_clean());
    bus.start().unwrap();
    bus.report(3).unwrap();
}

#[test]
fn an_exclusive_publisher_ends_the_stream_in_four_ways() {
    for way in 0..4 {
        let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        publisher.report(1).unwrap();
        publisher.report_batch(&mut (2..=9)).unwrap();
        let reader = thread::spawn(move || {
            let events: Vec<u64> = subscriber.iter().map(|event| event.unwrap()).collect();
            let closed = subscriber.try_recv().unwrap_err().is_closed();
            (events, closed)
        });
        match way {
            0 => drop(publisher),
            1 => publisher.close(),
            2 => assert!(publisher.stop().is_clean()),
            _ => assert!(publisher.shutdown(10).is_clean()),
        }
        let last = if way == 3 { 10 } else { 9 };
        let (events, closed) = reader.join().unwrap();
        assert!(closed && events.into_iter().eq(1..=last));
        assert!(bus.subscribe().unwrap_err().is_stopped());
    }
}

#[test]
fn an_exclusive_bus_does_not_end_with_its_handle() {
    let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    publisher.report(0).unwrap(); // nobody listens
    let mut subscriber = bus.subscribe().unwrap();
    drop(bus);
    publisher.report(1).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 1);
    assert!(subscriber.try_recv().unwrap_err().is_empty());
}

// Placing.

#[test]
fn a_subscriber_goes_where_the_fewest_are_and_the_first_wins_a_tie() {
    let bus = builder::<u64>(64)
        .workers(3)
        .drive(Drive::Manual)
        .build()
        .unwrap();
    let placed = || bus.subscribe().unwrap();
    let mut there: Vec<_> = (0..5).map(|_| placed()).collect();
    assert!(there.iter().map(|s| s.worker()).eq([0, 1, 2, 0, 1]));
    drop(there.remove(1)); // leaves worker 1 with one
    let chosen = bus
        .subscribe_with(SubscribeOptions::new().worker(2))
        .unwrap();
    assert_eq!(chosen.worker(), 2);
    assert_eq!(placed().worker(), 1);
    bus.unsubscribe(there[0].id()); // not dropped yet, and counts no more
    assert_eq!(placed().worker(), 0);
    let wrong = bus
        .subscribe_with(SubscribeOptions::new().worker(3))
        .unwrap_err();
    assert_eq!(
        wrong,
        SubscribeError::NoSuchWorker {
            worker: 3,
            workers: 3
        }
    );
}

#[test]
fn subscribers_that_come_at_once_are_spread_evenly() {
    const THREADS: usize = 8;
    let bus = builder::<u64>(256)
        .workers(4)
        .drive(Drive::Manual)
        .build()
        .unwrap();
    let barrier = Barrier::new(THREADS);
    let subscribe = || {
        barrier.wait();
        let options = || SubscribeOptions::new().window(1);
        (0..8)
            .map(|_| bus.subscribe_with(options()).unwrap())
            .collect::<Vec<_>>()
    };
    let subscribers: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(subscribe)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let stats = bus.stats();
    assert!(
        stats.workers.iter().all(|worker| worker.subscribers == 16),
        "{stats:?}"
    );
    let mut ids: Vec<_> = subscribers.iter().map(|s| s.id()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 64);
}

#[test]
fn a_ring_takes_as_many_subscribers_as_it_can_pin() {
    let bus = manual::<u64>(64);
    let narrow = || bus.subscribe_with(SubscribeOptions::new().window(1));
    let mut all: Vec<_> = (0..16).map(|_| narrow().unwrap()).collect();
    let full = narrow().unwrap_err();
    assert!(
        matches!(full, SubscribeError::Full { worker: 0, .. }),
        "{full:?}"
    );
    assert!(bus.subscribe().unwrap_err().is_full());
    drop(all.pop());
    all.push(bus.subscribe().unwrap());
    // One that was dropped for lag holds its place until it is gone.
    bus.unsubscribe(all[0].id());
    assert!(bus.subscribe().unwrap_err().is_full());
    all[0].try_recv().unwrap_err();
    bus.turn();
    drop(all.remove(0));
    bus.subscribe().unwrap();
}

#[test]
fn a_rejoin_that_fails_leaves_an_unsubscription_as_it_was() {
    let bus = manual::<u64>(64);
    let options = SubscribeOptions::new().on_lap(OnLap::Rejoin);
    let mut slow = bus.subscribe_with(options).unwrap();
    (0..65).for_each(|n| bus.report(n).unwrap()); // drops it; it would rejoin by itself
    assert!(bus.unsubscribe(slow.id()));
    bus.close();
    assert!(slow.rejoin().unwrap_err().is_stopped());
    assert!(!bus.unsubscribe(slow.id()), "it was unsubscribed before");
}

#[test]
fn windows_by_default_leave_room_for_many() {
    fn how_many<E: Send + Sync + 'static>(capacity: usize) -> (usize, usize) {
        let bus = manual::<E>(capacity);
        let all: Vec<_> = std::iter::from_fn(|| bus.subscribe().ok()).collect();
        (all.len(), all[0].window())
    }
    assert_eq!(how_many::<u64>(64), (15, 2));
    assert_eq!(how_many::<u64>(1024), (43, 32));
    assert_eq!(how_many::<u64>(8192), (65, 128));
    // 4 KiB of slots, but not less than 64 of them.
    assert_eq!(how_many::<[u64; 3]>(8192), (65, 128));
    assert_eq!(how_many::<[u64; 4]>(8192), (74, 64));
    assert_eq!(how_many::<[u64; 25]>(8192), (74, 64));
}

#[test]
fn joining_and_leaving_for_ever_needs_no_turn() {
    let bus = manual::<u64>(64);
    let mut keeping = bus.subscribe().unwrap();
    for n in 0..2_000 {
        let mut passing = bus.subscribe().unwrap();
        bus.report(n).unwrap();
        assert_eq!(*passing.recv().unwrap(), n);
        assert_eq!(*keeping.recv().unwrap(), n);
    }
    assert_eq!(bus.stats().subscribers.len(), 1);
}

// Building.

#[test]
fn what_cannot_be_built_is_an_error() {
    let error = |build: ringbus::BusBuilder<u64>| build.build().unwrap_err();
    assert_eq!(error(builder(64).workers(0)), BuildError::NoWorkers);
    assert!(matches!(
        error(builder(64).workers(1_000_000)),
        BuildError::TooManyWorkers {
            workers: 1_000_000,
            ..
        }
    ));
    for capacity in [usize::MAX, usize::MAX / 2, 1 << 62, 1 << 58] {
        for layout in [SlotLayout::InLine, SlotLayout::Dense] {
            let refused = error(builder(capacity).slots(layout));
            assert!(
                matches!(refused, BuildError::CapacityTooLarge { .. }),
                "{refused:?}"
            );
        }
    }
    let refused = error(builder(64).max_nap(Duration::ZERO));
    assert_eq!(refused, BuildError::ZeroDuration { option: "max_nap" });
    let refused = error(
        builder(64)
            .workers(2)
            .pinning(Pinning::Cores(vec![cores()[0]])),
    );
    assert_eq!(
        refused,
        BuildError::TooFewCores {
            cores: 1,
            workers: 2
        }
    );
    let refused = builder::<u64>(64).workers(2).build_exclusive().unwrap_err();
    assert_eq!(refused, BuildError::ExclusiveWorkers { workers: 2 });
    assert!(!error(builder(64).workers(0)).to_string().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_core_that_cannot_be_had_fails_the_build_and_one_that_can_is_told() {
    let wrong = cores().last().unwrap() + 5_000;
    let bus = builder::<u64>(64).workers(2);
    let refused = bus
        .pinning(Pinning::Cores(vec![cores()[0], wrong]))
        .build()
        .unwrap_err();
    assert!(matches!(refused, BuildError::Pin(_)), "{refused:?}");
    let bus = builder::<u64>(64)
        .pinning(Pinning::Cores(vec![cores()[0]]))
        .build()
        .unwrap();
    assert_eq!(bus.stats().workers[0].core, Some(cores()[0]));
}

#[test]
fn capacities_are_rounded_up() {
    for (asked, got) in [(1, 64), (64, 64), (65, 128), (1000, 1024)] {
        assert_eq!(manual::<u64>(asked).stats().workers[0].capacity, got);
    }
}

#[test]
fn the_threads_of_a_bus_end_with_it() {
    let told = AtomicUsize::new(0);
    let census = Census::default();
    for _ in 0..20 {
        let bus: Bus<common::Counted> = threaded(64);
        let _subscriber = bus.subscribe().unwrap();
        bus.report(census.value(told.fetch_add(1, Ordering::Relaxed) as u64))
            .unwrap();
    }
    // A worker's thread that went on would keep its ring, and what is in it.
    until("rings freed", || census.alive() == 0);
}
