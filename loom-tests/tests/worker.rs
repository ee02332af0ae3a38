//! A worker's own thread: how it sleeps, is woken, and ends.
//!
//! No time passes in a model, so a nap ends only by a wake-up: one that is lost is a deadlock.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, Drive};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

fn driven() -> Bus<Arc<u32>> {
    let builder = Bus::builder().capacity(2).drive(Drive::Threads);
    builder.build().unwrap()
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.check(model);
}

/// A stop that finds the signal raised already is not slept through.
///
/// Fails without: `end` read after the signal is lowered (`Worker::run`), `is_raised` before a nap (`Signal::nap`), `raise` in
/// `Worker::end`: each a deadlock.
#[test]
fn a_worker_ends() {
    check(|| {
        let bus = driven();
        let subscriber = bus.subscribe().unwrap();
        drop(bus.stop_timeout(Duration::ZERO));
        // The ring is closed, and not empty: only the order to end is left.
        drop(subscriber);
    });
}

/// A task that sleeps is woken for a report, by a worker that sleeps as well.
///
/// Fails without: the signal lowered before the look (`Worker::run`), `owed` set in `Ring::enter`, `pay` in `Worker::publish`:
/// each a deadlock.
#[test]
fn a_worker_wakes_who_sleeps() {
    check(|| {
        let bus = driven();
        let mut subscriber = bus.subscribe().unwrap();
        let waker = Waker::from(std::sync::Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        assert!(subscriber.poll_ready(&mut context).is_pending());
        bus.report(Arc::new(7)).unwrap();
        thread::park(); // until the worker has woken us
        assert_eq!(**subscriber.try_recv().unwrap(), 7);
        drop(bus.stop_timeout(Duration::ZERO));
    });
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}
