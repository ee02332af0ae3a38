//! Subscribers that come and go for ever: what they cost is given back, whoever reports meanwhile.
//!
//! A hundred thousand of them by default, a million with `RINGBUS_CHURN=1000000`.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{SetOnDrop, builder};
use ringbus::{Bus, Drive, OnLap, SubscribeOptions};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::thread;

struct Counting;

/// Bytes that are allocated and not freed.
static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn joins() -> u64 {
    let joins = std::env::var("RINGBUS_CHURN");
    joins.ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

/// More than a bus may keep of those who left: the last of each list, and what a reader of a snapshot is looking at.
/// Less than half of what the fewest subscribers here take, were they kept.
const SLACK: isize = 256 << 10;

/// Runs `body` a little, then as often as was asked for: the second must keep no more than the first.
fn keeps_nothing(mut body: impl FnMut(u64)) {
    body(1_000);
    let before = LIVE.load(Ordering::Relaxed);
    body(joins());
    let kept = LIVE.load(Ordering::Relaxed) - before;
    assert!(kept < SLACK, "{kept} bytes kept");
}

fn bus(drive: Drive) -> Bus<u64> {
    builder(64).drive(drive).build().unwrap()
}

#[test]
fn joining_and_leaving_keeps_nothing() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = bus(drive);
        let mut staying = bus.subscribe().unwrap();
        keeps_nothing(|joins| {
            for n in 0..joins / 2 {
                let options = SubscribeOptions::new().name("passing").window(1);
                let mut passing = bus.subscribe_with(options).unwrap();
                if n % 64 == 0 {
                    bus.report(n).unwrap();
                    assert_eq!(*passing.try_recv().unwrap(), n);
                    assert_eq!(*staying.try_recv().unwrap(), n);
                }
            }
        });
        assert_eq!(bus.stats().subscribers.len(), 1);
    }
}

#[test]
fn joining_and_leaving_from_many_threads_keeps_nothing() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let bus = bus(Drive::Threads);
    keeps_nothing(|joins| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut publisher = bus.publisher();
                let mut n = 0;
                while !done.load(Ordering::Acquire) {
                    publisher.report(n).unwrap();
                    n += 1;
                    thread::yield_now();
                }
            });
            let _done = SetOnDrop(&done);
            let joining = |joins: u64| {
                for _ in 0..joins {
                    // The other may be in the way for a moment, never for good.
                    let mut passing = bus.subscribe().unwrap();
                    let _ = passing.try_recv();
                }
            };
            let other = scope.spawn(move || joining(joins / 2));
            joining(joins / 2);
            other.join().unwrap();
        });
    });
    bus.turn();
    assert_eq!(bus.stats().subscribers.len(), 0);
    let mut last = bus.subscribe().unwrap();
    bus.report(7).unwrap();
    assert_eq!(*last.recv().unwrap(), 7);
}

#[test]
fn being_dropped_and_rejoining_keeps_nothing_that_a_turn_does_not_take() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let bus = bus(Drive::Manual);
    let options = SubscribeOptions::new().name("slow").on_lap(OnLap::Rejoin);
    let mut slow = bus.subscribe_with(options).unwrap();
    let lap = || (0..100).for_each(|n| bus.report(n).unwrap());
    let (mut told, mut due) = (0, 0);
    keeps_nothing(|joins| {
        for _ in 0..joins / 1_000 {
            // Notices wait for a turn: 20 of them at a time, half of members that are gone.
            for _ in 0..10 {
                let gone = bus.subscribe().unwrap();
                lap();
                drop(gone);
                while slow.try_recv().is_ok() {}
            }
            told += bus.turn().notices;
            due += 20;
        }
    });
    assert_eq!(told, due);
    assert_eq!(bus.stats().subscribers.len(), 1);
}
