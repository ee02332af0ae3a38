//! Batches: claimed at once by a shared publisher, announced by one stamp by an exclusive one.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::Bus;
use support_a::{Event, Reader, check, race, shared};

/// A publisher hangs in the middle of a batch while readers pass its claims: its events come once, in their order.
///
/// Fails without: the second exchange in `commit_run`, which takes the events back (they are lost).
#[test]
fn a_stalled_batch_keeps_its_order() {
    check(|| {
        let bus = shared(8);
        let mut reader = Reader::join(&bus, 1);
        let [mut publisher, mut other] = [bus.publisher(), bus.publisher()];
        let publish = move || {
            let events = [Arc::new(1), Arc::new(2)];
            assert_eq!(publisher.report_batch(&mut events.into_iter()).unwrap(), 2);
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

/// A run is announced by one stamp, and whoever joins meanwhile starts at one.
///
/// Fails without: the stamp of a run stored last, and with Release.
#[test]
fn a_run_is_read_whole_by_whoever_joins() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(4)
            .build_exclusive()
            .unwrap();
        let mut first = Reader::join(&bus, 2);
        let thread = thread::spawn(move || {
            let events = [1, 2, 3].map(Arc::new);
            assert_eq!(publisher.report_batch(&mut events.into_iter()).unwrap(), 3);
            publisher
        });
        let mut joiner = Reader::join(&bus, 2);
        joiner.poll();
        let publisher = thread.join().unwrap();
        first.drain();
        joiner.drain();
        assert_eq!((first.evicted, joiner.evicted), (None, None));
        assert_eq!(first.events(), [1, 2, 3]);
        assert!(first.seen.ends_with(&joiner.seen), "{:?}", joiner.seen);
        drop(publisher);
    });
}

/// Whoever joins in the middle of a batch that goes round the ring is seen by its next scan, or starts behind it.
///
/// Fails without: the fence of a scan; the fence of a join (the joiner is
/// lapped though nobody dropped it).
#[test]
fn a_batch_tells_joiners_how_far_it_is() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(2)
            .build_exclusive()
            .unwrap();
        let mut gone = Reader::join(&bus, 1);
        bus.unsubscribe(gone.id());
        // It has detached and is not dropped: events are written, and nobody is in the way.
        gone.poll();
        let thread = thread::spawn(move || {
            let events = [1, 2, 3].map(Arc::new);
            assert_eq!(publisher.report_batch(&mut events.into_iter()).unwrap(), 3);
            publisher
        });
        let mut joiner = Reader::join(&bus, 1);
        joiner.poll();
        let publisher = thread.join().unwrap();
        joiner.drain();
        let all = [1, 2, 3];
        match joiner.evicted {
            Some(_) => assert!(joiner.seen.len() < 3),
            None => assert!(all.ends_with(&joiner.events()), "{:?}", joiner.seen),
        }
        drop(publisher);
    });
}

/// A run ends where the room ends: what is borrowed beyond it stays whole, and the rest of the batch goes around it.
///
/// Fails without: runs being cut at the limit (the borrowed slot is written).
#[test]
fn a_run_ends_at_the_limit() {
    check(|| {
        let (mut publisher, bus) = Bus::<Event>::builder()
            .capacity(4)
            .build_exclusive()
            .unwrap();
        let mut reader = Reader::join(&bus, 2);
        for n in 0..3 {
            publisher.report(Arc::new(n)).unwrap();
        }
        reader.poll(); // holds event 0
        let thread = thread::spawn(move || {
            let events = [3, 4].map(Arc::new);
            assert_eq!(publisher.report_batch(&mut events.into_iter()).unwrap(), 2);
            publisher
        });
        reader.poll(); // event 1, in the same window
        reader.poll(); // moves on, or learns that it was dropped
        let publisher = thread.join().unwrap();
        reader.drain();
        let all = [0, 1, 2, 3, 4];
        assert!(all.starts_with(&reader.events()), "{:?}", reader.seen);
        assert!(reader.evicted.is_some() || reader.seen.len() == all.len());
        drop(publisher);
    });
}
