//! The threads of a bus, as the system counts them, and the processes: there are none.
//!
//! Names tell the threads of one test from those of another: workers of high numbers, and named handlers.
#![cfg(all(target_os = "linux", not(loom)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, builder, until};
use procfs::process::Process;
use ringbus::affinity::cores;
use ringbus::{Bus, Drive, ManualClock, Pinning, SubscribeOptions};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One test at a time: they count the threads of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A thread that was joined may take a moment to leave the system's list.
    until("nobody else's threads", || ours().is_empty());
    alone
}

/// The names of this process's threads that are the library's.
fn ours() -> Vec<String> {
    // One that ends meanwhile has no name any more.
    let mut names: Vec<_> = Process::myself()
        .unwrap()
        .tasks()
        .unwrap()
        .filter_map(|task| Some(task.ok()?.stat().ok()?.comm))
        .filter(|name| name.starts_with("ringbus") || name == "handles")
        .collect();
    names.sort();
    names
}

fn running(bus: Bus<u64>) -> Bus<u64> {
    let options = || SubscribeOptions::new().name("handles");
    for _ in 0..3 {
        bus.handle(options(), |_| {}).unwrap().detach();
    }
    (0..10).for_each(|n| bus.report(n).unwrap());
    bus
}

const ALL: [&str; 5] = ["handles", "handles", "handles", "ringbus-0", "ringbus-1"];

#[test]
fn they_are_as_many_as_workers_and_handlers_and_gone_after_a_stop_or_a_drop() {
    let _alone = alone();
    for round in 0..10 {
        let bus = running(builder(64).workers(2).build().unwrap());
        assert_eq!(ours(), ALL);
        let stays = bus.subscribe().unwrap();
        if round % 2 == 0 {
            assert!(bus.stop_timeout(LONG / 10).is_clean());
            until("gone after a stop, whoever stays", || ours().is_empty());
            bus.start_with(1).unwrap();
            assert_eq!(ours(), ["ringbus-0"]);
        }
        drop(stays);
        drop(bus);
        until("gone after a drop", || ours().is_empty());
    }
}

#[test]
fn a_bus_that_the_host_turns_has_none_but_its_handlers() {
    let _alone = alone();
    let bus = builder(64).workers(2).drive(Drive::Manual).build().unwrap();
    assert!(ours().is_empty());
    let bus = running(bus);
    assert_eq!(ours(), ALL[..3]);
    bus.close();
    until("gone after a close", || ours().is_empty());
}

#[test]
fn a_worker_stays_for_the_last_subscriber_and_goes_with_it() {
    let _alone = alone();
    let limit = Duration::from_millis(4);
    for exclusive in [false, true] {
        let clock = ManualClock::new();
        let builder = builder(64).clock(clock.clone());
        let options = SubscribeOptions::new().stall_limit(limit);
        let subscriber = if exclusive {
            let (mut publisher, bus) = builder.build_exclusive().unwrap();
            let subscriber = bus.subscribe_with(options).unwrap();
            publisher.report(7).unwrap();
            subscriber
        } else {
            let bus = builder.build().unwrap();
            let subscriber = bus.subscribe_with(options).unwrap();
            bus.report(7).unwrap();
            subscriber
        };
        // Its bus is gone, and it is still held to its limit.
        until("looked after", || {
            clock.advance(limit);
            subscriber.eviction().is_some()
        });
        assert_eq!(ours(), ["ringbus-0"]);
        drop(subscriber);
        until("gone with the last subscriber", || ours().is_empty());
    }
}

#[test]
fn a_build_and_a_handler_that_fail_leave_none() {
    let _alone = alone();
    let wrong = cores().last().unwrap() + 5_000;
    let pinned = builder::<u64>(64).workers(2);
    let pinned = pinned.pinning(Pinning::Cores(vec![cores()[0], wrong]));
    assert!(pinned.build().is_err());
    until("gone after a build that failed", || ours().is_empty());
    let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
    let options = SubscribeOptions::new().name("handles").core(wrong);
    assert!(bus.handle(options, |_| {}).is_err());
    until("gone after a handler that failed", || ours().is_empty());
}

/// Children that live or that nobody waited for, and the page faults of those that were waited for: together, whether
/// this process ever had any.
fn children() -> (Vec<u32>, u64) {
    let process = Process::myself().unwrap();
    let tasks = process.tasks().unwrap();
    let living = tasks.filter_map(|task| task.ok()?.children().ok());
    (living.flatten().collect(), process.stat().unwrap().cminflt)
}

#[test]
fn no_process_is_forked_or_spawned_in_the_life_of_a_bus() {
    let _alone = alone();
    let bus = running(builder(64).workers(2).build().unwrap());
    assert_eq!(children(), (Vec::new(), 0));
    assert!(bus.stop_timeout(LONG).is_clean());
    bus.start().unwrap();
    bus.report(1).unwrap();
    drop(bus);
    let (publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    drop(bus.subscribe().unwrap());
    assert!(publisher.shutdown(7).is_clean());
    assert_eq!(children(), (Vec::new(), 0));
}
