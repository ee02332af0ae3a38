//! What the models share: a small bus, and a subscriber that remembers what it saw.
#![allow(dead_code)] // each model uses what it needs
#![allow(clippy::unwrap_used)] // a panic is how a failure is told

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, Delivery, Eviction, SubscribeOptions, Subscriber, TryRecvError};

/// Counted, so that loom finds what leaks and what is dropped twice.
pub type Event = Arc<u32>;

/// Explores a model, however long one way through it is.
pub fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Runs both on threads of their own, so that either may be first without a preemption, and gives what they return.
pub fn race<A: 'static, B: 'static>(
    one: impl FnOnce() -> A + 'static,
    other: impl FnOnce() -> B + 'static,
) -> (A, B) {
    let one = thread::spawn(one);
    let other = thread::spawn(other);
    (one.join().unwrap(), other.join().unwrap())
}

/// A bus that anybody may report to.
pub fn shared(capacity: usize) -> Bus<Event> {
    Bus::builder().capacity(capacity).build().unwrap()
}

/// A full ring of two slots, and a reader with a window of one that has read nothing.
pub fn full() -> (Bus<Event>, Subscriber<Event>) {
    let bus = shared(2);
    let options = SubscribeOptions::new().window(1);
    let reader = bus.subscribe_with(options).unwrap();
    for n in 0..2 {
        bus.report(Arc::new(n)).unwrap();
    }
    (bus, reader)
}

/// A subscriber, and what it saw.
pub struct Reader {
    subscriber: Subscriber<Event>,
    /// Sequences and events.
    pub seen: Vec<(u64, u32)>,
    pub evicted: Option<Eviction>,
}

impl Reader {
    pub fn join<M>(bus: &Bus<Event, M>, window: usize) -> Self {
        let options = SubscribeOptions::new().window(window);
        Reader {
            subscriber: bus.subscribe_with(options).unwrap(),
            seen: Vec::new(),
            evicted: None,
        }
    }

    /// Looks once; true if there was an event, which is held until the next call.
    pub fn poll(&mut self) -> bool {
        match self.subscriber.try_recv() {
            Ok(event) => {
                self.seen.push((Delivery::sequence(&event), **event));
                true
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => false,
            Err(TryRecvError::Evicted(eviction)) => {
                self.evicted = Some(eviction);
                false
            }
            Err(lagged) => panic!("{lagged}"),
        }
    }

    /// Looks until there is nothing more.
    pub fn drain(&mut self) {
        while self.poll() {}
    }

    /// Done with what it holds.
    pub fn release(&mut self) {
        self.subscriber.release();
    }

    pub fn lag(&self) -> u64 {
        self.subscriber.lag()
    }

    pub fn id(&self) -> ringbus::SubscriberId {
        self.subscriber.id()
    }

    /// The events without their sequences.
    pub fn events(&self) -> Vec<u32> {
        self.seen.iter().map(|(_, event)| *event).collect()
    }

    /// The events, sorted.
    pub fn sorted(&self) -> Vec<u32> {
        let mut events = self.events();
        events.sort_unstable();
        events
    }
}
