//! Freezes any one thread at any instruction, and sees that every other goes on, that nothing is lost, and that nothing
//! borrowed is touched: the promise, as it is written.
//!
//! Real threads run flat out: publishers, subscribers that spin, sleep and borrow, one that joins and leaves all the
//! time, and the bus's own. A signal stops one of them wherever it happens to be, until each of the others has moved by
//! its own count; every few times, until the ring was lapped. Then it goes on, and the next is stopped. Whoever was
//! lapped while frozen must learn of it, and find whole what it had borrowed. At the end, everything that was accepted
//! was delivered to everybody, once and in order, but for what a frozen reader was told of; nobody was dropped for
//! another's freeze; and every value was dropped once.
//!
//! What may hang on the frozen thread: a parked subscriber naps up to `max_nap` when the worker is frozen (so it is slow,
//! not stuck), and with the only publisher frozen there is nothing to read (so readers are to look for it).
//!
//! `RINGBUS_FREEZES=n` makes it n freezes in each run, however long they take; without it a run ends after some seconds.
//! `cargo test --test freeze -- --nocapture` shows the figures.
#![cfg(all(target_os = "linux", not(loom), not(miri)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

#[path = "freeze/allocator.rs"]
mod allocator;
#[path = "freeze/bus.rs"]
mod bus;
#[path = "freeze/event.rs"]
mod event;
#[path = "freeze/harness.rs"]
mod harness;
#[path = "freeze/locked.rs"]
mod locked;
#[path = "freeze/report.rs"]
mod report;
#[path = "freeze/role.rs"]
mod role;
#[path = "freeze/signal.rs"]
mod signal;

use bus::{Alone, Bus, Shared};
use event::{Body, InPlace};
use harness::{InAllocator, Plan, run};
use locked::Locked;
use role::Role;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One run at a time: each takes all cores, and one thread of the process at most is frozen.
static ALONE: Mutex<()> = Mutex::new(());

fn plan(name: &'static str, freezes: u64, seconds: u64) -> Plan {
    let wanted = std::env::var("RINGBUS_FREEZES").ok();
    let wanted: Option<u64> = wanted.map(|n| n.parse().expect("RINGBUS_FREEZES is a number"));
    Plan {
        name,
        publishers: 2,
        freezes: wanted.unwrap_or(freezes),
        budget: wanted.is_none().then_some(Duration::from_secs(seconds)),
        patience: Duration::from_secs(20),
        in_allocator: InAllocator::Release,
    }
}

fn keeps_the_promise<T: Bus<B>, B: Body>(plan: Plan, make: impl FnOnce(&Arc<Role>) -> T) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    match run(plan, make) {
        Ok(report) => println!("{report}"),
        Err(stuck) => panic!("{}: {stuck}", plan.name),
    }
}

#[test]
fn nobody_waits_for_a_frozen_thread_of_a_shared_bus() {
    keeps_the_promise(plan("shared", 3_000, 22), Shared::<InPlace>::new);
}

#[test]
fn nobody_waits_for_a_frozen_thread_of_a_bus_with_one_publisher() {
    let plan = Plan {
        publishers: 1,
        ..plan("exclusive", 1_200, 15)
    };
    keeps_the_promise(plan, Alone::<InPlace>::new);
}

/// Events on the heap: a freeze inside of the allocator may hold others up, and no other freeze does.
#[test]
fn with_events_on_the_heap_only_the_allocator_holds_anyone_up() {
    let plan = Plan {
        in_allocator: InAllocator::Stand,
        ..plan("heap", 1_500, 18)
    };
    keeps_the_promise(plan, Shared::<Box<[u64]>>::restless);
}

/// The harness itself: a ring under a mutex is found out.
#[test]
fn a_bus_that_waits_is_found_stuck() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = Plan {
        freezes: 5_000,
        budget: None,
        patience: Duration::from_secs(2),
        ..plan("mutex", 0, 0)
    };
    let stuck = run(plan, |_| Locked::<InPlace>::new()).expect_err("nobody was ever held up");
    println!("as it is to be: {stuck}");
    assert!(stuck.still.len() > 1, "{stuck}");
}
