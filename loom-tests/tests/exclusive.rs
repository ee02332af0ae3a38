//! The exclusive publisher: no compare-and-swap, and the same promises.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::Bus;
use support_a::{Event, Reader, check};

/// A reader that finds an event finds what its publisher put in; one that is done lets the publisher write over it.
///
/// Fails without: the stamp stored with Release, `Cursor::advance` releasing; the values of the last
/// lap dropped with the ring (they leak).
#[test]
fn a_reader_sees_what_was_written() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(2)
            .build_exclusive()
            .unwrap();
        let mut reader = Reader::join(&bus, 1);
        publisher.report(Arc::new(0)).unwrap();
        let thread = thread::spawn(move || {
            publisher.try_report(Arc::new(1)).unwrap();
            let third = publisher.try_report(Arc::new(2)).is_ok();
            (publisher, third)
        });
        reader.poll();
        reader.poll();
        let (publisher, third) = thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events(), [0, 1, 2][..if third { 3 } else { 2 }]);
        drop(publisher);
    });
}

/// A borrowed event stays as it is while the ring is lapped, its slot is written again once its reader has left, and
/// every value is dropped once, those in passed slots too.
///
/// Fails without: `make_room` passing over pinned windows; hole stamps of their own (a reader waits there for
/// ever); `Cursor::detach` releasing.
#[test]
fn a_borrowed_event_stays_whole() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(4)
            .build_exclusive()
            .unwrap();
        let mut reader = Reader::join(&bus, 1);
        let mut other = Reader::join(&bus, 1);
        for n in 0..4 {
            publisher.report(Arc::new(n)).unwrap();
        }
        reader.poll(); // holds event 0
        other.drain();
        for n in 4..7 {
            publisher.report(Arc::new(n)).unwrap(); // the first drops the reader, and passes over its slot
            other.drain();
        }
        let thread = thread::spawn(move || {
            publisher.report(Arc::new(7)).unwrap();
            publisher
        });
        drop(reader); // while it holds the event
        let publisher = thread.join().unwrap();
        other.drain();
        assert_eq!(other.evicted, None);
        assert_eq!(other.events(), [0, 1, 2, 3, 4, 5, 6, 7]);
        drop(publisher);
    });
}

/// Whoever joins while the publisher scans is seen by the scan, or starts behind what the scan made room for.
///
/// Fails without: the tail stored before the fence of a scan (`find_exclusive_room`).
#[test]
fn a_joiner_is_seen_or_starts_at_the_tail() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(2)
            .build_exclusive()
            .unwrap();
        let mut first = Reader::join(&bus, 1);
        publisher.report(Arc::new(0)).unwrap();
        first.drain();
        let thread = thread::spawn(move || {
            for n in 1..3 {
                publisher.report(Arc::new(n)).unwrap();
            }
            publisher
        });
        let mut joiner = Reader::join(&bus, 1);
        joiner.poll();
        let publisher = thread.join().unwrap();
        joiner.drain();
        // What it saw it saw without a gap, to the end unless it was dropped.
        let events = joiner.events();
        assert!(
            events.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{events:?}"
        );
        assert!(joiner.evicted.is_some() || events.last().is_none_or(|last| *last == 2));
        drop(publisher);
    });
}

/// [T1 tail] A subscriber that joins while a batch is written starts before it or behind it: a
/// stamp comes there.
///
/// Fails without: the run that is added to where its head was found (`tail_by_stamps`): the joiner
/// waits inside of the run for ever.
#[test]
fn a_joiner_starts_where_a_stamp_comes() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(8)
            .build_exclusive()
            .unwrap();
        let witness = Reader::join(&bus, 1);
        let thread = thread::spawn(move || {
            publisher.report(Arc::new(0)).unwrap();
            let mut run = [1, 2, 3].map(Arc::new).into_iter();
            publisher.report_batch(&mut run).unwrap();
            publisher
        });
        let mut joiner = Reader::join(&bus, 1);
        let mut publisher = thread.join().unwrap();
        publisher.report(Arc::new(4)).unwrap();
        joiner.drain();
        let events = joiner.events();
        assert_eq!(events.last(), Some(&4), "{events:?}");
        assert!(
            events.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{events:?}"
        );
        drop((publisher, witness));
    });
}

/// What a closure writes into a slot is published as a whole, where the slot was filled and where
/// it held an older event; and a closure has the slot to itself.
///
/// Fails without: the stamp stored with Release, `Cursor::advance` releasing; a filled slot's value
/// dropped with the ring (it leaks).
#[test]
fn a_reader_sees_what_was_written_in_place() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(2)
            .build_exclusive()
            .unwrap();
        let mut reader = Reader::join(&bus, 1);
        let thread = thread::spawn(move || {
            publisher.report_with(|slot| *slot = Arc::new(0)).unwrap();
            let more = publisher.try_report_batch_with(2, |slots| {
                for (slot, number) in slots.zip(1..) {
                    *slot = Arc::new(number);
                }
            });
            (publisher, more)
        });
        reader.poll();
        let (publisher, more) = thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events(), [0, 1, 2][..=more]);
        drop(publisher);
    });
}

/// A reader takes a whole window by one look at a slot further on, but for a hole in it, whose
/// slot holds an event of the lap before.
///
/// Fails without: `holes_end` stored before the stamps of the events behind a hole.
#[test]
fn a_reader_passes_over_a_hole_in_its_window() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(8)
            .build_exclusive()
            .unwrap();
        let mut holder = Reader::join(&bus, 1);
        let mut reader = Reader::join(&bus, 4);
        for n in 0..8 {
            publisher.report(Arc::new(n)).unwrap();
        }
        for _ in 0..2 {
            holder.poll(); // holds event 1 then, whose slot becomes the hole
        }
        for _ in 0..8 {
            reader.poll(); // never finds that there is nothing
        }
        let thread = thread::spawn(move || {
            for n in 8..11 {
                publisher.report(Arc::new(n)).unwrap();
            }
            publisher
        });
        reader.poll();
        let publisher = thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events(), (0..11).collect::<Vec<_>>());
        drop((holder, publisher));
    });
}
