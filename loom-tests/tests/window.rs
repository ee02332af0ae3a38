//! [C1 window] A reader that moves on by two slots at a time, against a publisher that laps.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, SubscribeOptions, Subscriber, TryRecvError, TryReportError};

/// A full ring of four slots, and a reader with a window of two that holds the second event of the first.
fn full() -> (Bus<Arc<u32>>, Subscriber<Arc<u32>>) {
    let bus: Bus<Arc<u32>> = Bus::builder().capacity(4).build().unwrap();
    let mut reader = bus
        .subscribe_with(SubscribeOptions::new().window(2))
        .unwrap();
    for n in 0..4 {
        bus.report(Arc::new(n)).unwrap();
    }
    for n in 0..2 {
        assert_eq!(**reader.try_recv().unwrap(), n);
    }
    (bus, reader)
}

/// The cursor moves on by exactly what was read: no slot that is still to be read is given away, and none is kept.
///
/// Fails without: `advance(next - base)` in `reader.rs` (one more: a write under the delivery; one less: less room than
/// there is), `advance` Release and `look` Acquire in `cursor.rs` (made Relaxed: concurrent read and write).
#[test]
fn a_window_is_given_back_whole() {
    loom::model(|| {
        let (bus, mut reader) = full();
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || {
            let report = |n| match publisher.try_report(Arc::new(n)) {
                Ok(()) => 1,
                Err(TryReportError::Full(_)) => 0,
                Err(other) => panic!("{other:?}"),
            };
            [4, 5, 6].map(report).iter().sum::<u32>()
        });
        assert_eq!(**reader.try_recv().unwrap(), 2);
        let mut accepted = reporter.join().unwrap();
        while bus.try_report(Arc::new(9)).is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, 2);
        assert_eq!(**reader.try_recv().unwrap(), 3);
    });
}

/// A delivery in the middle of a window is never overwritten, nor one beyond it that was delivered after an advance.
///
/// Fails without: the window's bound (`reader.rs`, one slot wider than its cursor pins), the width of the pin
/// (`next_pinned` in `registry.rs`, one less), the look at the old word after an advance (`reader.rs`): each a write under the
/// delivery.
#[test]
fn a_delivery_in_a_window_outlives_an_eviction() {
    loom::model(|| {
        let (bus, mut reader) = full();
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(4)).unwrap());
        let evicted = match reader.try_recv() {
            Ok(event) => {
                assert_eq!(**event, 2);
                false
            }
            Err(TryRecvError::Evicted(_)) => true,
            Err(other) => panic!("{other:?}"),
        };
        reporter.join().unwrap();
        if !evicted {
            assert_eq!(**reader.try_recv().unwrap(), 3);
            assert_eq!(**reader.try_recv().unwrap(), 4);
        }
    });
}

/// Whoever drains is told to move on at the end of its window: what it reads beyond is pinned by its cursor, or was found
/// after the look at the old word.
///
/// Fails without: the window's bound in `take_each` (`reader.rs`): a write under the borrow.
#[test]
fn a_drain_stays_in_its_window() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut reader = bus
            .subscribe_with(SubscribeOptions::new().window(1))
            .unwrap();
        for n in 0..2 {
            bus.report(Arc::new(n)).unwrap();
        }
        let mut publisher = bus.publisher();
        // The first of them drops a reader that is still at event 0; the second goes where event 1 is.
        let reporter = thread::spawn(move || [2, 3].map(|n| publisher.report(Arc::new(n)).is_ok()));
        let mut next = 0;
        let drained = reader.drain(2, |event| {
            assert!(**event >= next);
            next = **event + 1;
        });
        assert!(drained.is_ok_and(|drained| drained <= 2) || next == 0);
        reporter.join().unwrap();
    });
}
