//! Statistics while subscribers join, leave and are dropped: what they count adds up. And how far one is behind after it was dropped.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, SetOnDrop, builder, until};
use ringbus::{
    Bus, BusStats, Drive, EvictionReason, OnLap, SubscribeOptions, Subscriber, SubscriberState,
    TryRecvError,
};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

type PerReason = [u64; EvictionReason::COUNT];

fn all_evicted(stats: &BusStats) -> PerReason {
    EvictionReason::ALL.map(|reason| stats.workers.iter().map(|w| w.evicted_for(reason)).sum())
}

/// What holds of statistics at any time, and of two of them, one after the other.
fn expect_consistent(before: &BusStats, after: &BusStats) {
    let ids: HashSet<_> = after.subscribers.iter().map(|s| s.id).collect();
    assert_eq!(ids.len(), after.subscribers.len(), "twice in one look");
    for (worker, (old, new)) in before.workers.iter().zip(&after.workers).enumerate() {
        let active = after.subscribers.iter().filter(|s| {
            let active = matches!(s.state, SubscriberState::Active | SubscriberState::Idle);
            s.worker == worker && active
        });
        assert_eq!(active.count(), new.subscribers);
        assert!(
            new.evicted
                .iter()
                .zip(&old.evicted)
                .all(|(new, old)| new >= old)
        );
        assert!(new.pinned_slots <= new.capacity as u64 / 4);
        assert!(new.holes >= old.holes && new.wakes >= old.wakes);
    }
}

/// Reads on until it is told of its end; `None` if nothing more is there.
fn end_of(subscriber: &mut Subscriber<u64>) -> Option<EvictionReason> {
    loop {
        match subscriber.try_recv() {
            Ok(_) => {}
            Err(TryRecvError::Evicted(eviction)) => return Some(eviction.reason),
            Err(TryRecvError::Empty) => return None,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Joins, lets itself be lapped or is unsubscribed, comes back, and goes, so often. What it was dropped for.
fn come_and_go(bus: &Bus<u64>, reported: &AtomicU64, turns: u64) -> (u64, PerReason) {
    let (mut joined, mut dropped) = (0, PerReason::default());
    for turn in 0..turns {
        let mut subscriber = bus.subscribe().unwrap();
        joined += 1;
        for again in 0..3 {
            let reason = if (turn + again) % 2 == 0 {
                bus.unsubscribe(subscriber.id());
                end_of(&mut subscriber).unwrap()
            } else {
                let enough = reported.load(Ordering::Relaxed) + 100;
                until("lapped", || {
                    reported.load(Ordering::Relaxed) > enough && subscriber.eviction().is_some()
                });
                end_of(&mut subscriber).unwrap()
            };
            dropped[reason as usize] += 1;
            if again < 2 {
                subscriber.rejoin().unwrap();
            }
        }
    }
    (joined, dropped)
}

#[test]
fn in_full_churn_every_drop_is_counted_and_told_once_for_its_reason() {
    const THREADS: usize = 3;
    const PANICS: u64 = 10;
    let told = Arc::new(Mutex::new(PerReason::default()));
    let noted = told.clone();
    let builder = builder::<u64>(64).workers(2);
    let builder = builder.on_evict(move |notice| {
        noted.lock().unwrap()[notice.eviction.reason as usize] += 1;
    });
    let bus = builder.build().unwrap();
    let (over, reported) = (AtomicBool::new(false), AtomicU64::new(0));
    let expected = thread::scope(|scope| {
        let _ends = SetOnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                bus.report(0).unwrap();
                reported.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
            }
        });
        scope.spawn(|| {
            let mut before = bus.stats();
            while !over.load(Ordering::Relaxed) {
                let after = bus.stats();
                expect_consistent(&before, &after);
                before = after;
                thread::yield_now();
            }
        });
        let churn = || come_and_go(&bus, &reported, 15);
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(churn)).collect();
        for _ in 0..PANICS {
            let guard = bus.handle(SubscribeOptions::new(), |_| panic!("as told"));
            guard.unwrap().join();
        }
        let mut expected = PerReason::default();
        let mut joined = 0;
        for thread in threads {
            let (theirs, dropped) = thread.join().unwrap();
            joined += theirs;
            expected
                .iter_mut()
                .zip(dropped)
                .for_each(|(sum, n)| *sum += n);
        }
        // Three lives each.
        assert_eq!(expected.iter().sum::<u64>(), 3 * joined);
        // A handler may be lapped before it comes to its first event, or in the middle of it.
        let handlers = expected[EvictionReason::Panicked as usize];
        assert_eq!(handlers, 0);
        expected
    });
    until("all are told and gone", || {
        bus.stats().subscribers.is_empty()
    });
    let mut counted = all_evicted(&bus.stats());
    assert_eq!(counted, *told.lock().unwrap(), "told and counted differ");
    let lapped = EvictionReason::Lapped as usize;
    let of_handlers =
        counted[EvictionReason::Panicked as usize] + counted[lapped] - expected[lapped];
    assert_eq!(of_handlers, PANICS);
    counted[lapped] = expected[lapped];
    counted[EvictionReason::Panicked as usize] = 0;
    assert_eq!(counted, expected);
    assert!(expected[lapped] > 0 && expected[EvictionReason::Unsubscribed as usize] > 0);
    assert!(bus.stats().workers.iter().all(|w| w.pinned_slots == 0));
}

#[test]
fn who_joined_has_left_or_is_there() {
    let bus = builder::<u64>(256).workers(2).build().unwrap();
    let joined = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let stay: Vec<Subscriber<u64>> = thread::scope(|scope| {
        let _ends = SetOnDrop(&over);
        scope.spawn(|| {
            // Drops nobody: who leaves, leaves by itself.
            while !over.load(Ordering::Relaxed) {
                let _ = bus.try_report(0);
                thread::yield_now();
            }
        });
        let churn = || {
            let mut stay = Vec::new();
            for n in 0..60 {
                let options = SubscribeOptions::new().window(1);
                let mut subscriber = bus.subscribe_with(options).unwrap();
                joined.fetch_add(1, Ordering::Relaxed);
                let _ = subscriber.try_recv();
                let state = bus.stats().subscribers;
                let own = state.iter().filter(|s| s.id == subscriber.id());
                assert_eq!(own.count(), 1);
                let id = subscriber.id();
                if n % 6 == 0 {
                    stay.push(subscriber);
                } else {
                    drop(subscriber);
                    assert_eq!(bus.lag_of(id), None);
                }
            }
            stay
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(churn)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let stats = bus.stats();
    assert_eq!((joined.load(Ordering::Relaxed), stay.len()), (180, 30));
    let present: HashSet<_> = stats.subscribers.iter().map(|s| s.id).collect();
    assert_eq!(present, stay.iter().map(|s| s.id()).collect());
    assert_eq!(
        stats.workers.iter().map(|w| w.subscribers).sum::<usize>(),
        30
    );
    assert_eq!(all_evicted(&stats), PerReason::default());
    let mut seats: Vec<_> = stay.iter().map(|s| s.worker()).collect();
    seats.sort_unstable();
    for worker in &stats.workers {
        let theirs = seats.iter().filter(|seat| **seat == worker.id).count();
        assert_eq!(theirs, worker.subscribers);
    }
    drop(stay);
    assert!(bus.stats().subscribers.is_empty());
    assert!(bus.stop_timeout(LONG).is_clean());
}

// How far one is behind, that was dropped.

#[test]
fn after_an_eviction_the_lag_goes_on_from_where_it_was_until_it_rejoins() {
    for on_lap in [OnLap::Evict, OnLap::Rejoin] {
        let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
        let options = SubscribeOptions::new().on_lap(on_lap);
        let mut slow = bus.subscribe_with(options).unwrap();
        let id = slow.id();
        let fill = |n: u64| (0..n).for_each(|n| bus.report(n).unwrap());
        fill(20);
        assert_eq!(*slow.try_recv().unwrap(), 0);
        assert_eq!(slow.lag(), 19);
        fill(80);
        // Dropped, and not told yet: it reads on in its window, and the lag is its own.
        let eviction = slow.eviction().unwrap();
        assert_eq!(
            (eviction.reason, eviction.sequence),
            (EvictionReason::Lapped, 0)
        );
        let tail = bus.stats().workers[0].published + bus.stats().workers[0].holes;
        assert_eq!((eviction.lag, slow.lag()), (tail, tail - 1));
        assert_eq!(bus.lag_of(id), Some(tail));
        let mut read = 1;
        let missed = loop {
            match slow.try_recv() {
                Ok(event) => assert_eq!(*event, read),
                Err(TryRecvError::Evicted(eviction)) => {
                    assert_eq!(eviction.sequence, read);
                    assert_eq!(eviction.lag, tail - read);
                    assert_eq!(slow.lag(), eviction.lag);
                    fill(5);
                    assert_eq!(slow.lag(), eviction.lag + 5, "it goes on");
                    assert_eq!(slow.eviction(), Some(eviction), "that moment's");
                    assert!(bus.lag_of(id) >= Some(slow.lag()));
                    break slow.rejoin().unwrap() - 5;
                }
                Err(TryRecvError::Lagged(missed)) => break missed,
                Err(other) => panic!("{other}"),
            }
            read += 1;
        };
        assert_eq!(missed, tail - read);
        assert_eq!((slow.lag(), bus.lag_of(id)), (0, Some(0)));
        assert_eq!(slow.eviction(), None);
        fill(1);
        assert_eq!((slow.lag(), bus.lag_of(id)), (1, Some(1)));
        drop(slow);
        assert_eq!(bus.lag_of(id), None);
    }
}
