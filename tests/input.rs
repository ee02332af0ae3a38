//! What a host asks for is what it gets, or it is told what would do.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::builder;
use ringbus::{BuildError, Bus, Pinning};
use std::time::Duration;

// Building.

#[test]
fn a_capacity_is_rounded_up_and_can_be_read_back() {
    for (asked, got) in [(1, 64), (63, 64), (64, 64), (65, 128), (1000, 1024)] {
        let bus = builder::<u64>(asked).build().unwrap();
        assert_eq!(bus.capacity(), got);
        bus.stop();
        assert_eq!(bus.capacity(), got, "after a stop");
        let (_publisher, bus) = builder::<u64>(asked).build_exclusive().unwrap();
        assert_eq!(bus.capacity(), got);
    }
}

#[test]
fn a_ring_of_no_events_is_an_error() {
    let refused = builder::<u64>(0).build().unwrap_err();
    assert_eq!(refused, BuildError::ZeroCapacity);
    assert!(refused.to_string().contains("64 at least"));
    let refused = builder::<u64>(0).build_exclusive().unwrap_err();
    assert_eq!(refused, BuildError::ZeroCapacity);
}

#[test]
fn a_grace_that_is_too_short_is_an_error() {
    let least = Duration::from_micros(100);
    for given in [Duration::ZERO, least - Duration::from_nanos(1)] {
        let refused = builder::<u64>(64).stall_grace(given).build().unwrap_err();
        let option = "stall_grace";
        assert_eq!(
            refused,
            BuildError::DurationTooShort {
                option,
                given,
                least
            }
        );
        assert!(refused.to_string().contains("100µs is the shortest"));
    }
    builder::<u64>(64).stall_grace(least).build().unwrap();
}

#[test]
fn a_ring_too_large_says_how_many_bytes_it_would_take() {
    for capacity in [1 << 58, (1 << 58) - 3] {
        let refused = builder::<[u64; 7]>(capacity).build().unwrap_err();
        let BuildError::CapacityTooLarge {
            capacity,
            event_bytes,
            bytes,
        } = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!((capacity, event_bytes, bytes), (1 << 58, 56, 1 << 64));
        assert!(refused.to_string().contains("18446744073709551616 bytes"));
    }
}

#[test]
fn too_few_cores_are_told_in_words() {
    let none = builder::<u64>(64).pinning(Pinning::Cores(Vec::new()));
    assert_eq!(
        none.build().unwrap_err().to_string(),
        "no cores are named, and 1 worker needs one"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_core_that_cannot_be_had_names_those_that_can() {
    use ringbus::PinError;
    use ringbus::affinity::cores;
    let wrong = cores().last().unwrap() + 5_000;
    let refused = builder::<u64>(64)
        .pinning(Pinning::Cores(vec![wrong]))
        .build()
        .unwrap_err();
    let BuildError::Pin(PinError::Refused {
        core, cores: named, ..
    }) = &refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!((*core, named), (wrong, &cores()));
    let said = refused.to_string();
    assert!(
        said.contains(&format!("core {wrong} cannot be had")),
        "{said}"
    );
    assert!(said.contains("; this process may use "), "{said}");
}

// Reporting.

#[test]
fn a_batch_that_is_refused_at_once_says_so() {
    let bus: Bus<u64> = builder(64).build().unwrap();
    bus.stop();
    let refused = bus.publisher().report_batch(&mut (0..5)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the bus is not running: no event of the batch was accepted"
    );
}
