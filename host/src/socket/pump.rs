//! One subscription: takes events from the bus and writes them to the client.

use super::cache::RingLines;
use super::connection::Connection;
use crate::event::Event;
use crate::filter::Filter;
use crate::wire::Reply;
use ringbus::{Delivery, EvictionReason, RecvError, Subscriber, SubscriberId};
use std::io;
use std::sync::Arc;

/// How many bytes of lines are gathered for one write, give or take a line.
const BATCH: usize = 64 << 10;

/// How many events are looked at before those that matched are written.
const LOOKS: usize = 1024;

/// Runs on a thread of its own.
pub(super) struct Pump {
    subscriber: Subscriber<Arc<Event>>,
    filter: Filter,
    lines: Arc<RingLines>,
    connection: Arc<Connection>,
}

impl Pump {
    pub(super) fn new(
        subscriber: Subscriber<Arc<Event>>,
        filter: Filter,
        lines: Arc<RingLines>,
        connection: Arc<Connection>,
    ) -> Self {
        Pump {
            subscriber,
            filter,
            lines,
            connection,
        }
    }

    pub(super) fn id(&self) -> SubscriberId {
        self.subscriber.id()
    }

    /// Until the subscription ends, or the client is gone; at once without `own`: the event of the end of the command that
    /// made it, of which it does not tell.
    pub(super) fn run(mut self, own: Option<Arc<Event>>) {
        let _end = EndPump(Arc::clone(&self.connection));
        let Some(own) = own else { return };
        match self.pump(&own) {
            Ok(RecvError::Evicted(eviction)) if eviction.reason != EvictionReason::Unsubscribed => {
                tracing::warn!(peer = ?self.connection.peer, "a client was dropped: {eviction}");
                let message = format!("dropped: {eviction}");
                let _ = self
                    .connection
                    .outlet
                    .write(&Reply::Failure { message }.to_line()); // it goes either way
                self.connection.outlet.close();
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(peer = ?self.connection.peer, "writing events: {error}");
            }
        }
    }

    /// Writes events as they come: why no more come, or why they cannot be written.
    fn pump(&mut self, own: &Arc<Event>) -> io::Result<RecvError> {
        let mut batch = Vec::new();
        let (filter, lines) = (&self.filter, &self.lines);
        loop {
            match self.subscriber.recv() {
                Ok(delivery) => gather(&mut batch, &delivery, filter, own, lines),
                Err(end) => return Ok(end),
            }
            for _ in 0..LOOKS {
                if batch.len() >= BATCH {
                    break;
                }
                // An end is met again by `recv`.
                let Ok(delivery) = self.subscriber.try_recv() else {
                    break;
                };
                gather(&mut batch, &delivery, filter, own, lines);
            }
            self.subscriber.release();
            if !batch.is_empty() {
                self.connection.outlet.write(&batch)?;
                batch.clear();
                batch.shrink_to(BATCH);
            }
        }
    }
}

/// Adds the line of an event that is wanted.
fn gather(
    batch: &mut Vec<u8>,
    delivery: &Delivery<'_, Arc<Event>>,
    filter: &Filter,
    own: &Arc<Event>,
    lines: &RingLines,
) {
    let event: &Arc<Event> = delivery;
    // That very event, not one that says the same. And the end of all is told to everybody.
    let told = matches!(**event, Event::OsctldShutdown) || filter.matches(event);
    if told && !Arc::ptr_eq(event, own) {
        batch.extend_from_slice(&lines.line(Delivery::sequence(delivery), event));
    }
}

/// Also when its thread panics.
struct EndPump(Arc<Connection>);

impl Drop for EndPump {
    fn drop(&mut self) {
        self.0.end_pump();
    }
}
