//! [C5 detach] Leaving against a publisher that scans the registry.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, SubscribeOptions, Subscriber, TryRecvError};

type Event = Arc<u32>;

/// A full ring of two slots, with one subscriber that holds the first event and one that was dropped and knows it, so
/// that the bus stays heard.
fn full() -> (Bus<Event>, Subscriber<Event>, Subscriber<Event>) {
    let bus: Bus<Event> = Bus::builder().capacity(2).build().unwrap();
    let narrow = || {
        bus.subscribe_with(SubscribeOptions::new().window(1))
            .unwrap()
    };
    let (mut witness, mut reader) = (narrow(), narrow());
    assert!(bus.unsubscribe(witness.id()));
    assert!(matches!(witness.try_recv(), Err(TryRecvError::Evicted(_))));
    bus.turn();
    bus.report(Arc::new(0)).unwrap();
    bus.report(Arc::new(1)).unwrap();
    assert_eq!(**reader.try_recv().unwrap(), 0);
    (bus, witness, reader)
}

/// Whoever has left is in nobody's way.
fn takes_a_whole_ring(bus: &Bus<Event>) {
    bus.turn();
    for n in 0..2 {
        bus.try_report(Arc::new(n)).unwrap();
    }
}

/// A slot that a subscriber held is written only after it has left, also if it was pruned before the scan.
///
/// Fails without: `detach` AcqRel, the scan's `look` Acquire (`cursor.rs`, made Relaxed: concurrent read and write); both
/// `disarm_notice` and `retire` made Relaxed (`member.rs`: the same; either alone carries the edge).
#[test]
fn a_leaver_is_pruned_by_a_turn() {
    loom::model(|| {
        let (bus, _witness, reader) = full();
        let leaver = thread::spawn(move || drop(reader));
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.try_report(Arc::new(2)).is_ok());
        bus.turn();
        leaver.join().unwrap();
        reporter.join().unwrap();
        takes_a_whole_ring(&bus);
    });
}

/// The same, when another joiner prunes it.
///
/// Fails without: as above.
#[test]
fn a_leaver_is_pruned_by_a_joiner() {
    loom::model(|| {
        let (bus, witness, reader) = full();
        drop(witness);
        let leaver = thread::spawn(move || drop(reader));
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.try_report(Arc::new(2)).is_ok());
        let joined = bus.subscribe_with(SubscribeOptions::new().window(1));
        leaver.join().unwrap();
        reporter.join().unwrap();
        drop(joined);
    });
}

/// A subscriber that was dropped in the middle of an event stays listed, and its slot untouched, until it has left.
///
/// Fails without: `is_retired` in `is_settled` (`member.rs`: pruned while it reads), `retire` Release (made Relaxed), `detach`
/// AcqRel: each a concurrent read and write.
#[test]
fn a_dropped_reader_is_not_pruned_before_it_has_left() {
    loom::model(|| {
        let (bus, _witness, reader) = full();
        assert!(bus.unsubscribe(reader.id()));
        let leaver = thread::spawn(move || drop(reader));
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(2)).unwrap());
        bus.turn();
        leaver.join().unwrap();
        reporter.join().unwrap();
    });
}
