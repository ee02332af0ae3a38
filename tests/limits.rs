//! Limits, notices and statistics: who is dropped for what, and who is told. Time is moved by hand.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{builder, until};
use ringbus::{
    Bus, Drive, EvictionNotice, EvictionReason, ManualClock, OnLap, SubscribeOptions, Subscriber,
    SubscriberState, TryRecvError,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Notices = Arc<Mutex<Vec<EvictionNotice>>>;

/// A bus whose time and whose turns are the test's, and what it was told.
fn watched() -> (Bus<u64>, ManualClock, Notices) {
    let (clock, notices) = (ManualClock::new(), Notices::default());
    let noted = notices.clone();
    let bus = builder(64)
        .drive(Drive::Manual)
        .clock(clock.clone())
        .on_evict(move |notice| noted.lock().unwrap().push(notice.clone()))
        .build()
        .unwrap();
    (bus, clock, notices)
}

fn reasons(notices: &Notices) -> Vec<EvictionReason> {
    notices
        .lock()
        .unwrap()
        .iter()
        .map(|notice| notice.eviction.reason)
        .collect()
}

fn fill(bus: &Bus<u64>, events: u64) {
    (0..events).for_each(|n| bus.report(n).unwrap());
}

/// What a subscriber that was dropped is told, after the few events that its window may still cover; and how many.
fn end(subscriber: &mut Subscriber<u64>) -> (u64, TryRecvError) {
    let mut read = 0;
    loop {
        match subscriber.try_recv() {
            Ok(_) => read += 1,
            Err(error) => return (read, error),
        }
    }
}

fn reason(subscriber: &mut Subscriber<u64>) -> EvictionReason {
    match end(subscriber) {
        (_, TryRecvError::Evicted(eviction)) => eviction.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_drop_is_told_once() {
    let (bus, _, notices) = watched();
    let mut stuck = bus
        .subscribe_with(SubscribeOptions::new().name("stuck"))
        .unwrap();
    fill(&bus, 100);
    assert!(reasons(&notices).is_empty(), "not before a turn");
    assert_eq!(bus.turn().notices, 1);
    stuck.try_recv().unwrap_err();
    assert_eq!(bus.turn().notices, 0);
    let id = stuck.id();
    drop(stuck);
    bus.turn();
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].subscriber, notices[0].worker), (id, 0));
    assert_eq!(notices[0].name.as_deref(), Some("stuck"));
    assert_eq!(notices[0].eviction.reason, EvictionReason::Lapped);
    assert_eq!(notices[0].panic_message, None);
}

#[test]
fn a_drop_is_told_though_its_subscriber_is_gone_before_a_turn() {
    let (bus, _, notices) = watched();
    let stuck = bus.subscribe().unwrap();
    fill(&bus, 100);
    drop(stuck);
    // A joiner clears the list of those who are gone, but for those who are still to be told of.
    drop(bus.subscribe().unwrap());
    bus.turn();
    bus.turn();
    assert_eq!(reasons(&notices), [EvictionReason::Lapped]);
    assert!(bus.stats().subscribers.is_empty());
}

#[test]
fn every_rejoin_for_lag_is_told() {
    for on_lap in [OnLap::Rejoin, OnLap::Evict] {
        let (bus, _, notices) = watched();
        let mut slow = bus
            .subscribe_with(SubscribeOptions::new().on_lap(on_lap))
            .unwrap();
        for _ in 0..5 {
            fill(&bus, 100);
            match slow.try_recv().unwrap_err() {
                TryRecvError::Lagged(missed) => assert!(missed >= 100),
                TryRecvError::Evicted(_) => assert!(slow.rejoin().unwrap() >= 100),
                other => panic!("{other}"),
            }
        }
        bus.turn();
        assert_eq!(reasons(&notices), [EvictionReason::Lapped; 5]);
        assert_eq!(
            bus.stats().workers[0].evicted_for(EvictionReason::Lapped),
            5
        );
    }
}

#[test]
fn leaving_of_ones_own_will_is_not_told() {
    let (bus, _, notices) = watched();
    drop(bus.subscribe().unwrap());
    let mut moving = bus.subscribe().unwrap();
    fill(&bus, 10);
    assert!(moving.rejoin().unwrap() >= 10);
    drop(bus.handle(SubscribeOptions::new(), |_| {}).unwrap());
    until("the handler is gone", || bus.stats().subscribers.len() == 1);
    drop(moving);
    bus.turn();
    assert!(reasons(&notices).is_empty());
}

#[test]
fn one_that_the_host_drops_is_told_once() {
    let (bus, _, notices) = watched();
    let mut subscriber = bus.subscribe().unwrap();
    assert!(bus.unsubscribe(subscriber.id()));
    assert!(!bus.unsubscribe(subscriber.id()));
    bus.turn();
    let Err(TryRecvError::Evicted(eviction)) = subscriber.try_recv() else {
        panic!()
    };
    assert_eq!(eviction.reason, EvictionReason::Unsubscribed);
    assert_eq!(subscriber.eviction(), Some(eviction));
    bus.turn();
    assert_eq!(reasons(&notices), [EvictionReason::Unsubscribed]);
    subscriber.rejoin().unwrap();
    assert_eq!(subscriber.eviction(), None);
    fill(&bus, 1);
    assert_eq!(*subscriber.try_recv().unwrap(), 0);
}

#[test]
fn the_lag_limit_drops_who_is_too_far_behind_for_too_long() {
    let (bus, clock, notices) = watched();
    let limited = SubscribeOptions::new().lag_limit(10, SECOND);
    let mut slow = bus.subscribe_with(limited.clone()).unwrap();
    let mut recovers = bus.subscribe_with(limited).unwrap();
    fill(&bus, 10);
    bus.turn();
    clock.advance(10 * SECOND);
    assert_eq!(bus.turn().evicted, 0, "not more than 10 behind");
    fill(&bus, 1);
    bus.turn();
    clock.advance(SECOND / 2);
    assert_eq!(bus.turn().evicted, 0, "not for long");
    recovers.drain(5, |_| {}).unwrap();
    recovers.release();
    bus.turn();
    clock.advance(SECOND);
    assert_eq!(bus.turn().evicted, 1);
    assert_eq!(reason(&mut slow), EvictionReason::Lagging);
    recovers.try_recv().unwrap();
    assert_eq!(reasons(&notices), [EvictionReason::Lagging]);
}

#[test]
fn the_stall_limit_drops_who_is_behind_and_does_not_move() {
    let (bus, clock, notices) = watched();
    let limited = SubscribeOptions::new().stall_limit(SECOND);
    let mut stuck = bus.subscribe_with(limited.clone()).unwrap();
    let mut moving = bus.subscribe_with(limited.clone()).unwrap();
    let mut idle = bus.subscribe_with(limited).unwrap();
    bus.turn();
    clock.advance(10 * SECOND);
    assert_eq!(bus.turn().evicted, 0, "nobody is behind");
    fill(&bus, 5);
    for _ in 0..5 {
        moving.try_recv().unwrap();
        moving.release();
        idle.drain(5, |_| {}).unwrap();
        idle.release();
        clock.advance(SECOND / 4);
        bus.turn();
    }
    assert_eq!(reason(&mut stuck), EvictionReason::Stalled);
    assert_eq!(reasons(&notices), [EvictionReason::Stalled]);
    assert!(moving.try_recv().unwrap_err().is_empty());
    assert!(idle.try_recv().unwrap_err().is_empty());
}

#[test]
fn one_that_rejoins_is_moved_by_a_soft_limit_too() {
    let (bus, clock, notices) = watched();
    let limited = SubscribeOptions::new()
        .on_lap(OnLap::Rejoin)
        .stall_limit(SECOND);
    let mut slow = bus.subscribe_with(limited).unwrap();
    for _ in 0..3 {
        fill(&bus, 5);
        bus.turn();
        clock.advance(2 * SECOND);
        bus.turn();
        let (read, told) = end(&mut slow);
        assert_eq!(told, TryRecvError::Lagged(5 - read));
        assert!(slow.try_recv().unwrap_err().is_empty());
    }
    bus.turn();
    assert_eq!(reasons(&notices), [EvictionReason::Stalled; 3]);
}

#[test]
fn a_notice_may_panic_and_use_the_bus() {
    let own: Arc<Mutex<Option<Bus<u64>>>> = Arc::default();
    let inner = own.clone();
    let bus = builder::<u64>(64)
        .drive(Drive::Manual)
        .on_evict(move |notice| {
            let bus = inner.lock().unwrap().clone().unwrap();
            bus.report(1_000).unwrap();
            assert_eq!(bus.lag_of(notice.subscriber), None);
            drop(bus.subscribe().unwrap());
            bus.turn();
            panic!("in a notice");
        })
        .build()
        .unwrap();
    *own.lock().unwrap() = Some(bus.clone());
    let mut reading = bus.subscribe().unwrap();
    let stuck = bus.subscribe().unwrap();
    for n in 0..100 {
        bus.report(n).unwrap();
        assert_eq!(*reading.try_recv().unwrap(), n);
    }
    drop(stuck);
    bus.turn();
    assert_eq!(*reading.try_recv().unwrap(), 1_000);
    assert_eq!(bus.stats().workers[0].notice_panics, 1);
    own.lock().unwrap().take();
}

#[test]
fn a_stop_drops_a_handler_at_its_deadline_and_tells() {
    let (bus, _, notices) = watched();
    let subscriber = bus.subscribe().unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let guard = bus
        .handle(SubscribeOptions::new(), move |_| {
            let _ = wait.recv();
        })
        .unwrap();
    fill(&bus, 3);
    let report = bus.stop_timeout(Duration::ZERO);
    assert_eq!((report.undrained.len(), report.lost()), (2, 3));
    assert_eq!(reasons(&notices), [EvictionReason::Stalled]);
    drop((go, subscriber));
    guard.join();
}

#[test]
fn statistics_count_what_happened() {
    let (bus, _, _) = watched();
    let options = SubscribeOptions::new().name("a").core(3).window(2);
    let mut reading = bus.subscribe_with(options).unwrap();
    let stuck = bus
        .subscribe_with(SubscribeOptions::new().window(4))
        .unwrap();
    fill(&bus, 10);
    assert_eq!(bus.lag_of(reading.id()), Some(10));
    assert_eq!(reading.lag(), 10);
    assert_eq!(reading.drain(4, |_| {}).unwrap(), 4);
    reading.release();
    assert_eq!(bus.lag_of(reading.id()), Some(6));
    let stats = bus.stats();
    assert_eq!(
        (stats.workers[0].published, stats.workers[0].holes),
        (10, 0)
    );
    assert_eq!((stats.workers[0].id, stats.workers[0].capacity), (0, 64));
    assert_eq!(
        (stats.workers[0].slot_bytes, stats.workers[0].subscribers),
        (16, 2)
    );
    let first = &stats.subscribers[0];
    assert_eq!(
        (first.id, first.worker, first.core),
        (reading.id(), 0, Some(3))
    );
    assert_eq!(
        (first.name.as_deref(), first.lag, first.sequence),
        (Some("a"), 6, 4)
    );
    assert_eq!(first.state, SubscriberState::Active);
    reading.drain(100, |_| {}).unwrap();
    for n in 0..200 {
        bus.report(n).unwrap();
        assert_eq!(*reading.try_recv().unwrap(), n);
    }
    bus.turn();
    let stats = bus.stats();
    assert_eq!(stats.workers[0].published, 210);
    assert_eq!(stats.workers[0].pinned_slots, 4);
    assert_eq!(stats.workers[0].subscribers, 1);
    assert!(stats.workers[0].holes > 0, "its window was passed over");
    let state = stats
        .subscribers
        .iter()
        .find(|s| s.id == stuck.id())
        .unwrap()
        .state;
    assert_eq!(state, SubscriberState::Evicted(EvictionReason::Lapped));
    assert_eq!(stats.workers[0].evicted_for(EvictionReason::Lapped), 1);
    drop(stuck);
    assert_eq!(bus.stats().workers[0].pinned_slots, 0);
}

#[test]
fn who_reads_steadily_has_not_stalled() {
    // Of a ring with room for wide windows: the cursor moves once a window.
    let clock = ManualClock::new();
    let builder = builder(4096).drive(Drive::Manual).clock(clock.clone());
    let bus = builder.build().unwrap();
    let options = SubscribeOptions::new().stall_limit(SECOND * 10);
    let mut subscriber = bus.subscribe_with(options).unwrap();
    fill(&bus, 100);
    for n in 0..100 {
        assert_eq!(subscriber.try_recv().map(|event| *event), Ok(n));
        clock.advance(SECOND);
        bus.turn();
    }
}
