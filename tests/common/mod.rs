//! What several test files need: buses, a patient wait, and values that are counted.
#![allow(dead_code, clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::{Bus, BusBuilder, Drive, Pinning};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for any machine, so that nothing depends on it but how a failure ends.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn builder<E: Send + Sync + 'static>(capacity: usize) -> BusBuilder<E> {
    Bus::builder().capacity(capacity).pinning(Pinning::Off)
}

/// A bus that has no threads of its own.
pub(crate) fn manual<E: Send + Sync + 'static>(capacity: usize) -> Bus<E> {
    builder(capacity).drive(Drive::Manual).build().unwrap()
}

/// A bus with a worker's thread.
pub(crate) fn threaded<E: Send + Sync + 'static>(capacity: usize) -> Bus<E> {
    builder(capacity).build().unwrap()
}

/// Gives others the core until `done`.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LONG, "waited in vain: {what}");
        thread::yield_now();
    }
}

/// Tells other threads to end, however its own does.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Counts values that were made and dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census(Arc<(AtomicUsize, AtomicUsize)>);

impl Census {
    pub(crate) fn value(&self, number: u64) -> Counted {
        self.0.0.fetch_add(1, Ordering::Relaxed);
        Counted {
            number,
            check: !number,
            heap: vec![number as u8; number as usize % 40].into(),
            census: self.clone(),
        }
    }

    pub(crate) fn made(&self) -> usize {
        self.0.0.load(Ordering::Acquire)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.1.load(Ordering::Acquire)
    }

    pub(crate) fn alive(&self) -> usize {
        self.made() - self.dropped()
    }

    /// The ring is freed by whoever holds it last, perhaps a worker's thread.
    pub(crate) fn expect_all_dropped(&self) {
        until("every value dropped", || self.dropped() >= self.made());
        assert_eq!(self.dropped(), self.made(), "values dropped twice");
    }
}

/// A value that shows whether it is whole, and counts its drop.
#[derive(Debug)]
pub(crate) struct Counted {
    number: u64,
    check: u64,
    heap: Box<[u8]>,
    census: Census,
}

impl Counted {
    /// Its number, after a look at every part of it.
    pub(crate) fn number(&self) -> u64 {
        assert_eq!(self.check, !self.number, "torn or dropped");
        assert_eq!(self.heap.len(), self.number as usize % 40);
        assert!(self.heap.iter().all(|&byte| byte == self.number as u8));
        self.number
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.census.value(self.number())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.number();
        self.check = self.number; // a second drop would find it torn
        self.census.0.1.fetch_add(1, Ordering::Release);
    }
}
