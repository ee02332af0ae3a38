//! What an exclusive publisher remembers of a refusal, and what ends it.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used)]

use ringbus::{Bus, Drive, Exclusive, ExclusivePublisher, SubscribeOptions, Subscriber};

const CAPACITY: u64 = 64;

/// A full ring whose first subscriber has read nothing, and whose second has read all.
fn full() -> (
    ExclusivePublisher<u64>,
    Bus<u64, Exclusive>,
    [Subscriber<u64>; 2],
) {
    let (mut publisher, bus) = Bus::builder()
        .capacity(CAPACITY as usize)
        .drive(Drive::Manual)
        .build_exclusive()
        .unwrap();
    let window = || SubscribeOptions::new().window(4);
    let slow = bus.subscribe_with(window()).unwrap();
    let mut fast = bus.subscribe_with(window()).unwrap();
    for n in 0..CAPACITY {
        publisher.try_report(n).unwrap();
    }
    assert!(publisher.try_report(0).is_err_and(|error| error.is_full()));
    assert_eq!(read(&mut fast, usize::MAX), CAPACITY);
    assert!(publisher.try_report(0).is_err_and(|error| error.is_full()));
    (publisher, bus, [slow, fast])
}

fn read(reader: &mut Subscriber<u64>, most: usize) -> u64 {
    let read = reader.drain(most, |_| {}).unwrap();
    reader.release();
    read as u64
}

/// How many events are accepted.
fn accepted(publisher: &mut ExclusivePublisher<u64>) -> u64 {
    let mut accepted = 0;
    while publisher.try_report(accepted).is_ok() {
        accepted += 1;
    }
    accepted
}

#[test]
fn a_refusal_ends_when_the_slowest_moves() {
    let (mut publisher, _bus, [mut slow, mut fast]) = full();
    for most in [4, 1, 7, 20] {
        assert_eq!(read(&mut slow, most), most as u64);
        assert_eq!(accepted(&mut publisher), most as u64);
        read(&mut fast, usize::MAX);
        assert_eq!(accepted(&mut publisher), 0);
    }
}

#[test]
fn a_refusal_ends_when_the_slowest_leaves() {
    let (mut publisher, _bus, [slow, _fast]) = full();
    drop(slow);
    assert_eq!(accepted(&mut publisher), CAPACITY);
}

#[test]
fn a_refusal_ends_when_the_slowest_is_unsubscribed() {
    let (mut publisher, bus, [slow, mut fast]) = full();
    assert!(bus.unsubscribe(slow.id()));
    // Its window is pinned until it notices: four slots become holes.
    assert_eq!(accepted(&mut publisher), CAPACITY - 4);
    assert_eq!(read(&mut fast, usize::MAX), CAPACITY - 4);
}

#[test]
fn a_refusal_ends_when_the_slowest_is_dropped_by_a_report() {
    let (mut publisher, _bus, [mut slow, _fast]) = full();
    publisher.report(0).unwrap();
    assert!(slow.try_recv().is_err_and(|error| error.is_evicted()));
    assert!(accepted(&mut publisher) > 0);
}

#[test]
fn another_subscriber_takes_the_place_of_one_that_was_in_the_way() {
    let (mut publisher, bus, [slow, mut fast]) = full();
    drop(slow);
    bus.turn(); // prunes it, so that the others move up
    let mut joiner = bus.subscribe().unwrap();
    assert_eq!(accepted(&mut publisher), CAPACITY);
    assert_eq!(read(&mut fast, usize::MAX), CAPACITY);
    assert_eq!(accepted(&mut publisher), 0);
    assert_eq!(read(&mut joiner, 8), 8);
    assert_eq!(accepted(&mut publisher), 8);
}
