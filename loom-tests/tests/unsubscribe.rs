//! Unsubscribing a reader that rejoins by itself.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the models run on loom's own types

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, EvictionReason, OnLap, SubscribeOptions, TryRecvError};

/// A reader that was lapped rejoins by itself, while the host unsubscribes it: whoever comes first, it is gone.
///
/// Fails without: the look at the mark at the end of `Reader::rejoin`, or the fences between mark and cursor (the reader
/// lives on).
#[test]
fn what_is_unsubscribed_does_not_come_back() {
    loom::model(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let options = SubscribeOptions::new().window(1).on_lap(OnLap::Rejoin);
        let mut subscriber = bus.subscribe_with(options).unwrap();
        for n in 0..3 {
            bus.report(Arc::new(n)).unwrap();
        }
        let (host, id) = (bus.clone(), subscriber.id());
        let unsubscriber = thread::spawn(move || host.unsubscribe(id));
        let rejoined = matches!(subscriber.try_recv(), Err(TryRecvError::Lagged(_)));
        assert!(unsubscriber.join().unwrap());
        match subscriber.try_recv() {
            Err(TryRecvError::Evicted(end)) => {
                assert_eq!(end.reason, EvictionReason::Unsubscribed);
            }
            other => panic!("rejoined before: {rejoined}, then {other:?}"),
        }
    });
}
