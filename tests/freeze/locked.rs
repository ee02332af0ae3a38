//! A bus that waits: a ring under a mutex. The harness must say so.

use crate::bus::{Bus, CAPACITY, How, Next, Publisher, Subscriber};
use crate::event::{Body, Event};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub(crate) struct Locked<B: Body>(Arc<Shared<B>>);

struct Shared<B: Body> {
    ring: Mutex<Ring<B>>,
    came: Condvar,
}

struct Ring<B: Body> {
    events: VecDeque<Event<B>>,
    /// The sequence of the first of them.
    first: u64,
    closed: bool,
}

impl<B: Body> Locked<B> {
    pub(crate) fn new() -> Self {
        let ring = Ring {
            events: VecDeque::with_capacity(CAPACITY as usize + 1),
            first: 0,
            closed: false,
        };
        Locked(Arc::new(Shared {
            ring: Mutex::new(ring),
            came: Condvar::new(),
        }))
    }
}

pub(crate) struct Handle<B: Body>(Arc<Shared<B>>);

pub(crate) struct Cursor<B: Body> {
    shared: Arc<Shared<B>>,
    next: u64,
    how: How,
}

impl<B: Body> Bus<B> for Locked<B> {
    type Publisher = Handle<B>;
    type Subscriber = Cursor<B>;
    const HAS_WORKER: bool = false;

    fn publisher(&self) -> Handle<B> {
        Handle(Arc::clone(&self.0))
    }

    fn subscribe(&self, how: How) -> Option<Cursor<B>> {
        let ring = self.0.ring.lock().unwrap();
        Some(Cursor {
            shared: Arc::clone(&self.0),
            next: ring.first + ring.events.len() as u64,
            how,
        })
    }

    fn unsubscribe(&self, _: &Cursor<B>) {}

    fn close(&self) {
        self.0.ring.lock().unwrap().closed = true;
        self.0.came.notify_all();
    }

    fn figures(&self) -> String {
        let ring = self.0.ring.lock().unwrap();
        format!("{} events", ring.first + ring.events.len() as u64)
    }
}

impl<B: Body> Publisher<B> for Handle<B> {
    fn report(&mut self, event: Event<B>) {
        let mut ring = self.0.ring.lock().unwrap();
        if ring.events.len() as u64 == CAPACITY {
            ring.events.pop_front();
            ring.first += 1;
        }
        ring.events.push_back(event);
        self.0.came.notify_all();
    }

    fn report_batch(&mut self, events: &mut dyn Iterator<Item = Event<B>>) {
        events.for_each(|event| self.report(event));
    }
}

impl<B: Body> Subscriber<B> for Cursor<B> {
    fn next(&mut self, seen: &mut dyn FnMut(&Event<B>)) -> Next {
        let nap = match self.how {
            How::Spin => Duration::ZERO,
            How::Park => Duration::from_millis(10),
        };
        let next = self.next;
        let nothing =
            |ring: &mut Ring<B>| !ring.closed && next == ring.first + ring.events.len() as u64;
        let ring = self.shared.ring.lock().unwrap();
        let waited = self.shared.came.wait_timeout_while(ring, nap, nothing);
        let ring = waited.unwrap().0;
        if let Some(missed) = ring.first.checked_sub(next).filter(|missed| *missed > 0) {
            self.next = ring.first;
            return Next::Missed(missed);
        }
        match ring.events.get((next - ring.first) as usize) {
            Some(event) => {
                seen(event);
                self.next += 1;
                Next::Event
            }
            None if ring.closed => Next::Closed,
            None => Next::Empty,
        }
    }
}
