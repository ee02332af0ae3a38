//! The workers of one run of a bus.

use super::Worker;
use crate::registry::Registry;
use crate::registry::registration::Registration;
use crate::subscriber::id::SubscriberId;
use crate::sync::{Arc, ModelArc};

/// The workers of one run, from a start to a stop.
#[derive(Debug)]
pub(crate) struct WorkerSet<E> {
    pub(crate) workers: Vec<ModelArc<Worker<E>>>,
    pub(crate) registry: Arc<Registry>,
}

impl<E> WorkerSet<E> {
    pub(crate) fn none() -> Self {
        WorkerSet {
            workers: Vec::new(),
            registry: Arc::new(Registry::new(0)),
        }
    }

    /// Returns whether every ring is closed, and every subscriber has read everything or left.
    pub(crate) fn is_drained(&self) -> bool {
        let is_closed = |worker: &ModelArc<Worker<E>>| worker.ring.is_closed();
        let snapshot = self.registry.load();
        self.workers.iter().all(is_closed)
            && !snapshot
                .all()
                .any(|(ring, registration)| self.workers[ring].has_unread(registration))
    }

    pub(crate) fn find(
        &self,
        id: SubscriberId,
    ) -> Option<(&ModelArc<Worker<E>>, Arc<Registration>)> {
        let snapshot = self.registry.load();

        snapshot
            .all()
            .find(|(_, registration)| registration.id == id && !registration.is_retired())
            .map(|(ring, registration)| (&self.workers[ring], Arc::clone(registration)))
    }
}
