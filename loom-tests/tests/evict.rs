//! Evictions: against an advance, and in the middle of an event.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::EvictionReason;
use support_a::{Reader, check, shared};

/// A reader moves on while a publisher drops it: one of the two comes first, and both know which.
///
/// Fails without: the exchange in `Cursor::evict` (a store instead takes the advance back, and a slot is written
/// while it is read); `Reader::advance` giving up when the old word was evicted.
#[test]
fn an_advance_and_an_eviction_have_an_order() {
    check(|| {
        let bus = shared(2);
        let mut reader = Reader::join(&bus, 1);
        for n in 0..2 {
            bus.report(Arc::new(n)).unwrap();
        }
        reader.poll(); // holds event 0
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || publisher.report(Arc::new(2)).unwrap());
        reader.poll(); // moves on to event 1, and holds it
        thread.join().unwrap();
        reader.drain();
        match reader.evicted {
            // It was told, and everything that it saw it saw in order.
            Some(eviction) => {
                assert_eq!(eviction.reason, EvictionReason::Lapped);
                assert_eq!(reader.events(), [0, 1][..reader.seen.len()]);
            }
            None => assert_eq!(reader.events(), [0, 1, 2]),
        }
    });
}

/// An event that is borrowed stays as it is, however often the ring is lapped; once its reader has left, its slot is
/// written again.
///
/// Fails without: `make_room` passing over pinned windows, those at the tail and those ahead, in their whole width
/// (the slot is written while it is read).
#[test]
fn a_borrowed_event_stays_whole() {
    check(|| {
        let bus = shared(4);
        let mut reader = Reader::join(&bus, 1);
        let mut other = Reader::join(&bus, 1);
        for n in 0..4 {
            bus.report(Arc::new(n)).unwrap();
        }
        reader.poll(); // holds event 0
        other.drain();
        for n in 4..7 {
            bus.report(Arc::new(n)).unwrap(); // the first drops the reader, and passes over its slot
            other.drain();
        }
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || publisher.report(Arc::new(7)).unwrap());
        reader.poll(); // learns of it, and leaves
        thread.join().unwrap();
        other.drain();
        assert_eq!(
            reader.evicted.map(|it| it.reason),
            Some(EvictionReason::Lapped)
        );
        assert_eq!(reader.events(), [0]);
        assert_eq!(other.evicted, None);
        assert_eq!(other.events(), [0, 1, 2, 3, 4, 5, 6, 7]);
    });
}

/// Two publishers at the edge of a slot that is borrowed: neither enters it by what it knew before.
///
/// Fails without: the exchange of the tail in `claim` (a `fetch_add` goes beyond the limit, into the borrowed
/// slot).
#[test]
fn no_claim_goes_beyond_the_limit_that_it_was_made_for() {
    check(|| {
        let bus = shared(2);
        let mut reader = Reader::join(&bus, 1);
        bus.report(Arc::new(0)).unwrap();
        reader.poll(); // holds event 0
        let publishers = [(bus.publisher(), 1), (bus.publisher(), 2)];
        let publishers = publishers.map(|(mut publisher, n)| {
            thread::spawn(move || publisher.try_report(Arc::new(n)).is_ok())
        });
        let accepted = publishers.map(|publisher| publisher.join().unwrap());
        reader.drain();
        assert_eq!(reader.evicted, None);
        let accepted = accepted.into_iter().filter(|ok| *ok).count();
        assert_eq!(accepted, 1, "there is one free slot");
        assert_eq!(reader.seen.len(), 1 + accepted);
    });
}
