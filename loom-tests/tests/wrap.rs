//! Two publishers that wrap the ring.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use support_a::{Reader, check, shared};

/// Two publishers go into the second lap side by side under a reader: nothing is lost, nothing comes twice.
///
/// Fails without: the exchange in `commit` or in `enter` (a store instead loses an event); `enter` giving way to a
/// later stamp (likewise); `restore` putting the old value back (it is dropped twice).
#[test]
fn what_two_publishers_report_is_seen_once() {
    check(|| {
        let bus = shared(4);
        let mut reader = Reader::join(&bus, 1);
        for n in 0..4 {
            bus.report(Arc::new(n)).unwrap();
        }
        reader.drain();
        let [mut one, mut other] = [bus.publisher(), bus.publisher()];
        let thread = thread::spawn(move || one.report(Arc::new(10)).unwrap());
        other.report(Arc::new(20)).unwrap();
        reader.poll();
        thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.sorted(), [0, 1, 2, 3, 10, 20]);
    });
}

/// One publisher scans, another goes by the limit that it stored: it knows all the same that reads are over.
///
/// Fails without: `limit` being loaded with Acquire and raised with Release (a slot is written while it may be
/// read).
#[test]
fn the_limit_says_that_reads_are_over() {
    check(|| {
        let bus = shared(4);
        let mut reader = Reader::join(&bus, 2);
        for n in 0..4 {
            bus.report(Arc::new(n)).unwrap();
        }
        let publishers = [(bus.publisher(), 10), (bus.publisher(), 20)];
        let publishers = publishers.map(|(mut publisher, n)| {
            thread::spawn(move || drop(publisher.try_report(Arc::new(n))))
        });
        // Two events, and one look beyond them: the cursor moves.
        for _ in 0..3 {
            reader.poll();
        }
        for publisher in publishers {
            publisher.join().unwrap();
        }
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events()[..4], [0, 1, 2, 3]);
    });
}

/// With nobody reading, a slot goes from writer to writer by its stamp alone.
///
/// Fails without: `enter` acquiring, `commit` releasing (two unordered writes to a slot); `enter` marking a slot
/// lost whose writer of an earlier lap is inside (two are in it).
#[test]
fn a_writer_hands_its_slot_to_the_next() {
    check(|| {
        let bus = shared(2);
        let mut reader = Reader::join(&bus, 1);
        bus.unsubscribe(reader.id());
        // It has detached and is not gone: events are written, and nobody is in the way.
        reader.poll();
        let publishers = [(bus.publisher(), 1), (bus.publisher(), 2)];
        let publishers = publishers.map(|(mut publisher, count)| {
            thread::spawn(move || {
                for n in 0..count {
                    // Exhausted where the other one is inside of half the ring.
                    let _ = publisher.report(Arc::new(n));
                }
            })
        });
        for publisher in publishers {
            publisher.join().unwrap();
        }
    });
}
