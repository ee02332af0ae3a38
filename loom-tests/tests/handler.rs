//! How a handler ends.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, HandlerEnd, SubscribeOptions};

type Event = Arc<u32>;

/// A handler that is unsubscribed ends, though it may be about to sleep just then.
///
/// Fails without: the fence in `Member::wake_evicted`, the one in `Reader::fall_asleep`, the look at the cursor after it: each
/// a deadlock.
#[test]
fn an_unsubscribed_handler_ends() {
    loom::model(|| {
        let bus: Bus<Event> = Bus::builder().capacity(2).build().unwrap();
        let guard = bus
            .handle(SubscribeOptions::new(), |_: &Event| {
                // The next sleep ends at once, so that the one after it meets an idle cursor.
                thread::current().unpark();
            })
            .unwrap();
        bus.report(Arc::new(1)).unwrap();
        bus.unsubscribe(guard.id());
        assert_eq!(guard.join(), HandlerEnd::Unsubscribed);
    });
}

/// A handler has handled what was accepted before a close, and then ends as closed.
///
/// Fails without: `next >= tail` before `Closed` in `reader.rs` (an event is left), the wake-up in `Worker::close` (a
/// deadlock).
#[test]
fn a_handler_ends_with_its_bus() {
    loom::model(|| {
        let bus: Bus<Event> = Bus::builder().capacity(2).build().unwrap();
        let seen = Arc::new(loom::sync::atomic::AtomicU32::new(0));
        let count = Arc::clone(&seen);
        let guard = bus
            .handle(SubscribeOptions::new(), move |event: &Event| {
                count.fetch_add(**event, loom::sync::atomic::Ordering::Relaxed);
            })
            .unwrap();
        bus.report(Arc::new(7)).unwrap();
        drop(bus);
        assert_eq!(guard.join(), HandlerEnd::Closed);
        assert_eq!(seen.load(loom::sync::atomic::Ordering::Relaxed), 7);
    });
}

/// A panic ends this handler alone: the publisher goes on, whether it meets the cursor before or after.
///
/// Fails without: `contain` around the handler (`run` in `handler.rs`): the panic is the model's;
/// the fence at the start of `Worker::turn`: a thread sleeps for good.
#[test]
fn a_handler_that_panics_is_in_nobodys_way() {
    loom::model(|| {
        let bus: Bus<Event> = Bus::builder().capacity(2).build().unwrap();
        let guard = bus
            .handle(SubscribeOptions::new(), |_: &Event| {
                // A panic, without the message.
                std::panic::resume_unwind(Box::new(()))
            })
            .unwrap();
        bus.report(Arc::new(1)).unwrap();
        bus.turn(); // it may sleep
        assert!(matches!(guard.join(), HandlerEnd::Panicked(_)));
        // It is in nobody's way.
        for n in 2..5 {
            bus.try_report(Arc::new(n)).unwrap();
        }
        bus.turn();
        assert_eq!(bus.stats().subscribers.len(), 0);
    });
}
