//! [C8 close] Closing against a publisher, and against a sleeper.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, RecvError, ReportError, TryRecvError};
use std::time::Duration;

/// An event is accepted and read before `Closed`, or refused and given back.
///
/// Fails without: `fetch_or` in `Ring::close` (a load and a store: a claim is lost from the tail), the closed bit checked in
/// `Ring::claim` (accepted after the end), `next >= tail` before `Closed` in `reader.rs` (a claim in flight is not awaited).
#[test]
fn an_accepted_event_is_read_before_the_end() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || match publisher.report(Arc::new(7)) {
            Ok(()) => true,
            Err(ReportError::Stopped(event)) => {
                assert_eq!(*event, 7);
                assert_eq!(Arc::strong_count(&event), 1);
                false
            }
            Err(other) => panic!("{other:?}"),
        });
        let stopper = thread::spawn(move || drop(bus.stop_timeout(Duration::ZERO)));
        let mut seen = Vec::new();
        let mut end = None;
        let mut look = |times| {
            for _ in 0..times {
                match subscriber.try_recv() {
                    _ if end.is_some() => {}
                    Ok(event) => seen.push(**event),
                    Err(TryRecvError::Empty) => {}
                    Err(error) => end = Some(error),
                }
            }
        };
        look(1);
        stopper.join().unwrap();
        look(1);
        let accepted = reporter.join().unwrap();
        look(3);
        match end {
            // A stop that waits for nobody drops whoever it finds behind.
            Some(TryRecvError::Evicted(_)) => assert!(accepted || seen.is_empty()),
            Some(TryRecvError::Closed) => {
                assert_eq!(seen.as_slice(), if accepted { &[7][..] } else { &[] });
            }
            other => panic!("{other:?}"),
        }
    });
}

/// A sleeper is woken by the close itself: no turn is needed.
///
/// Fails without: the fence in `Ring::close` and the one in `Reader::fall_asleep`, the look at `is_closed` after it,
/// the wake-up in `Worker::close`: each a deadlock.
#[test]
fn a_sleeper_is_woken_by_the_close() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        let reader = thread::spawn(move || matches!(subscriber.recv(), Err(RecvError::Closed)));
        drop(bus);
        assert!(reader.join().unwrap());
    });
}
