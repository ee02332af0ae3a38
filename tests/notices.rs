//! A notice callback that panics every time: each drop is told and counted all the same, and the workers go on.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, builder, until};
use ringbus::{
    Bus, BusBuilder, Drive, EvictionReason, HandlerEnd, SubscribeOptions, Subscriber, SubscriberId,
    WaitStrategy,
};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

type Told = Arc<Mutex<Vec<(SubscriberId, EvictionReason)>>>;

fn panicking(workers: usize) -> (BusBuilder<u64>, Told) {
    let told = Told::default();
    let noted = told.clone();
    let builder = builder(64).workers(workers).on_evict(move |notice| {
        let entry = (notice.subscriber, notice.eviction.reason);
        noted.lock().unwrap().push(entry);
        panic!("in a notice");
    });
    (builder, told)
}

fn panics(bus: &Bus<u64>) -> u64 {
    bus.stats().workers.iter().map(|w| w.notice_panics).sum()
}

fn sorted(told: &Told) -> Vec<(SubscriberId, EvictionReason)> {
    let mut told = told.lock().unwrap().clone();
    told.sort_by_key(|(id, _)| *id);
    told
}

#[test]
fn of_several_in_one_turn_every_one_is_told() {
    let (builder, told) = panicking(2);
    let bus = builder.drive(Drive::Manual).build().unwrap();
    let stuck: Vec<_> = (0..6).map(|_| bus.subscribe().unwrap()).collect();
    let expected = |reason| stuck.iter().map(|s| (s.id(), reason)).collect::<Vec<_>>();
    for subscriber in &stuck {
        assert!(bus.unsubscribe(subscriber.id()));
    }
    assert_eq!(bus.turn().notices, 6);
    assert_eq!(sorted(&told), expected(EvictionReason::Unsubscribed));
    assert_eq!(panics(&bus), 6);
    assert_eq!(bus.turn().notices, 0);
}

#[test]
fn the_workers_threads_outlive_it_and_wake_sleepers() {
    let (builder, told) = panicking(2);
    // Naps so long that only the workers' threads can end one.
    let bus = builder.max_nap(LONG * 10).build().unwrap();
    let readers: Vec<_> = (0..2)
        .map(|worker| {
            let options = SubscribeOptions::new().worker(worker);
            let options = options.wait(WaitStrategy::Park);
            let mut subscriber = bus.subscribe_with(options).unwrap();
            thread::spawn(move || {
                let mut next = 0;
                while let Ok(n) = subscriber.recv() {
                    assert_eq!(*n, next);
                    next += 1;
                }
                next
            })
        })
        .collect();
    let mut publisher = bus.publisher();
    for n in 0..20 {
        let passing = bus.subscribe().unwrap();
        assert!(bus.unsubscribe(passing.id()));
        until("told", || told.lock().unwrap().len() > n);
        publisher.report_timeout(n as u64, LONG).unwrap();
    }
    until("counted", || panics(&bus) == 20);
    assert!(bus.stop_timeout(LONG).is_clean());
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 20);
    }
    assert_eq!(told.lock().unwrap().len(), 20);
}

#[test]
fn it_comes_out_of_no_stop_and_of_no_rejoin() {
    for drive in [Drive::Manual, Drive::Threads] {
        let (builder, told) = panicking(2);
        let bus = builder.drive(drive).build().unwrap();
        let stuck = [0, 1].map(|_| bus.subscribe().unwrap());
        let mut rejoins = bus.subscribe().unwrap();
        let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
        assert!(bus.unsubscribe(rejoins.id()));
        rejoins.rejoin().unwrap();
        bus.report(7).unwrap();
        assert_eq!(*rejoins.recv().unwrap(), 7);
        rejoins.release();
        // The deadline is short: only those who are stuck are to run into it.
        until("handled", || {
            if drive == Drive::Manual && bus.wants_turn() {
                bus.turn(); // it may sleep
            }
            bus.lag_of(guard.id()) == Some(0)
        });
        let report = bus.stop_timeout(Duration::from_millis(50));
        assert_eq!(report.undrained.len(), 2);
        assert_eq!(guard.join(), HandlerEnd::Closed);
        // In the threads' last turns, or in the stop's own.
        until("all told", || told.lock().unwrap().len() == 1);
        assert_eq!(
            sorted(&told),
            [(rejoins.id(), EvictionReason::Unsubscribed)]
        );
        assert_eq!(stuck.each_ref().map(Subscriber::eviction), [None; 2]);
        bus.start().unwrap();
        bus.report(8).unwrap();
    }
}
