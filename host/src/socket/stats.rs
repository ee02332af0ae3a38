//! How a server is doing, and how it ended.

use super::shared::Shared;
use ringbus::{EvictionReason, StopReport, WorkerStats};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What [`Server::stats`](crate::Server::stats) found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Clients that are connected.
    pub clients: usize,
    /// Their subscriptions.
    pub subscriptions: usize,
    /// Clients that were not let in, since the start.
    pub refused: u64,
    /// Commands that were begun, since the start.
    pub commands: u64,
    /// Lines of events that were encoded, since the start.
    pub encoded: u64,
}

/// How a server ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerReport {
    /// How the stop of the event manager went.
    pub events: Option<StopReport>,
    /// Clients that were connected when it began.
    pub clients: usize,
    /// Those of them that had not taken all by the deadline, and were disconnected.
    pub cut: usize,
    /// Those of them whose methods had not returned by then. Their threads go on.
    pub busy: usize,
    /// How long it took.
    pub took: Duration,
}

impl Shared {
    pub(super) fn stats(&self) -> ServerStats {
        let (clients, refused) = self.lobby.counts();
        ServerStats {
            clients,
            subscriptions: self.lobby.subscriptions(),
            refused,
            commands: self.commands.load(std::sync::atomic::Ordering::Relaxed),
            encoded: self.lines.encoded(),
        }
    }

    /// For clients.
    pub(super) fn stats_json(&self) -> Value {
        let ServerStats {
            clients,
            subscriptions,
            refused,
            commands,
            encoded,
        } = self.stats();
        let events = self.manager.stats();
        json!({
            "clients": clients,
            "subscriptions": subscriptions,
            "refused": refused,
            "commands": commands,
            "encoded": encoded,
            "undelivered": {
                "stopped": events.undelivered.stopped,
                "exhausted": events.undelivered.exhausted,
                "incidents": events.undelivered.incidents,
            },
            "workers": events.bus.workers.iter().map(worker).collect::<Vec<_>>(),
        })
    }
}

fn worker(worker: &WorkerStats) -> Value {
    let evicted: Map<String, Value> = EvictionReason::ALL
        .into_iter()
        .map(|reason| (reason.to_string(), worker.evicted_for(reason).into()))
        .collect();
    json!({
        "id": worker.id,
        "core": worker.core,
        "capacity": worker.capacity,
        "subscribers": worker.subscribers,
        "published": worker.published,
        "holes": worker.holes,
        "evicted": evicted,
    })
}
