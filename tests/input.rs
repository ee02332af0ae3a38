//! What a host asks for is what it gets, or it is told what would do.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::builder;
use ringbus::{BuildError, Bus, Pinning};

// Building.

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
