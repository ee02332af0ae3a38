//! [W1 cell] A sleeper's cell: two wakers, and the subscriber that registers.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_b;

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, RecvError};
use std::task::Poll;
use support_b::Wakes;

/// Whoever was told to wait is woken, also if two wakers meet a new registration; the waker is handed over whole.
///
/// Fails without: the compare-and-swap in `SleeperCell::wake` (a store instead, or Relaxed) and `WAKING` respected in `change`:
/// concurrent accesses; the look at the cursor after registering (`reader/sleep.rs`): asleep for good.
#[test]
fn two_wakers_meet_a_registration() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        let (first, second) = (Wakes::new(), Wakes::new());
        assert!(
            first
                .poll(|context| subscriber.poll_ready(context))
                .is_pending()
        );
        let id = subscriber.id();
        let unsubscriber = {
            let bus = bus.clone();
            thread::spawn(move || assert!(bus.unsubscribe(id)))
        };
        let turner = {
            let bus = bus.clone();
            thread::spawn(move || bus.turn().woken)
        };
        let told = second.poll(|context| subscriber.poll_ready(context));
        unsubscriber.join().unwrap();
        turner.join().unwrap();
        match told {
            Poll::Pending => assert!(second.count() > 0, "asleep for good"),
            Poll::Ready(Err(RecvError::Evicted(_))) => {}
            Poll::Ready(other) => panic!("{other:?}"),
        }
        assert!(first.count() <= 1);
    });
}

/// A thread that sleeps is woken by the report or by its eviction, whichever comes; the handle in
/// its cell is one waker's at a time, and its subscriber's after that.
///
/// Fails without: the compare-and-swap in `SleeperCell::wake_thread` (Relaxed, or the store after
/// it): concurrent accesses.
#[test]
fn a_report_and_an_eviction_wake_one_thread() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(4).build().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        let id = subscriber.id();
        let reader = thread::spawn(move || {
            loop {
                match subscriber.recv() {
                    Ok(event) => assert_eq!(**event, 7),
                    Err(RecvError::Evicted(_)) => return,
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(7)).unwrap());
        assert!(bus.unsubscribe(id));
        reporter.join().unwrap();
        reader.join().unwrap();
    });
}
