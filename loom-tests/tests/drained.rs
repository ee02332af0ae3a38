//! Waiting until the subscribers of a closed bus have read everything.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_b;

use loom::sync::Arc;
use loom::thread::{self, JoinHandle};
use ringbus::{Bus, Subscriber};
use std::future::Future;
use std::pin::{Pin, pin};
use support_b::Wakes;

/// A future waits while the last subscriber reads to the end, and a second one leaves: it is ready, or it is woken.
///
/// Fails without: the fence in the future's poll (it is pending for good); the call in `wait_at`.
#[test]
fn a_future_is_woken_by_the_last_subscriber_that_is_done() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut reader = bus.subscribe().unwrap();
        bus.report(Arc::new(7)).unwrap();
        bus.close();
        let mut drained = pin!(bus.drained());
        let reading = thread::spawn(move || {
            assert_eq!(**reader.try_recv().unwrap(), 7);
            assert!(reader.try_recv().unwrap_err().is_closed());
            reader
        });
        let (wakes, reader) = poll_while(drained.as_mut(), reading);
        assert!(
            wakes
                .poll(|context| drained.as_mut().poll(context))
                .is_ready()
        );
        drop(reader);
    });
}

/// The same of a subscriber that leaves with an event unread.
///
/// Fails without: the fence in `wake_all`; the call in the drop of a reader.
#[test]
fn a_future_is_woken_by_a_subscriber_that_leaves() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let reader = bus.subscribe().unwrap();
        bus.report(Arc::new(7)).unwrap();
        let mut drained = pin!(bus.drained());
        let leaving = thread::spawn(move || drop(reader));
        bus.close();
        let wakes = Wakes::new();
        let is_pending = wakes
            .poll(|context| drained.as_mut().poll(context))
            .is_pending();
        leaving.join().unwrap();
        assert!(!is_pending || wakes.count() > 0, "pending for good");
        assert!(
            wakes
                .poll(|context| drained.as_mut().poll(context))
                .is_ready()
        );
    });
}

/// A reader reads the only event, finds nothing behind it, and looks no more, while the bus closes:
/// the future is ready, or it is woken.
///
/// Fails without the fence in `wait_at`: the reader sees no close, and the future no cursor.
#[test]
fn a_reader_that_found_nothing_need_not_look_again() {
    loom::model(|| {
        a_future_meets(|reader| assert!(reader.try_recv().is_err()));
    });
}

/// The same of a reader that releases the event.
#[test]
fn a_reader_that_released_need_not_look_again() {
    loom::model(|| a_future_meets(Subscriber::release));
}

/// A close and a future, while a reader reads the only event and then does `last`.
fn a_future_meets(last: fn(&mut Subscriber<Arc<u32>>)) {
    let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
    let mut reader = bus.subscribe().unwrap();
    bus.report(Arc::new(7)).unwrap();
    let mut drained = pin!(bus.drained());
    let reading = thread::spawn(move || {
        assert_eq!(**reader.try_recv().unwrap(), 7);
        last(&mut reader);
        reader
    });
    bus.close();
    drop(poll_while(drained.as_mut(), reading));
}

/// Polls a future once while a reader reads: it is ready, or it is woken.
fn poll_while(
    mut drained: Pin<&mut impl Future>,
    reading: JoinHandle<Subscriber<Arc<u32>>>,
) -> (std::sync::Arc<Wakes>, Subscriber<Arc<u32>>) {
    let wakes = Wakes::new();
    let is_pending = wakes
        .poll(|context| drained.as_mut().poll(context))
        .is_pending();
    let reader = reading.join().unwrap();
    assert!(!is_pending || wakes.count() > 0, "pending for good");
    (wakes, reader)
}
