//! One subscription: takes events from the bus and writes them to the client.

use super::cache::RingLines;
use super::connection::Connection;
use crate::host::event::{CommandState, Event};
use crate::host::filter::Filter;
use crate::host::wire::Reply;
use crate::{Delivery, EvictionReason, RecvError, Subscriber, SubscriberId};
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
    /// The command that made it, until its end came by, of which it does not tell.
    command: Option<u64>,
    lines: Arc<RingLines>,
    connection: Arc<Connection>,
}

impl Pump {
    pub(super) fn new(
        subscriber: Subscriber<Arc<Event>>,
        filter: Filter,
        command: u64,
        lines: Arc<RingLines>,
        connection: Arc<Connection>,
    ) -> Self {
        Pump {
            subscriber,
            filter,
            command: Some(command),
            lines,
            connection,
        }
    }

    pub(super) fn id(&self) -> SubscriberId {
        self.subscriber.id()
    }

    /// Until the subscription ends, or the client is gone; at once unless it `begins`.
    pub(super) fn run(mut self, begins: bool) {
        let _end = EndPump(Arc::clone(&self.connection));
        if !begins {
            return;
        }
        match self.pump() {
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
    fn pump(&mut self) -> io::Result<RecvError> {
        let mut batch = Vec::new();
        let (filter, lines, command) = (&self.filter, &self.lines, &mut self.command);
        loop {
            match self.subscriber.recv() {
                Ok(delivery) => gather(&mut batch, &delivery, filter, command, lines),
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
                gather(&mut batch, &delivery, filter, command, lines);
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
    command: &mut Option<u64>,
    lines: &RingLines,
) {
    let event: &Arc<Event> = delivery;
    if command.is_some_and(|command| is_end_of(event, command)) {
        *command = None; // once: what others report under the same number is told
    } else if matches!(**event, Event::OsctldShutdown) || filter.matches(event) {
        // The end is told to everybody.
        batch.extend_from_slice(&lines.line(Delivery::sequence(delivery), event));
    }
}

fn is_end_of(event: &Event, command: u64) -> bool {
    matches!(event, Event::Management { id, state: CommandState::Done, .. } if *id == command)
}

/// Also when its thread panics.
struct EndPump(Arc<Connection>);

impl Drop for EndPump {
    fn drop(&mut self) {
        self.0.end_pump();
    }
}
