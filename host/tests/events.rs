//! The event manager: what it does as its models do, and each thing that it does better.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "common/manager.rs"]
mod manager;

use common::{builder, until};
use manager::{number, numbered, numbers, started, stopped};
use ringbus::{BuildError, Drive, EvictionReason, RecvError, SubscribeOptions, Subscriber};
use ringbus_host::{CommandState, Event, EventManager, Redaction};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

// Better than the original.

#[test]
fn memory_is_bounded() {
    let manager = started(1);
    let _reads_nothing = manager.subscribe().unwrap();
    let mut reader = manager.subscribe().unwrap();
    let mut seen = Vec::new();
    for n in 0..10_000 {
        manager.report(numbered(n));
        seen.push(Arc::downgrade(&reader.try_recv().unwrap()));
    }
    let alive = seen.iter().filter(|event| event.strong_count() > 0).count();
    assert!((1..=64).contains(&alive), "a ring, not {alive}");
    assert_eq!(manager.stats().undelivered.total(), 0);
}

#[test]
fn a_slow_subscriber_is_dropped_and_told_why() {
    let notices = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&notices);
    let manager = stopped(builder(64).drive(Drive::Manual).on_evict(move |notice| {
        assert_eq!(notice.name.as_deref(), Some("slow"));
        assert_eq!(notice.eviction.reason, EvictionReason::Lapped);
        told.fetch_add(1, Ordering::Relaxed);
    }));
    manager.start(1).unwrap();
    let options = SubscribeOptions::new().name("slow");
    let mut slow = manager.subscribe_with(options).unwrap();
    let mut fast = manager.subscribe().unwrap();
    for n in 0..100 {
        manager.report(numbered(n));
        assert_eq!(number(&fast.try_recv().unwrap()), n);
    }
    manager.bus().turn();
    let Err(RecvError::Evicted(eviction)) = slow.recv() else {
        panic!("it was to be dropped");
    };
    assert_eq!(eviction.reason, EvictionReason::Lapped);
    assert_eq!(notices.load(Ordering::Relaxed), 1);
}

#[test]
fn subscribe_after_stop_is_an_error() {
    let manager = stopped(builder(64));
    assert!(manager.subscribe().unwrap_err().is_stopped(), "before too");
    manager.start(1).unwrap();
    assert!(manager.subscribe().is_ok());
    assert!(manager.stop().is_clean());
    assert!(manager.subscribe().unwrap_err().is_stopped());
    manager.start(2).unwrap();
    assert!(manager.subscribe().is_ok(), "and there is a new start");
    let _ = manager.shutdown();
    assert!(manager.subscribe().unwrap_err().is_stopped());
}

#[test]
fn a_subscription_starts_at_an_exact_point() {
    let manager = stopped(builder(1 << 12));
    manager.start(2).unwrap();
    let mut subscribers: Vec<(u64, Subscriber<Arc<Event>>)> = Vec::new();
    for n in 0..300 {
        if n % 10 == 0 {
            subscribers.push((n, manager.subscribe().unwrap()));
        }
        manager.report(numbered(n));
    }
    for (first, subscriber) in &mut subscribers {
        assert!(numbers(subscriber).into_iter().eq(*first..300));
    }
}

#[test]
fn a_subscription_starts_at_an_exact_point_among_reports() {
    let manager = stopped(builder(1 << 15));
    manager.start(2).unwrap();
    let reported = AtomicUsize::new(0);
    const LAST: u64 = 10_000;
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..LAST {
                manager.report(numbered(n));
                reported.store(n as usize + 1, Ordering::Release);
            }
        });
        let mut subscribers = Vec::new();
        for round in 1..10 {
            until("some more were reported", || {
                reported.load(Ordering::Acquire) >= round * 1000
            });
            let before = reported.load(Ordering::Acquire) as u64;
            let subscriber = manager.subscribe().unwrap();
            let after = reported.load(Ordering::Acquire) as u64;
            subscribers.push((before, after, subscriber));
        }
        until("all were", || {
            reported.load(Ordering::Acquire) as u64 == LAST
        });
        for (before, after, mut subscriber) in subscribers {
            let numbers = numbers(&mut subscriber);
            let first = LAST - numbers.len() as u64;
            assert!(numbers.into_iter().eq(first..LAST), "without a gap");
            // One more may have been on its way when it was counted.
            assert!((before..=after + 1).contains(&first));
        }
    });
}

/// Threads of workers with high numbers, which no other test here starts.
fn high_workers() -> usize {
    let tasks = procfs::process::Process::myself().unwrap().tasks().unwrap();
    tasks
        .filter_map(|task| task.ok()?.status().ok()) // it may have ended meanwhile
        .filter_map(|status| status.name.strip_prefix("ringbus-")?.parse::<usize>().ok())
        .filter(|worker| *worker >= 8)
        .count()
}

#[test]
fn start_twice_leaks_no_worker() {
    let manager = stopped(builder(64));
    for _ in 0..3 {
        for _ in 0..3 {
            manager.start(12).unwrap();
            assert_eq!(high_workers(), 4);
        }
        let refused = manager.start(16);
        assert_eq!(refused, Err(BuildError::Running { workers: 12 }));
        assert_eq!(high_workers(), 4);
        let _ = manager.stop();
        let _ = manager.stop();
        until("they are gone", || high_workers() == 0);
    }
    manager.start(12).unwrap();
    drop(manager);
    until("they go with the manager", || high_workers() == 0);
}

#[test]
fn dropping_a_subscriber_unsubscribes() {
    let manager = started(1);
    let subscriber = manager.subscribe().unwrap();
    let id = subscriber.id();
    assert_eq!(manager.stats().bus.subscribers.len(), 1);
    drop(subscriber);
    assert_eq!(manager.stats().bus.subscribers.len(), 0);
    assert!(!manager.unsubscribe(id));
}

#[test]
fn a_published_event_cannot_be_changed() {
    let manager = started(1);
    let (mut one, mut other) = (manager.subscribe().unwrap(), manager.subscribe().unwrap());
    let mut mine = json!({"list": [1, 2, 3]});
    manager.report(Event::new("mine", mine.clone()));
    mine["list"][0] = json!("changed");
    let first = Arc::clone(&one.recv().unwrap());
    // A copy of one's own may be changed, and is nobody else's.
    let mut copy = Arc::clone(&first);
    assert!(Arc::get_mut(&mut copy).is_none());
    *Arc::make_mut(&mut copy) = Event::OsctldShutdown;
    let second = other.recv().unwrap();
    assert!(Arc::ptr_eq(&first, &second), "one event for all");
    assert_eq!(second.opts(), json!({"list": [1, 2, 3]}));
}

// Starting, stopping, placing.

#[test]
fn a_start_needs_a_worker_and_takes_a_default() {
    let manager = stopped(builder(64));
    assert_eq!(manager.start(0), Err(BuildError::NoWorkers));
    assert!(manager.subscribe().unwrap_err().is_stopped());
    manager.start(None).unwrap();
    assert_eq!(
        manager.stats().bus.workers.len(),
        ringbus::default_worker_count()
    );
}

#[test]
fn what_cannot_be_built_is_an_error() {
    let manager = EventManager::builder().bus(builder(usize::MAX));
    let refused = manager.build();
    assert!(matches!(refused, Err(BuildError::CapacityTooLarge { .. })));
}

#[test]
fn a_subscriber_goes_where_the_fewest_are_and_the_first_wins() {
    let manager = started(3);
    let mut subscribers: Vec<_> = (0..7).map(|_| manager.subscribe().unwrap()).collect();
    let workers: Vec<_> = subscribers.iter().map(Subscriber::worker).collect();
    assert_eq!(workers, [0, 1, 2, 0, 1, 2, 0]);
    subscribers.remove(4);
    subscribers.remove(2);
    let workers: Vec<_> = (0..3)
        .map(|_| manager.subscribe().unwrap().worker())
        .collect();
    assert_eq!(workers, [1, 1, 1], "dropped at once, so it stays the first");
}

#[test]
fn every_subscriber_of_every_worker_sees_every_event_in_order() {
    let manager = stopped(builder(256));
    manager.start(3).unwrap();
    let mut subscribers: Vec<_> = (0..6).map(|_| manager.subscribe().unwrap()).collect();
    (0..100).for_each(|n| manager.report(numbered(n)));
    for subscriber in &mut subscribers {
        assert!(numbers(subscriber).into_iter().eq(0..100));
    }
}

#[test]
fn unsubscribing_again_does_nothing() {
    let manager = started(2);
    let mut subscriber = manager.subscribe().unwrap();
    let mut other = manager.subscribe().unwrap();
    assert!(manager.unsubscribe(subscriber.id()));
    assert!(!manager.unsubscribe(subscriber.id()));
    manager.report(numbered(1));
    let reason = subscriber.eviction().unwrap().reason;
    assert_eq!(reason, EvictionReason::Unsubscribed);
    let error = loop {
        // It may see what is in its window still.
        if let Err(error) = subscriber.recv() {
            break error;
        }
    };
    assert!(error.is_evicted());
    assert_eq!(numbers(&mut other), [1]);
}

// Secrets.

#[test]
fn secrets_of_commands_do_not_reach_the_bus() {
    let event = |opts: Value| Event::Management {
        id: 1,
        cmd: "user_new".into(),
        opts,
        state: CommandState::Run,
    };
    let reported = |manager: EventManager| {
        manager.start(1).unwrap();
        let mut subscriber = manager.subscribe().unwrap();
        manager.report(event(
            json!({"user_password": "x", "pin": "y", "id": "joe"}),
        ));
        let event = subscriber.recv().unwrap();
        event.opts()["opts"].clone()
    };
    assert_eq!(
        reported(stopped(builder(64))),
        json!({"user_password": "[redacted]", "pin": "y", "id": "joe"})
    );
    let more = EventManager::builder().redaction(Redaction::new().also("pin"));
    assert_eq!(
        reported(more.build().unwrap()),
        json!({"user_password": "[redacted]", "pin": "[redacted]", "id": "joe"})
    );
}
