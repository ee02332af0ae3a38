//! Publishers that hang between claim and commit: their readers pass them, and their events come later.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use support_a::{Reader, check, race, shared};

/// A publisher hangs anywhere while a later event makes two readers pass its claim: both see the same, and its event
/// once.
///
/// Fails without: the exchange in `commit` (its event is lost); `make_hole` making `WRITING`
/// `LOST` (a hole would let others in); `enter` giving way to a hole that was made of its claim.
#[test]
fn readers_agree_about_a_stalled_claim() {
    check(|| {
        let bus = shared(4);
        let mut readers = [Reader::join(&bus, 1), Reader::join(&bus, 1)];
        let [mut publisher, mut other] = [bus.publisher(), bus.publisher()];
        let publish = move || publisher.report(Arc::new(1)).unwrap();
        let pass = move || {
            other.report(Arc::new(2)).unwrap();
            for reader in &mut readers {
                reader.poll();
            }
            readers
        };
        let ((), mut readers) = race(publish, pass);
        readers.iter_mut().for_each(Reader::drain);
        assert_eq!(readers[0].seen, readers[1].seen);
        assert_eq!(readers[0].sorted(), [1, 2]);
    });
}

/// The same with two readers that take the claim away at the same time.
///
/// Fails without: the exchange in `enter` (a store instead takes a hole back that a reader has passed); `LOST`, as
/// above.
#[test]
fn one_of_two_readers_takes_the_claim_away() {
    check(|| {
        let bus = shared(4);
        let [mut one, mut other] = [Reader::join(&bus, 1), Reader::join(&bus, 1)];
        let mut publisher = bus.publisher();
        let publishing = thread::spawn(move || publisher.report(Arc::new(1)).unwrap());
        bus.report(Arc::new(2)).unwrap();
        let reading = thread::spawn(move || {
            one.poll();
            one
        });
        other.poll();
        publishing.join().unwrap();
        let mut one = reading.join().unwrap();
        one.drain();
        other.drain();
        assert_eq!(one.seen, other.seen);
        assert_eq!(one.sorted(), [1, 2]);
    });
}

/// A publisher hangs in a slot until a later lap comes by: nobody goes in to it, and the slot is as good as new when it
/// has left.
///
/// Fails without: `enter` marking the slot lost instead of going in; `restore` putting the old value back (it is
/// dropped twice); `leave` (the slot stays lost, and half of the ring with it).
#[test]
fn a_lapped_writer_keeps_its_slot_to_itself() {
    check(|| {
        let bus = shared(2);
        let mut gone = Reader::join(&bus, 1);
        bus.unsubscribe(gone.id());
        // It has detached and is not dropped: events are written, and nobody is in the way.
        gone.poll();
        for n in 0..2 {
            bus.report(Arc::new(n)).unwrap();
        }
        let [mut publisher, mut other] = [bus.publisher(), bus.publisher()];
        // Exhausted where the other one is inside of half the ring.
        let publish = move || drop(publisher.report(Arc::new(2)));
        let pass = move || {
            for n in 3..6 {
                let _ = other.report(Arc::new(n));
            }
        };
        race(publish, pass);
        let mut reader = Reader::join(&bus, 1);
        for n in 5..7 {
            bus.report(Arc::new(n)).unwrap();
        }
        reader.drain();
        assert_eq!(reader.events(), [5, 6]);
    });
}

/// Of two events of one publisher, the first is taken away and comes later: the second comes after it.
///
/// Fails without: the exchanges in `commit` and `enter` (an event is lost); `Counters::lost` bearing to be below
/// zero for a moment (a publisher finds the ring exhausted that is not).
#[test]
fn a_rescued_publisher_keeps_its_order() {
    check(|| {
        let bus = shared(4);
        let mut reader = Reader::join(&bus, 1);
        let [mut publisher, mut other] = [bus.publisher(), bus.publisher()];
        let publish = move || {
            publisher.report(Arc::new(1)).unwrap();
            publisher.report(Arc::new(2)).unwrap();
        };
        let pass = move || {
            other.report(Arc::new(10)).unwrap();
            reader.poll();
            reader
        };
        let ((), mut reader) = race(publish, pass);
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.sorted(), [1, 2, 10]);
        let own: Vec<_> = reader.events().into_iter().filter(|n| *n < 10).collect();
        assert_eq!(own, [1, 2]);
    });
}
