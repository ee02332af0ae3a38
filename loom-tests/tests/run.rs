//! Runs: what a batch enters and commits as one, among other publishers.
//!
//! There is one [`Publisher`] in each model, and whoever else reports does so by the bus: two would share what runs may take
//! of so small a ring, and that is none.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, Publisher};
use support_a::{Event, Reader, check, race, shared};

/// A ring of `capacity` whose slots all hold a value, and a reader that has read them.
fn written(capacity: u32) -> (Bus<Event>, Reader) {
    let bus = shared(capacity as usize);
    let mut reader = Reader::join(&bus, 1);
    for n in 0..capacity {
        bus.report(Arc::new(n)).unwrap();
        reader.drain();
    }
    reader.seen.clear();
    (bus, reader)
}

/// The same with nobody in the way: the reader has detached and is not gone, so that events are still written.
fn unwatched(capacity: u32) -> (Bus<Event>, Reader) {
    let (bus, mut reader) = written(capacity);
    bus.unsubscribe(reader.id());
    reader.poll();
    reader.evicted = None;
    (bus, reader)
}

fn report_two(publisher: &mut Publisher<Event>, first: u32) {
    let mut events = [first, first + 1].map(Arc::new).into_iter();
    assert_eq!(publisher.report_batch(&mut events).unwrap(), 2);
}

/// Two events become visible by one stamp, or one by one where a reader took the first claim away.
///
/// Fails without: the commit of a run releasing.
#[test]
fn a_run_is_read_by_its_head() {
    check(|| {
        let (bus, mut reader) = written(4);
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || report_two(&mut publisher, 10));
        reader.poll();
        reader.poll();
        thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.events(), [10, 11]);
    });
}

/// A publisher hangs in a run until its readers pass it: they agree about all of it, and its events come once, in order.
///
/// Fails without: the exchange in `commit_run`; the second exchange of the values; `LOST` speaking for the whole run.
#[test]
fn a_run_that_hangs_is_passed_as_a_whole() {
    check(|| {
        let (bus, mut one) = written(8);
        let mut two = Reader::join(&bus, 1);
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || report_two(&mut publisher, 10));
        bus.report(Arc::new(20)).unwrap();
        one.poll();
        thread.join().unwrap();
        one.drain();
        two.drain();
        assert_eq!((one.evicted, two.evicted), (None, None));
        assert_eq!(one.seen, two.seen);
        assert_eq!(one.sorted(), [10, 11, 20]);
        let own: Vec<_> = one.events().into_iter().filter(|n| *n < 20).collect();
        assert_eq!(own, [10, 11]);
    });
}

/// [R1 rest] Whoever claimed a slot a lap before, and hangs, does not come into it beside a run.
///
/// Fails without: a look at each stamp of the inside (two are in a slot).
#[test]
fn a_straggler_stays_out_of_a_run() {
    check(|| {
        let (bus, _reader) = unwatched(4);
        let straggler = bus.clone();
        let thread = thread::spawn(move || drop(straggler.report(Arc::new(10))));
        for n in 20..23 {
            let _ = bus.report(Arc::new(n));
        }
        let mut publisher = bus.publisher();
        let _ = publisher.report_batch(&mut [30, 31].map(Arc::new).into_iter());
        thread.join().unwrap();
    });
}

/// [R2 lap], [R3 whole] A publisher hangs anywhere in a run until a later lap comes by: nobody goes in, and all of its slots are
/// as good as new when it has left.
///
/// Fails without: the look at the heads of runs in a scan; that look acquiring; the whole of the run being passed over; its
/// end (`leave`), or the run in that.
#[test]
fn a_lapped_run_keeps_its_slots_to_itself() {
    check(|| {
        let (bus, reader) = unwatched(4);
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || {
            let _ = publisher.report_batch(&mut [10, 11].map(Arc::new).into_iter());
        });
        for n in 20..24 {
            // Exhausted where the other one is inside of half the ring.
            let _ = bus.report(Arc::new(n));
        }
        thread.join().unwrap();
        let mut late = Reader::join(&bus, 1);
        for n in 30..34 {
            bus.report(Arc::new(n)).unwrap();
            late.drain();
        }
        assert_eq!(late.events(), [30, 31, 32, 33]);
        drop(reader);
    });
}

/// [R2 lap] Whoever enters a slot inside of a run that was written knows that it is, though it never met the head.
///
/// Fails without both: a scan's look at the heads of runs acquiring, and what is left of a run being stamped with Release (two
/// unordered writes to a slot).
#[test]
fn a_slot_inside_of_a_run_is_handed_to_the_next() {
    check(|| {
        let (bus, _reader) = unwatched(4);
        let mut publisher = bus.publisher();
        let other = bus.clone();
        let thread = thread::spawn(move || {
            for n in 20..23 {
                let _ = other.report(Arc::new(n));
            }
        });
        let _ = publisher.report_batch(&mut [10, 11].map(Arc::new).into_iter());
        let _ = publisher.report(Arc::new(12));
        thread.join().unwrap();
    });
}

/// A publisher swaps out the head of a run and goes in there, while a scan looks whether a reader
/// inside of the run waits for a claim: no event that was published becomes a hole.
///
/// Fails without the Release in `swap_in`: the scan sees the new head, and not what the run left.
#[test]
fn a_scan_takes_no_event_of_a_run_that_is_handed_on() {
    is_handed_on(1, |bus| drop(bus.try_report(Arc::new(16))));
}

/// The same where a batch goes in at the head.
///
/// Fails without the Release in `enter_run`.
#[test]
fn a_scan_takes_no_event_of_a_run_that_a_batch_hands_on() {
    is_handed_on(2, |bus| {
        let mut two = [16, 18].map(Arc::new).into_iter();
        bus.publisher().try_report_batch(&mut two);
    });
}

/// `report` swaps the head out, where there is room for so many events.
fn is_handed_on(room: usize, report: fn(&Bus<Event>)) {
    check(move || {
        let bus = shared(8);
        let mut near = Reader::join(&bus, 1);
        let mut far = Reader::join(&bus, 1);
        for n in 0..8 {
            bus.report(Arc::new(n)).unwrap();
            for reader in [&mut near, &mut far] {
                reader.drain();
                reader.release();
            }
        }
        let mut run = [8, 9, 10, 11].map(Arc::new).into_iter();
        assert_eq!(bus.publisher().report_batch(&mut run).unwrap(), 4);
        for (reader, events) in [(&mut far, room), (&mut near, 3)] {
            (0..events).for_each(|_| assert!(reader.poll()));
            reader.release();
        }
        for n in 12..16 {
            bus.try_report(Arc::new(n)).unwrap();
        }
        let (one, other) = (bus.clone(), bus.clone());
        race(
            move || report(&one),
            move || drop(other.try_report(Arc::new(17))),
        );
        let worker = bus.stats().workers[0].clone();
        assert_eq!((worker.holes, worker.abandoned), (0, 0));
        near.drain();
        far.drain();
    });
}
