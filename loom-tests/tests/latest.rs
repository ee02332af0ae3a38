//! [C1 window] Passing over events to the newest one.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_a;

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, TryRecvError};
use support_a::full;

/// The newest event is borrowed only once the cursor has moved there and was found active: a publisher that laps the
/// ring meanwhile goes around it, or was told first.
///
/// Fails without: the advance before the borrow, or the look at the old word after it (`skip_to_newest` in `reader.rs`):
/// each a write under the delivery.
#[test]
fn the_newest_event_is_borrowed_where_the_cursor_is() {
    loom::model(|| {
        let (bus, mut reader) = full();
        let mut publisher = bus.publisher();
        // The first of them drops a reader that is still at event 0; the second goes where event 1 is.
        let reporter = thread::spawn(move || [2, 3].map(|n| publisher.report(Arc::new(n)).is_ok()));
        match reader.latest() {
            // Held to the end. Event 0 only where it is lapped already, and pins what it holds.
            Ok(event) => assert!(**event < 4),
            Err(TryRecvError::Evicted(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
        reporter.join().unwrap();
    });
}

/// Inside of a run there are no stamps of their own: that an event is there, and what is in it, says the head.
///
/// Fails without: the stamp stored with Release, or loaded with Acquire (`commit_exclusive`, `Ring::stamp`).
#[test]
fn the_newest_event_may_lie_inside_of_a_run() {
    loom::model(|| {
        let builder = Bus::<Arc<u32>>::builder().capacity(4);
        let (mut publisher, bus) = builder.build_exclusive().unwrap();
        let mut reader = bus.subscribe().unwrap();
        publisher.report(Arc::new(0)).unwrap();
        // The room ends after event 1; events 2 and 3 are one run.
        let reporter = thread::spawn(move || {
            let mut events = [1, 2, 3].map(Arc::new).into_iter();
            publisher.report_batch(&mut events).unwrap();
            publisher
        });
        let newest = reader.latest().map(|event| **event);
        assert!(
            newest.as_ref().is_ok_and(|newest| *newest < 4),
            "{newest:?}"
        );
        drop(reporter.join().unwrap());
    });
}
