//! [C6 join] Joining against a publisher that laps the ring.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, Subscriber, TryRecvError};

/// A bus of two slots that is heard by somebody who is in nobody's way: a subscriber that was dropped and knows it.
fn heard() -> (Bus<Arc<u32>>, Subscriber<Arc<u32>>) {
    let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
    let mut witness = bus.subscribe().unwrap();
    assert!(bus.unsubscribe(witness.id()));
    assert!(matches!(witness.try_recv(), Err(TryRecvError::Evicted(_))));
    (bus, witness)
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

/// A joiner sees nothing older than its join, and everything after it in order, while a publisher laps the ring.
///
/// Fails without: the fence in `Ring::tail_after_fence`, the one in `Ring::make_room`, the tail loaded after registering
/// (`Worker::join` from where it registered): an active cursor is lapped; the look whether `move_up` failed: handed out as
/// dropped already.
#[test]
fn a_joiner_sees_what_comes_after_its_join() {
    loom::model(|| {
        let (bus, _witness) = heard();
        bus.report(Arc::new(0)).unwrap();
        let joiner = {
            let bus = bus.clone();
            thread::spawn(move || {
                let mut subscriber = bus.subscribe().unwrap();
                let mut seen = Vec::new();
                let evicted = receive(&mut subscriber, &mut seen, 1);
                (subscriber, seen, evicted)
            })
        };
        let mut publisher = bus.publisher();
        // Two frozen readers are too many for two slots: it may be told that the ring is exhausted.
        let accepted = (1..=3)
            .take_while(|n| publisher.report(Arc::new(*n)).is_ok())
            .count();
        let last = accepted as u32 + 1;
        let (mut subscriber, mut seen, mut evicted) = joiner.join().unwrap();
        evicted = evicted || receive(&mut subscriber, &mut seen, 3);
        if !evicted {
            bus.report(Arc::new(last)).unwrap();
            evicted = receive(&mut subscriber, &mut seen, 3);
        }
        assert!(!seen.contains(&0), "older than the join: {seen:?}");
        assert!(
            seen.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{seen:?}"
        );
        assert!(evicted || seen.last() == Some(&last), "{seen:?}");
    });
}
