//! [C4 pin] Windows that stay pinned: passed over slot by slot once, and with one stamp from then on.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::builder;
use ringbus::{Bus, Delivery, SubscribeOptions, Subscriber, TryReportError};

/// In a ring of 64: a window of 8.
fn window() -> SubscribeOptions {
    SubscribeOptions::new().window(8)
}

fn read_all(subscriber: &mut Subscriber<u64>) -> Vec<u64> {
    subscriber.try_iter().map(Result::unwrap).collect()
}

#[test]
fn one_who_is_passed_over_hears_of_it_wherever_it_stands_in_its_window() {
    for held in 1..8 {
        let bus: Bus<u64> = builder(64).build().unwrap();
        let mut stuck = bus.subscribe_with(window()).unwrap();
        let mut reading = bus.subscribe_with(window()).unwrap();
        for n in 0..200 {
            bus.report(n).unwrap();
            assert_eq!(read_all(&mut reading), [n]);
            if n == 8 {
                for n in 0..held {
                    assert_eq!(*stuck.try_recv().unwrap(), n);
                }
            }
        }
        assert!(stuck.try_recv().unwrap_err().is_evicted(), "{held}");
    }
}

#[test]
fn the_newest_event_lies_before_a_run_of_holes() {
    let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    let mut stuck = bus.subscribe_with(window()).unwrap();
    let mut reading = bus.subscribe_with(window()).unwrap();
    for n in 0..64 {
        publisher.report(n).unwrap();
        assert_eq!(read_all(&mut reading), [n]);
        if n == 0 {
            assert_eq!(*stuck.try_recv().unwrap(), 0); // and reads no more
        }
    }
    publisher.report(64).unwrap();
    let held = reading.try_recv().unwrap();
    assert_eq!((Delivery::sequence(&held), *held), (72, 64)); // beyond what `stuck` pins
    // To the end of the room. It passes over the same slots again, 128 to 136, and stops right there.
    let refused = (65..)
        .map(|n| publisher.try_report(n))
        .find_map(Result::err);
    assert!(matches!(refused, Some(TryReportError::Full(120))));
    let newest = reading.latest().unwrap();
    assert_eq!((Delivery::sequence(&newest), *newest), (127, 119));
    assert!(reading.try_recv().unwrap_err().is_empty());
}

#[test]
fn the_newest_event_may_lie_inside_of_a_run() {
    let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    let [mut before, mut inside] = [(); 2].map(|()| bus.subscribe_with(window()).unwrap());
    publisher.report(0).unwrap();
    publisher.report_batch(&mut (1..17)).unwrap(); // one run
    assert_eq!(*before.latest().unwrap(), 16);
    assert!(before.latest().unwrap_err().is_empty());
    for n in 0..2 {
        assert_eq!(*inside.try_recv().unwrap(), n);
    }
    assert_eq!(*inside.latest().unwrap(), 16);
    assert!(inside.latest().unwrap_err().is_empty());
}
