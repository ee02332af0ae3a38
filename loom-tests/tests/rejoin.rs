//! [C6 join] Rejoining, with the cursor in place, against a publisher that laps the ring.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, Subscriber, TryRecvError};
use support_a::{check, full};

/// A reader that was dropped while it holds the first event of a full ring, and does not know it
/// yet.
fn dropped() -> (Bus<Arc<u32>>, Subscriber<Arc<u32>>) {
    let (bus, mut reader) = full();
    assert_eq!(**reader.try_recv().unwrap(), 0);
    assert!(bus.unsubscribe(reader.id()));
    assert_eq!(bus.turn().notices, 1, "told, so that the rejoin need not");
    (bus, reader)
}

/// Up to `most` events; true if the subscriber was dropped instead.
fn receive(subscriber: &mut Subscriber<Arc<u32>>, seen: &mut Vec<u32>, most: usize) -> bool {
    for _ in 0..most {
        match subscriber.try_recv() {
            Ok(event) => seen.push(**event),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Evicted(eviction)) => {
                assert!(eviction.lag > 0, "dropped where it has just joined");
                return true;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    false
}

/// Whoever rejoins sees nothing older than that, and everything after it in order.
///
/// Fails without: the fence in `Ring::tail_after_fence` (as used by `Worker::join_again`), the one in `Ring::make_room`, the
/// tail loaded after `restart`: an active cursor is lapped; `detach` Release, `look` Acquire
/// (`cursor.rs`, each made Relaxed): concurrent read and write of the event that it held before.
#[test]
fn a_rejoined_reader_sees_what_comes_after() {
    check(|| {
        let (bus, mut reader) = dropped();
        let mut publisher = bus.publisher();
        let lapper = thread::spawn(move || {
            for n in 2..=4 {
                publisher.report(Arc::new(n)).unwrap();
            }
        });
        reader.rejoin().unwrap();
        let mut seen = Vec::new();
        let mut evicted = receive(&mut reader, &mut seen, 1);
        lapper.join().unwrap();
        evicted = evicted || receive(&mut reader, &mut seen, 3);
        if !evicted {
            bus.report(Arc::new(5)).unwrap();
            evicted = receive(&mut reader, &mut seen, 3);
        }
        assert!(!seen.contains(&0) && !seen.contains(&1), "{seen:?}");
        assert!(
            seen.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{seen:?}"
        );
        assert!(evicted || seen.last() == Some(&5), "{seen:?}");
    });
}

/// A reader that rejoins of its own will has given back the event that it held, before a publisher
/// writes over it.
///
/// Fails without: `restart` Release (`cursor.rs`, made Relaxed): concurrent read and write of that
/// event. (A reader that was dropped makes a fence before, for the futures that wait for a drain.)
#[test]
fn a_reader_that_rejoins_of_its_own_will_has_read_what_it_held() {
    loom::model(|| {
        let (bus, mut reader) = full();
        let mut publisher = bus.publisher();
        let lapper = thread::spawn(move || publisher.try_report(Arc::new(2)).is_ok());
        assert_eq!(**reader.try_recv().unwrap(), 0);
        reader.rejoin().unwrap();
        let mut seen = Vec::new();
        receive(&mut reader, &mut seen, 1);
        let was_accepted = lapper.join().unwrap();
        receive(&mut reader, &mut seen, 1);
        if was_accepted {
            // The reader rejoined before that event, or after it.
            assert!(seen.is_empty() || seen == [2], "{seen:?}");
        } else {
            bus.try_report(Arc::new(2)).unwrap();
            receive(&mut reader, &mut seen, 1);
            assert_eq!(seen, [2]);
        }
    });
}

/// Whoever is dropped while it rejoins, from where it began, tries again: it is not handed out as dropped already.
///
/// Fails without: the look whether `move_up` failed in `Worker::join_again`.
#[test]
fn a_rejoin_outlives_an_eviction() {
    loom::model(|| {
        let (bus, mut reader) = dropped();
        assert!(reader.try_recv().is_err());
        let rejoiner = thread::spawn(move || {
            reader.rejoin().unwrap();
            reader
        });
        for n in 2..=4 {
            bus.report(Arc::new(n)).unwrap();
        }
        let mut reader = rejoiner.join().unwrap();
        receive(&mut reader, &mut Vec::new(), 3);
    });
}
