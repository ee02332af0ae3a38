//! What a host asks for is what it gets, or it is told what would do.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{builder, manual};
use ringbus::{
    BuildError, Bus, Delivery, Drive, EvictionReason, ManualClock, Pinning, SubscribeError,
    SubscribeOptions,
};
use std::time::Duration;

// Building.

#[test]
fn a_capacity_is_rounded_up_and_can_be_read_back() {
    for (asked, got) in [(1, 64), (63, 64), (64, 64), (65, 128), (1000, 1024)] {
        let bus = builder::<u64>(asked).build().unwrap();
        assert_eq!(bus.capacity(), got);
        let _ = bus.stop();
        assert_eq!(bus.capacity(), got, "after a stop");
        let (_publisher, bus) = builder::<u64>(asked).build_exclusive().unwrap();
        assert_eq!(bus.capacity(), got);
    }
}

#[test]
fn a_ring_of_no_events_is_an_error() {
    let refused = builder::<u64>(0).build().unwrap_err();
    assert_eq!(refused, BuildError::ZeroCapacity);
    assert!(refused.to_string().contains("1 or more would do"));
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
fn a_worker_is_pinned_if_the_host_asks_for_it() {
    let core = |bus: &Bus<u64>| bus.stats().workers[0].core;
    assert_eq!(core(&Bus::builder().build().unwrap()), None, "unasked");
    assert_eq!(Pinning::default(), Pinning::Off);
    let cores = ringbus::affinity::cores();
    let asked = Bus::builder().pinning(Pinning::Auto).build().unwrap();
    assert_eq!(core(&asked).is_some(), cores.len() > 1);
    let named = Bus::builder().pinning(Pinning::Cores(vec![cores[0]]));
    assert_eq!(core(&named.build().unwrap()), Some(cores[0]));
}

#[test]
fn too_few_cores_are_told_in_words() {
    let none = builder::<u64>(64).pinning(Pinning::Cores(Vec::new()));
    assert_eq!(
        none.build().unwrap_err().to_string(),
        "pinning: no cores are named, and 1 worker needs one"
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
        said.contains(&format!("core {wrong} is not available")),
        "{said}"
    );
    assert!(said.contains("; this process may use core"), "{said}");
}

// Subscribing.

fn options() -> SubscribeOptions {
    SubscribeOptions::new()
}

#[test]
fn a_window_is_what_was_asked_for_or_can_be_read_back() {
    let bus = manual::<u64>(1024);
    for (asked, got) in [(1, 1), (2, 2), (3, 2), (31, 16), (32, 32)] {
        let subscriber = bus.subscribe_with(options().window(asked)).unwrap();
        assert_eq!(subscriber.window(), got, "of {asked}");
        assert_eq!(bus.stats().subscribers[0].window, got);
    }
    assert_eq!(
        bus.subscribe().unwrap().window(),
        32,
        "as wide as there is room for"
    );
    // A quarter of 64 slots, to be shared out.
    let bus = manual::<u64>(64);
    let _nine: Vec<_> = (0..9)
        .map(|_| bus.subscribe_with(options().window(1)).unwrap())
        .collect();
    let cut = bus.subscribe_with(options().window(8)).unwrap();
    assert_eq!(cut.window(), 4, "7 slots were left");
}

#[test]
fn a_window_that_none_can_be_is_an_error() {
    let bus = manual::<u64>(4096);
    for slots in [0, 129, 1000, usize::MAX] {
        let refused = bus.subscribe_with(options().window(slots)).unwrap_err();
        assert_eq!(
            refused,
            SubscribeError::WindowOutOfRange { slots, most: 128 }
        );
        assert!(refused.to_string().contains("1 to 128 would do"));
        let handled = bus.handle(options().window(slots), |_| {}).unwrap_err();
        assert_eq!(handled, refused);
    }
    assert!(bus.stats().subscribers.is_empty());
}

#[test]
fn a_lag_limit_that_never_fires_is_an_error() {
    let second = Duration::from_secs(1);
    let bus = manual::<u64>(100);
    for slots in [128, 129, u64::MAX] {
        let refused = bus.subscribe_with(options().lag_limit(slots, second));
        let refused = refused.unwrap_err();
        let capacity = 128;
        assert_eq!(
            refused,
            SubscribeError::LagLimitTooLarge { slots, capacity }
        );
        assert!(
            refused.to_string().contains("at most 127 would do"),
            "{refused}"
        );
    }
    bus.subscribe_with(options().lag_limit(127, second))
        .unwrap();
}

#[test]
fn the_widest_lag_limit_that_is_taken_can_fire() {
    let (clock, millisecond) = (ManualClock::new(), Duration::from_millis(1));
    let bus = builder(64).drive(Drive::Manual).clock(clock.clone());
    let bus = bus.build().unwrap();
    let limited = options().lag_limit(63, millisecond);
    let stuck = bus.subscribe_with(limited).unwrap();
    while bus.try_report(7u64).is_ok() {}
    bus.turn();
    clock.advance(2 * millisecond);
    assert_eq!(bus.turn().evicted, 1);
    let eviction = stuck.eviction().unwrap();
    assert_eq!(eviction.reason, EvictionReason::Lagging);
}

#[test]
fn a_limit_of_no_time_is_an_error() {
    let bus = manual::<u64>(64);
    for (options, option) in [
        (options().lag_limit(0, Duration::ZERO), "lag_limit"),
        (options().lag_limit(9, Duration::ZERO), "lag_limit"),
        (options().stall_limit(Duration::ZERO), "stall_limit"),
    ] {
        let refused = bus.subscribe_with(options).unwrap_err();
        assert_eq!(refused, SubscribeError::ZeroDuration { option });
        assert!(refused.to_string().starts_with(option));
    }
}

#[test]
fn a_name_with_a_control_character_is_an_error() {
    let bus = manual::<u64>(64);
    for (name, position, character) in [
        ("\0", 0, '\0'),
        ("a\0b", 1, '\0'),
        ("\u{e9}\u{1b}[31mred", 2, '\u{1b}'),
        ("two\nlines", 3, '\n'),
        ("c1\u{9b}", 2, '\u{9b}'),
    ] {
        let refused = bus.subscribe_with(options().name(name)).unwrap_err();
        assert_eq!(
            refused,
            SubscribeError::InvalidName {
                position,
                character
            }
        );
        let said = refused.to_string();
        assert!(said.contains(&format!("at byte {position}")), "{said}");
        assert!(!said.contains(character), "{said:?} has it itself");
        assert!(bus.handle(options().name(name), |_| {}).is_err());
    }
    bus.subscribe_with(options().name("\u{540d}\u{524d}"))
        .unwrap();
}

#[test]
fn a_full_ring_says_who_holds_how_many_slots() {
    let bus = manual::<u64>(64);
    let wide = bus
        .subscribe_with(options().name("wide").window(8))
        .unwrap();
    let narrow: Vec<_> = (0..8)
        .map(|_| bus.subscribe_with(options().window(1)).unwrap())
        .collect();
    // One that was dropped holds its window until it is gone.
    bus.unsubscribe(narrow[7].id());
    let full = bus.subscribe().unwrap_err();
    let SubscribeError::Full {
        worker,
        slots,
        holders,
        ..
    } = &full
    else {
        panic!("{full:?}");
    };
    assert_eq!((*worker, *slots, holders.len()), (0, 16, 9));
    assert_eq!(
        (holders[0].subscriber, holders[0].slots),
        (wide.id(), 8),
        "the widest is the first"
    );
    assert_eq!(holders[0].name.as_deref(), Some("wide"));
    assert_eq!(holders.iter().map(|holder| holder.slots).sum::<u64>(), 16);
    let said = full.to_string();
    assert!(said.contains("(wide) holds 8, "), "{said}");
    assert!(said.contains(" and 6 others hold 6; "), "{said}");
}

#[test]
fn the_slowest_of_a_worker_is_named() {
    let bus = builder::<u64>(64).drive(Drive::Manual).workers(2);
    let bus = bus.build().unwrap();
    let on = |worker| bus.subscribe_with(options().worker(worker)).unwrap();
    assert_eq!(bus.slowest(0), None, "no subscriber");
    let (mut quick, slow, other) = (on(0), on(0), on(1));
    for n in 0..10 {
        bus.report(n).unwrap();
    }
    quick.drain(10, |_| {}).unwrap();
    quick.release();
    let slowest = bus.slowest(0).unwrap();
    assert_eq!(
        (slowest.id, slowest.lag, slowest.worker),
        (slow.id(), 10, 0)
    );
    assert_eq!(bus.slowest(1).unwrap().id, other.id());
    assert_eq!(bus.slowest(2), None, "no such worker");
    bus.unsubscribe(slow.id());
    assert_eq!(
        bus.slowest(0).unwrap().id,
        quick.id(),
        "dropped ones are no more"
    );
    let _ = bus.stop_timeout(Duration::ZERO);
    assert_eq!(bus.slowest(0), None, "stopped");

    let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let slow = bus.subscribe().unwrap();
    while publisher.try_report(7u64).is_ok() {}
    let slowest = bus.slowest(0).unwrap();
    assert_eq!((slowest.id, slowest.lag), (slow.id(), 64));
}

#[test]
fn where_a_subscriber_stands_is_public() {
    let bus = manual::<u64>(64);
    bus.report(0).unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    let first = subscriber.next_sequence();
    for n in 0..5 {
        bus.report(n).unwrap();
    }
    for n in 0..3 {
        assert_eq!(subscriber.next_sequence(), first + n);
        let event = subscriber.try_recv().unwrap();
        assert_eq!(Delivery::sequence(&event), first + n);
    }
    assert_eq!(subscriber.rejoin(), Ok(2));
    assert_eq!(subscriber.next_sequence(), first + 5);
    assert_eq!(subscriber.lag(), 0);
}

// Reporting.

#[test]
fn a_batch_is_anything_that_can_be_iterated() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    assert_eq!(publisher.report_batch(0..10).unwrap(), 10);
    assert_eq!(publisher.report_batch(vec![10, 11]).unwrap(), 2);
    assert_eq!(publisher.try_report_batch([12, 13]), 2);
    let mut left = 14..100;
    assert_eq!(publisher.try_report_batch(&mut left), 50);
    assert_eq!(left, 64..100, "by reference for what is left");
    let mut seen = Vec::new();
    subscriber.drain(64, |n| seen.push(*n)).unwrap();
    assert_eq!(seen, (0..64).collect::<Vec<_>>());

    let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let _subscriber = bus.subscribe().unwrap();
    assert_eq!(publisher.report_batch(0..10).unwrap(), 10);
    assert_eq!(publisher.report_batch(vec![10, 11]).unwrap(), 2);
    assert_eq!(publisher.try_report_batch([12, 13]), 2);
    let mut left = 14..100;
    assert_eq!(publisher.try_report_batch(&mut left), 50);
    assert_eq!(left, 64..100);
}

#[test]
fn a_batch_that_is_refused_at_once_says_so() {
    let bus: Bus<u64> = builder(64).build().unwrap();
    let _ = bus.stop();
    let refused = bus.publisher().report_batch(&mut (0..5)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the bus is not running: no event of the batch was accepted"
    );
}
