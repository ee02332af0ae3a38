//! [C6 join] The registry, where several join, leave and tell at once.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, OnLap, SubscribeOptions, Subscriber, TryRecvError};
use std::sync::atomic::{AtomicUsize, Ordering};

type Event = Arc<u32>;

fn bus(capacity: usize) -> Bus<Event> {
    Bus::builder().capacity(capacity).build().unwrap()
}

fn join(bus: &Bus<Event>) -> Subscriber<Event> {
    bus.subscribe_with(SubscribeOptions::new().window(1))
        .unwrap()
}

/// Of two that join at the same time, and one that leaves, the list forgets none and keeps none.
///
/// Fails without: the exchange of the list in `Snapshot::update` (a store instead: somebody is written over unseen).
#[test]
fn two_joiners_are_both_listed() {
    loom::model(|| {
        let bus = bus(4);
        let leaver = join(&bus);
        let other = bus.clone();
        let joining = thread::spawn(move || join(&other));
        drop(leaver);
        let mut one = join(&bus);
        let mut two = joining.join().unwrap();
        bus.turn();
        assert_eq!(bus.stats().subscribers.len(), 2);
        // Both gate the publisher.
        for n in 0..4 {
            bus.try_report(Arc::new(n)).unwrap();
        }
        assert!(bus.try_report(Arc::new(4)).is_err());
        for reader in [&mut one, &mut two] {
            assert_eq!(**reader.try_recv().unwrap(), 0);
        }
    });
}

/// A report that follows a join is for the joiner, whatever others do with the count of listeners meanwhile.
///
/// Fails without: `listen` before the join is over (the report is dropped: nobody seems to listen).
#[test]
fn what_is_reported_after_a_join_is_heard() {
    loom::model(|| {
        let bus = bus(4);
        let leaver = join(&bus);
        let leaving = thread::spawn(move || drop(leaver));
        let other = bus.clone();
        let joining = thread::spawn(move || {
            let mut reader = join(&other);
            other.report(Arc::new(7)).unwrap();
            assert_eq!(**reader.try_recv().unwrap(), 7);
        });
        leaving.join().unwrap();
        joining.join().unwrap();
    });
}

/// A drop is told once, by the subscriber that rejoins or by a turn, and the drop of its next life is told again.
///
/// Fails without: the exchange in `Member::tell` (told twice); the notice armed with Release, after the rejoin, and read with
/// Acquire, before the cursor (a drop of the life before is told as one of this).
#[test]
fn a_drop_is_told_once() {
    loom::model(|| {
        // Not loom's: it must lend the code under test no order, and is read after all threads.
        let told = std::sync::Arc::new(AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&told);
        let bus: Bus<Event> = Bus::builder()
            .capacity(2)
            .on_evict(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            })
            .build()
            .unwrap();
        let options = SubscribeOptions::new().window(1).on_lap(OnLap::Rejoin);
        let mut reader = bus.subscribe_with(options).unwrap();
        for n in 0..3 {
            bus.report(Arc::new(n)).unwrap();
        }
        let other = bus.clone();
        let turning = thread::spawn(move || {
            other.turn();
        });
        assert!(matches!(reader.try_recv(), Err(TryRecvError::Lagged(_))));
        turning.join().unwrap();
        bus.turn();
        assert_eq!(told.load(Ordering::Relaxed), 1);
        for n in 3..6 {
            bus.report(Arc::new(n)).unwrap();
        }
        bus.turn();
        assert_eq!(told.load(Ordering::Relaxed), 2);
    });
}
