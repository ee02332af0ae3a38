//! [C4 pin] A window that stays pinned is passed over with one stamp.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::Bus;
use support_a::{Event, Reader, check, shared};

/// Of a ring of eight, two laps from `start`: one that reads no more pins `window` slots there, which were passed over once.
///
/// Returns that one, and one that reads along.
fn pinned<M>(
    bus: &Bus<Event, M>,
    start: u32,
    window: u32,
    mut report: impl FnMut(u32),
) -> (Reader, Reader) {
    let mut other = Reader::join(bus, 1);
    for n in 0..start {
        report(n);
        other.drain();
    }
    let mut stuck = Reader::join(bus, window as usize);
    for n in start..start + 8 {
        report(n);
        other.drain();
        if n == start {
            stuck.poll(); // holds it
        }
    }
    for n in start + 8..start + 16 - window {
        report(n); // the first drops it, and passes over its slots
        other.drain();
    }
    let last = start + 15;
    assert_eq!(other.seen.last(), Some(&(last.into(), last - window)));
    assert_eq!(bus.stats().workers[0].holes, u64::from(window));
    (stuck, other)
}

/// A reader goes beyond the whole run at once, or takes slot by slot away from a publisher that hangs before it has
/// stamped it: it misses nothing, and its cursor follows it out of its window.
///
/// Fails without: the length of the run (one more: an event is lost); a reader that passes over all of it (it takes away
/// what is a hole already); `is_at_end` beyond the window (`reader/span.rs`: a write under the delivery).
#[test]
fn a_run_of_holes_is_passed_over_at_once() {
    check(|| {
        let bus = shared(8);
        let (stuck, mut other) = pinned(&bus, 0, 2, |n| bus.report(Arc::new(n)).unwrap());
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || publisher.report(Arc::new(14)).unwrap());
        let reads = other.poll();
        thread.join().unwrap();
        if !reads {
            assert!(other.poll()); // holds event 14
        }
        assert_eq!(other.seen.last(), Some(&(18, 14)));
        assert_eq!(bus.stats().workers[0].holes, 4);
        for n in 15..24 {
            let _ = bus.report(Arc::new(n)); // around what they hold
        }
        drop(stuck);
        assert_eq!(other.events(), (0..15).collect::<Vec<_>>());
    });
}

/// A turn takes slots away from a publisher that hangs before it has stamped the run, while that goes on: no hole is made,
/// and counted, twice.
///
/// Fails without: an end to taking claims away where another was first (`abandon_each` in `ring/shared.rs`).
#[test]
fn a_hole_is_made_once() {
    check(|| {
        let bus = shared(8);
        let (stuck, mut other) = pinned(&bus, 1, 4, |n| bus.report(Arc::new(n)).unwrap());
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || publisher.report(Arc::new(13)).unwrap());
        bus.turn();
        thread.join().unwrap();
        assert!(other.poll());
        assert_eq!(other.seen.last(), Some(&(21, 13)));
        assert_eq!(bus.stats().workers[0].holes, 8);
        drop(stuck);
    });
}

/// A reader goes beyond the run at once under an exclusive publisher too, from whom nobody takes anything.
///
/// Fails without: as above (a reader that stops inside of the run waits for ever).
#[test]
fn an_exclusive_run_of_holes_is_passed_over_at_once() {
    check(|| {
        let builder = Bus::<Event>::builder().capacity(8);
        let (mut publisher, bus) = builder.build_exclusive().unwrap();
        let (stuck, mut other) = pinned(&bus, 0, 2, |n| publisher.report(Arc::new(n)).unwrap());
        let thread = thread::spawn(move || {
            publisher.report(Arc::new(14)).unwrap();
            publisher
        });
        let reads = other.poll();
        let mut publisher = thread.join().unwrap();
        if !reads {
            assert!(other.poll()); // holds event 14
        }
        assert_eq!(other.seen.last(), Some(&(18, 14)));
        assert_eq!(bus.stats().workers[0].holes, 4);
        for n in 15..24 {
            let _ = publisher.report(Arc::new(n)); // around what they hold
        }
        drop(stuck);
        assert_eq!(other.events(), (0..15).collect::<Vec<_>>());
        drop(publisher);
    });
}
