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
