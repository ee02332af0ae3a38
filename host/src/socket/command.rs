//! What clients may ask for.

use super::connection::Connection;
use super::pump::Pump;
use super::shared::{MAX_REPORTED_LINE, Shared};
use crate::dispatch::{Context, DispatchError, Request};
use crate::event::Event;
use crate::filter::{Filter, FilterError};
use crate::wire::Command;
use ringbus::{SubscribeError, SubscribeOptions, WaitStrategy};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the events of one broadcast wait for subscribers that are a whole ring behind.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a command that succeeded has led to.
pub(super) enum Outcome {
    Response(Value),
    /// A subscription that stands, and whose events wait to be written.
    Subscribed(Box<Pump>),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("unknown command: {0}")]
    Unknown(String),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("the filter is too long: at most {MAX_REPORTED_LINE} bytes")]
    LongFilter,
    #[error("too many subscriptions: at most {limit} a client")]
    TooManySubscriptions { limit: usize },
    #[error("cannot subscribe: {0}")]
    Subscribe(#[from] SubscribeError),
    #[error("no thread for the subscription: {0}")]
    Thread(io::Error),
    #[error("opts of event_broadcast: {0}")]
    Broadcast(serde_json::Error),
    #[error("events[{index}]: {source}")]
    Event {
        index: usize,
        source: serde_json::Error,
    },
    #[error("{cmd}: {source}")]
    Version { cmd: String, source: DispatchError },
    #[error(transparent)]
    Method(DispatchError),
}

impl Shared {
    /// Executes a command of a client's: `line` is what it was read from.
    pub(super) fn run(
        &self,
        connection: &Arc<Connection>,
        id: u64,
        line: &[u8],
        command: &Command,
    ) -> Result<Outcome, CommandError> {
        // With a namespace or a version it is a method, whatever its name.
        let own = command.namespace.is_none() && command.version.is_none();
        let response = match command.cmd.as_str() {
            "ping" if own => "pong".into(),
            "stats" if own => self.stats_json(),
            "event_subscribe" if own => {
                if line.len() > MAX_REPORTED_LINE {
                    return Err(CommandError::LongFilter);
                }
                let pump = self.subscribe(connection, id, command)?;
                return Ok(Outcome::Subscribed(Box::new(pump)));
            }
            "event_broadcast" if own => {
                self.broadcast(line)?;
                Value::Null
            }
            _ => self.call(connection, id, command)?,
        };
        Ok(Outcome::Response(response))
    }

    fn subscribe(
        &self,
        connection: &Arc<Connection>,
        id: u64,
        command: &Command,
    ) -> Result<Pump, CommandError> {
        let filter = Filter::try_from(&Value::Object(command.opts.clone()))?;
        let limit = self.limits.subscriptions;
        if connection.pumps() >= limit {
            return Err(CommandError::TooManySubscriptions { limit });
        }
        let options = SubscribeOptions::new()
            .name(format!("process {}, command {id}", connection.peer.pid))
            // Many sleep, and their windows add up.
            .wait(WaitStrategy::Park)
            .window(1);
        let subscriber = self.manager.subscribe_with(options)?;
        let worker = subscriber.worker();
        let stats = self.manager.stats().bus;
        let slots = stats.workers.get(worker).map_or(1, |ring| ring.capacity);
        let lines = self.lines.ring(worker, slots);
        Ok(Pump::new(subscriber, filter, lines, Arc::clone(connection)))
    }

    /// Reports all events or none.
    fn broadcast(&self, line: &[u8]) -> Result<(), CommandError> {
        // From the text: a command's opts know no more how their numbers were written.
        let Broadcast { opts } = serde_json::from_slice(line).map_err(CommandError::Broadcast)?;
        let none = || CommandError::Broadcast(serde::de::Error::missing_field("events"));
        let opts = opts.ok_or_else(none)?;
        let parsed = opts.events.iter().enumerate().map(|(index, event)| {
            serde_json::from_str::<Event>(event.get())
                .map_err(|source| CommandError::Event { index, source })
        });
        let events = parsed.collect::<Result<Vec<_>, _>>()?;
        self.manager.report_all(events, PATIENCE);
        Ok(())
    }

    fn call(
        &self,
        connection: &Connection,
        id: u64,
        command: &Command,
    ) -> Result<Value, CommandError> {
        let unknown = || CommandError::Unknown(command.cmd.clone());
        let dispatcher = self.dispatcher.as_ref().ok_or_else(unknown)?;
        let mut request = Request::new(&command.cmd);
        request.namespace.clone_from(&command.namespace);
        request.args = Value::Object(command.opts.clone());
        if let Some(version) = &command.version {
            request.version.clone_from(version);
        }
        let context = Context::new(connection.peer.into()).with_request_id(format!("command-{id}"));
        dispatcher
            .dispatch(&context, request)
            .map_err(|error| match error {
                DispatchError::NoSuchMethod { .. } => unknown(),
                DispatchError::BadVersion(_) | DispatchError::UnsupportedVersion { .. } => {
                    let cmd = command.cmd.clone();
                    CommandError::Version { cmd, source: error }
                }
                _ => CommandError::Method(error),
            })
    }
}

#[derive(Deserialize)]
struct Broadcast<'a> {
    #[serde(borrow)]
    opts: Option<Events<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Events<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}
