//! Waiting: nothing falls between, states count in their order, and every end has a name.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "common/manager.rs"]
mod manager;

use common::{LONG, SetOnDrop};
use manager::{numbered, started};
use ringbus::{EvictionReason, OnLap, SubscribeOptions};
use ringbus_host::ContainerState::{self, Running, Starting, Stopped, Stopping};
use ringbus_host::{Event, EventManager, Filter, WaitError};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

const RESTART: [ContainerState; 4] = [Stopping, Stopped, Starting, Running];

fn later() -> Instant {
    Instant::now() + LONG
}

/// A deadline that has passed when it is looked at.
fn passed() -> Instant {
    Instant::now()
}

fn state_of(id: &str, state: ContainerState) -> Event {
    Event::State {
        pool: "tank".into(),
        id: id.into(),
        state,
    }
}

fn restart(manager: &EventManager, id: &str) {
    for state in RESTART {
        manager.report(state_of(id, state));
    }
}

#[test]
fn what_happens_between_the_waiter_and_the_wait_is_seen() {
    let manager = started(1);
    manager.report(numbered(7));
    let mut waiter = manager.waiter().unwrap();
    assert_eq!(
        waiter.wait_for(&Filter::new(), passed()),
        Err(WaitError::Timeout),
        "what was before it is not"
    );
    (0..10).for_each(|n| manager.report(numbered(n)));
    let filter = Filter::new().of_type("n").field("n", 7);
    let event = waiter.wait_for(&filter, later()).unwrap();
    assert_eq!(*event, numbered(7));
    let next = waiter.wait_for(&Filter::new(), later()).unwrap();
    assert_eq!(*next, numbered(8), "the next wait goes on behind it");
}

#[test]
fn a_waiter_is_woken_by_what_it_waits_for() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    let reporter = manager.clone();
    let thread = thread::spawn(move || (0..50).for_each(|n| reporter.report(numbered(n))));
    let event = waiter.wait_for(&Filter::new().field("n", 49), later());
    assert_eq!(*event.unwrap(), numbered(49));
    thread.join().unwrap();
}

#[test]
fn the_manager_waits_for_what_is_reported_after_the_call() {
    let manager = started(1);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SetOnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                // As fast as it is read, so that nobody is dropped.
                let waiters = manager.stats().bus.subscribers;
                if waiters.iter().any(|waiter| waiter.lag == 0) {
                    restart(&manager, "web");
                }
                thread::yield_now();
            }
        });
        let filter = Filter::new().field("state", "starting");
        let found = manager.wait_for(&filter, later()).unwrap();
        assert_eq!(*found, state_of("web", Starting));
        manager
            .wait_sequence("tank", "web", &RESTART, later())
            .unwrap();
    });
}

#[test]
fn a_sequence_counts_in_its_order_only_and_for_its_container_only() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    // Each one is there, but in no right order; the right order is another's, or in another pool.
    for state in [Running, Starting, Stopped, Stopping] {
        manager.report(state_of("web", state));
    }
    restart(&manager, "db");
    for state in RESTART {
        let opts = json!({"pool": "dozer", "id": "web", "state": state.as_str()});
        manager.report(Event::new("state", opts));
    }
    assert_eq!(
        waiter.wait_sequence("tank", "web", &RESTART, passed()),
        Err(WaitError::Timeout)
    );
}

#[test]
fn a_sequence_passes_over_what_comes_between() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    for state in [
        Running, Stopping, Starting, Stopping, Stopped, Stopped, Starting,
    ] {
        manager.report(state_of("web", state));
        manager.report(numbered(1));
    }
    // With a field that nobody here knows: a custom event, and the state all the same.
    let opts = json!({"pool": "tank", "id": "web", "state": "running", "since": 5});
    manager.report(Event::new("state", opts));
    manager.report(numbered(2));
    waiter
        .wait_sequence("tank", "web", &RESTART, later())
        .unwrap();
    let next = waiter.wait_for(&Filter::new(), later()).unwrap();
    assert_eq!(*next, numbered(2), "no further than its last state");
    waiter.wait_sequence("tank", "web", &[], passed()).unwrap();
}

#[test]
fn behind_its_deadline_it_still_finds_what_is_there() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    (0..5).for_each(|n| manager.report(numbered(n)));
    let deadline = passed();
    let event = waiter.wait_for(&Filter::new().field("n", 4), deadline);
    assert_eq!(*event.unwrap(), numbered(4));
    restart(&manager, "web");
    waiter
        .wait_sequence("tank", "web", &RESTART, deadline)
        .unwrap();
    assert_eq!(
        waiter.wait_for(&Filter::new(), deadline),
        Err(WaitError::Timeout)
    );
}

#[test]
fn a_busy_bus_does_not_hold_it_beyond_its_deadline() {
    let manager = started(1);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SetOnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                manager.report(numbered(1));
            }
        });
        let options = SubscribeOptions::new().on_lap(OnLap::Rejoin);
        let mut waiter = manager.waiter_with(options).unwrap();
        let never = Filter::new().of_type("never");
        let ended = |error| matches!(error, WaitError::Timeout | WaitError::Lagged(_));
        for _ in 0..100 {
            assert!(ended(waiter.wait_for(&never, passed()).unwrap_err()));
        }
    });
}

#[test]
fn a_waiter_that_fell_behind_is_told() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    let rejoins = SubscribeOptions::new().on_lap(OnLap::Rejoin);
    let mut rejoins = manager.waiter_with(rejoins).unwrap();
    (0..200).for_each(|n| manager.report(numbered(n)));
    for deadline in [later(), passed()] {
        let error = waiter.wait_for(&Filter::new(), deadline).unwrap_err();
        let WaitError::Evicted(eviction) = error else {
            panic!("{error}");
        };
        assert_eq!(eviction.reason, EvictionReason::Lapped);
    }
    let error = rejoins.wait_for(&Filter::new(), later()).unwrap_err();
    let WaitError::Lagged(missed) = error else {
        panic!("{error}");
    };
    assert!(missed >= 200, "an upper bound, not {missed}");
    manager.report(numbered(200));
    let event = rejoins.wait_for(&Filter::new().field("n", 200), later());
    assert_eq!(*event.unwrap(), numbered(200), "and may wait on");
}

#[test]
fn a_waiter_of_events_that_ended_is_told() {
    let manager = started(1);
    let mut waiter = manager.waiter().unwrap();
    let ends = manager.clone();
    let thread = thread::spawn(move || ends.shutdown());
    let never = Filter::new().of_type("never");
    assert_eq!(waiter.wait_for(&never, later()), Err(WaitError::Closed));
    assert_eq!(waiter.wait_for(&never, passed()), Err(WaitError::Closed));
    assert!(thread.join().unwrap().is_clean());
    let refused = manager.wait_for(&never, later()).unwrap_err();
    assert!(matches!(&refused, WaitError::Subscribe(error) if error.is_stopped()));
    let refused = manager.wait_sequence("tank", "web", &RESTART, later());
    assert!(refused.unwrap_err().to_string().contains("not running"));
}
