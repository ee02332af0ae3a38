//! Event managers, and events that are numbers.
#![allow(dead_code, clippy::disallowed_types, clippy::unwrap_used)]

use crate::common::{LONG, builder};
use ringbus::{BusBuilder, Subscriber};
use ringbus_host::{Event, EventManager};
use serde_json::json;
use std::sync::Arc;

/// A manager that was not started yet.
pub(crate) fn stopped(bus: BusBuilder<Arc<Event>>) -> EventManager {
    let bus = bus.stop_timeout(LONG);
    EventManager::builder().bus(bus).build().unwrap()
}

/// A manager of rings of 64 slots, one for each worker.
pub(crate) fn started(workers: usize) -> EventManager {
    let manager = stopped(builder(64));
    manager.start(workers).unwrap();
    manager
}

pub(crate) fn numbered(n: u64) -> Event {
    Event::new("n", json!({ "n": n }))
}

pub(crate) fn number(event: &Event) -> u64 {
    event.opts()["n"].as_u64().unwrap()
}

/// Takes the numbers that are there.
pub(crate) fn numbers(subscriber: &mut Subscriber<Arc<Event>>) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Ok(event) = subscriber.try_recv() {
        numbers.push(number(&event));
    }
    numbers
}
