//! The bus as a host uses it: what the API promises, one thread at a time.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::{
    Bus, Drive, EvictionReason, OnLap, Pinning, RecvError, SubscribeOptions, TryRecvError,
};

fn bus<E: Send + Sync + 'static>(capacity: usize) -> Bus<E> {
    Bus::builder()
        .capacity(capacity)
        .pinning(Pinning::Off)
        .drive(Drive::Manual)
        .build()
        .unwrap()
}

#[test]
fn every_subscriber_sees_every_event_in_order() {
    let bus = bus(64);
    let mut first = bus.subscribe().unwrap();
    let mut second = bus.subscribe().unwrap();
    for round in 0..50u64 {
        for n in 0..20 {
            bus.report(round * 20 + n).unwrap();
        }
        for subscriber in [&mut first, &mut second] {
            for n in 0..20 {
                assert_eq!(*subscriber.recv().unwrap(), round * 20 + n);
            }
            assert!(subscriber.try_recv().unwrap_err().is_empty());
        }
    }
}

#[test]
fn one_that_never_reads_is_dropped_and_told_why() {
    let bus = bus(64);
    let mut stuck = bus.subscribe().unwrap();
    let mut reading = bus.subscribe().unwrap();
    for n in 0..6400u64 {
        bus.report(n).unwrap();
        assert_eq!(*reading.recv().unwrap(), n);
    }
    match stuck.try_recv() {
        Err(TryRecvError::Evicted(eviction)) => {
            assert_eq!(eviction.reason, EvictionReason::Lapped);
            assert_eq!(eviction.sequence, 0);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stuck.eviction().unwrap().reason, EvictionReason::Lapped);
    let missed = stuck.rejoin().unwrap();
    assert!(missed >= 6400, "{missed}");
    bus.report(7).unwrap();
    assert_eq!(*stuck.recv().unwrap(), 7);
}

#[test]
fn what_is_held_stays_while_the_ring_is_lapped_a_thousand_times() {
    let bus = bus::<String>(64);
    let mut holding = bus.subscribe().unwrap();
    let mut reading = bus.subscribe().unwrap();
    bus.report("kept".to_owned()).unwrap();
    let held = holding.recv().unwrap();
    for n in 0..64_000 {
        bus.report(format!("{n}")).unwrap();
        if n == 0 {
            assert_eq!(*reading.recv().unwrap(), "kept");
        }
        assert_eq!(*reading.recv().unwrap(), format!("{n}"));
    }
    assert_eq!(*held, "kept");
    assert!(holding.try_recv().unwrap_err().is_evicted());
}

#[test]
fn try_report_drops_nobody_and_uses_the_whole_ring() {
    let bus = bus(64);
    let mut subscriber = bus.subscribe().unwrap();
    for n in 0..64u64 {
        bus.try_report(n).unwrap();
    }
    let refused = bus.try_report(64).unwrap_err();
    assert!(refused.is_full());
    assert_eq!(refused.into_inner(), 64);
    assert_eq!(subscriber.drain(usize::MAX, |_| {}).unwrap(), 64);
    bus.try_report(64).unwrap();
}

#[test]
fn one_that_rejoins_is_told_how_much_it_missed() {
    let bus = bus(64);
    let options = SubscribeOptions::new().on_lap(OnLap::Rejoin);
    let mut subscriber = bus.subscribe_with(options).unwrap();
    for n in 0..200u64 {
        bus.report(n).unwrap();
    }
    match subscriber.recv() {
        // Holes count: an upper bound.
        Err(RecvError::Lagged(missed)) => assert!((200..264).contains(&missed), "{missed}"),
        other => panic!("{other:?}"),
    }
    bus.report(200).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 200);
}

#[test]
fn closing_ends_the_stream_after_what_is_there() {
    let bus = bus(64);
    let mut subscriber = bus.subscribe().unwrap();
    bus.report(1u64).unwrap();
    bus.close();
    assert!(bus.report(2).unwrap_err().is_stopped());
    assert_eq!(*subscriber.recv().unwrap(), 1);
    assert!(subscriber.recv().unwrap_err().is_closed());
    assert!(subscriber.try_recv().unwrap_err().is_closed());
}

#[test]
fn the_newest_can_be_had_at_once() {
    let bus = bus(64);
    let mut subscriber = bus.subscribe().unwrap();
    for n in 0..40u64 {
        bus.report(n).unwrap();
    }
    assert_eq!(*subscriber.latest().unwrap(), 39);
    assert!(subscriber.latest().unwrap_err().is_empty());
    bus.report(40).unwrap();
    assert_eq!(*subscriber.recv().unwrap(), 40);
}
