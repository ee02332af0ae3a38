//! How a server is doing, and how it ended.

use super::shared::Shared;
use crate::events::{EventStats, Undelivered};
use ringbus::{
    BusStats, EvictionReason, StopReport, SubscriberState, SubscriberStats, WorkerStats,
};
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
        let EventStats { bus, undelivered } = self.manager.stats();
        let Undelivered {
            stopped,
            exhausted,
            incidents,
        } = undelivered;
        let mut stats = json!({
            "clients": clients,
            "subscriptions": subscriptions,
            "refused": refused,
            "commands": commands,
            "encoded": encoded,
            "undelivered": { "stopped": stopped, "exhausted": exhausted, "incidents": incidents },
        });
        for (key, list) in of_bus(&bus) {
            stats[key] = list;
        }
        stats
    }
}

/// Has a key for each field, in the order of the struct; so do the two below.
fn of_bus(bus: &BusStats) -> [(&'static str, Value); 2] {
    [
        ("workers", bus.workers.iter().map(worker).collect()),
        (
            "subscribers",
            bus.subscribers.iter().map(subscriber).collect(),
        ),
    ]
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
        "slot_bytes": worker.slot_bytes,
        "subscribers": worker.subscribers,
        "published": worker.published,
        "holes": worker.holes,
        "abandoned": worker.abandoned,
        "exhausted": worker.exhausted,
        "evicted": evicted,
        "pinned_slots": worker.pinned_slots,
        "wakes": worker.wakes,
        "notice_panics": worker.notice_panics,
    })
}

fn subscriber(subscriber: &SubscriberStats) -> Value {
    json!({
        "id": subscriber.id.to_string(),
        "name": subscriber.name,
        "worker": subscriber.worker,
        "core": subscriber.core,
        "window": subscriber.window,
        "lag": subscriber.lag,
        "sequence": subscriber.sequence,
        "state": match subscriber.state {
            SubscriberState::Evicted(reason) => format!("evicted: {reason}"),
            state => format!("{state:?}").to_lowercase(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventManager;
    use std::fmt::Debug;

    /// The names of a struct's fields, by what it derives for `{:#?}`: the structs of the core may grow, so no pattern here
    /// can name all of their fields.
    fn fields(of: &impl Debug) -> Vec<String> {
        let text = format!("{of:#?}");
        text.lines()
            .filter_map(|line| line.strip_prefix("    ")?.split_once(':'))
            .filter(|(name, _)| !name.starts_with(' '))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    fn keys(value: &Value) -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_field_of_the_cores_statistics_has_its_key() {
        let manager = EventManager::new().unwrap();
        manager.start(1).unwrap();
        let _subscriber = manager.subscribe().unwrap();
        let stats = manager.stats().bus;
        let (ring, reader) = (&stats.workers[0], &stats.subscribers[0]);
        assert_eq!(keys(&worker(ring)), fields(ring));
        assert_eq!(keys(&subscriber(reader)), fields(reader));
        assert_eq!(
            of_bus(&stats).map(|(key, _)| key.to_owned()),
            *fields(&stats)
        );
    }
}
