//! The lines of events: encoded once, not once for each client.

use crate::event::Event;
use crate::wire::Reply;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The lines of the latest events of every ring.
#[derive(Debug, Default)]
pub(super) struct LineCache {
    rings: Mutex<Vec<Arc<RingLines>>>,
    encoded: Arc<AtomicU64>,
}

/// The lines of the latest events of one ring, as many as it has slots.
#[derive(Debug)]
pub(super) struct RingLines {
    worker: usize,
    slots: Box<[Mutex<Slot>]>,
    encoded: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Slot {
    sequence: u64,
    /// Whose line it is. It keeps the event's address from being another's, but not the event.
    event: Weak<Event>,
    line: Option<Arc<[u8]>>,
}

impl LineCache {
    /// The lines of a worker's ring, which has so many slots.
    pub(super) fn ring(&self, worker: usize, slots: usize) -> Arc<RingLines> {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = rings.iter().find(|ring| ring.worker == worker) {
            return Arc::clone(ring);
        }
        let ring = Arc::new(RingLines {
            worker,
            slots: (0..slots.max(1)).map(|_| Mutex::default()).collect(),
            encoded: Arc::clone(&self.encoded),
        });
        rings.push(Arc::clone(&ring));
        ring
    }

    /// How many lines were encoded.
    pub(super) fn encoded(&self) -> u64 {
        self.encoded.load(Ordering::Relaxed)
    }
}

impl RingLines {
    /// The line of the event at `sequence`. Who wants the same meanwhile waits until it is encoded.
    pub(super) fn line(&self, sequence: u64, event: &Arc<Event>) -> Arc<[u8]> {
        let index = sequence % self.slots.len() as u64;
        let slot = &self.slots[index as usize]; // less than their number
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = &slot.line {
            if slot.event.as_ptr() == Arc::as_ptr(event) {
                return Arc::clone(line);
            }
            // Ours is a lap old, and about to be lapped. Sequences begin anew with the bus, but then that event is gone.
            if slot.sequence > sequence && slot.event.strong_count() > 0 {
                drop(slot);
                return self.encode(event);
            }
        }
        let line = self.encode(event);
        *slot = Slot {
            sequence,
            event: Arc::downgrade(event),
            line: Some(Arc::clone(&line)),
        };
        line
    }

    fn encode(&self, event: &Event) -> Arc<[u8]> {
        self.encoded.fetch_add(1, Ordering::Relaxed); // a counter
        let line = Reply::response_line(event).unwrap_or_else(|error| {
            // No event that there is; whoever subscribed is told rather than kept in the dark.
            let message = format!("an event of type {} is no JSON: {error}", event.kind());
            Reply::Failure { message }.to_line()
        });
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::thread;

    fn event(n: u64) -> Arc<Event> {
        Arc::new(Event::new("n", json!({ "n": n })))
    }

    fn expected(n: u64) -> Vec<u8> {
        format!("{{\"status\":true,\"response\":{{\"type\":\"n\",\"opts\":{{\"n\":{n}}}}}}}\n")
            .into_bytes()
    }

    #[test]
    fn an_event_is_encoded_once_however_many_ask() {
        let cache = LineCache::default();
        let events: Vec<_> = (0..50).map(event).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let ring = cache.ring(0, 64);
                    for (n, event) in (0..).zip(&events) {
                        assert_eq!(*ring.line(n, event), *expected(n));
                    }
                });
            }
        });
        assert_eq!(cache.encoded(), 50);
    }

    #[test]
    fn an_older_one_never_replaces_a_newer_one() {
        let cache = LineCache::default();
        let ring = cache.ring(0, 4);
        let (old, new) = (event(1), event(5));
        assert_eq!(*ring.line(1, &old), *expected(1));
        assert_eq!(*ring.line(5, &new), *expected(5));
        assert_eq!(*ring.line(1, &old), *expected(1));
        assert_eq!(cache.encoded(), 3);
        assert_eq!(*ring.line(5, &new), *expected(5));
        assert_eq!(cache.encoded(), 3, "it was still there");
    }

    #[test]
    fn sequences_that_begin_anew_find_their_own_events() {
        let cache = LineCache::default();
        let ring = cache.ring(0, 4);
        let before = event(9);
        ring.line(9, &before);
        drop(before);
        let after = event(1);
        assert_eq!(*ring.line(1, &after), *expected(1));
        assert_eq!(*ring.line(1, &after), *expected(1));
        assert_eq!(cache.encoded(), 2, "the old one made room");
    }

    #[test]
    fn rings_have_lines_of_their_own() {
        let cache = LineCache::default();
        let (one, two) = (event(1), event(2));
        assert_eq!(*cache.ring(0, 4).line(1, &one), *expected(1));
        assert_eq!(*cache.ring(1, 4).line(1, &two), *expected(2));
        assert_eq!(*cache.ring(0, 4).line(1, &one), *expected(1));
        assert_eq!(cache.encoded(), 2);
    }
}
