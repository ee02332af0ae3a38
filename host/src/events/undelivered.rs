//! Events that reached nobody: counted each, logged once a row.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Events that reached nobody, by reason. Counters: read one by one, together no instant of the manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// Reported before a start, after a stop, or during a shutdown.
    pub stopped: u64,
    /// Reported while too much of a ring was frozen: see [`ReportError::Exhausted`](ringbus::ReportError::Exhausted).
    pub exhausted: u64,
    /// Rows of them, each ended by an event that was delivered. Each was logged once.
    pub incidents: u64,
}

impl Undelivered {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.stopped + self.exhausted
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Stopped,
    Exhausted,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    stopped: AtomicU64,
    exhausted: AtomicU64,
    incidents: AtomicU64,
    in_incident: AtomicBool,
}

// Relaxed throughout: counters, and a flag that guards nothing but the log.
impl Ledger {
    pub(super) fn delivered(&self) {
        // Looked at first: as a rule there is none, and the line stays shared.
        if self.in_incident.load(Ordering::Relaxed) {
            self.in_incident.store(false, Ordering::Relaxed);
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        let (count, why) = match refusal {
            Refusal::Stopped => (&self.stopped, "the event manager is not running"),
            Refusal::Exhausted => (&self.exhausted, "too much of the ring is frozen"),
        };
        count.fetch_add(1, Ordering::Relaxed);
        if !self.in_incident.swap(true, Ordering::Relaxed) {
            self.incidents.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                "event not delivered: {why}; those that follow are only counted, until one is"
            );
        }
    }

    pub(super) fn read(&self) -> Undelivered {
        Undelivered {
            stopped: self.stopped.load(Ordering::Relaxed),
            exhausted: self.exhausted.load(Ordering::Relaxed),
            incidents: self.incidents.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_by_reason_and_a_row_is_one_incident_until_a_delivery() {
        let ledger = Ledger::default();
        ledger.refused(Refusal::Stopped);
        ledger.refused(Refusal::Exhausted);
        ledger.refused(Refusal::Exhausted);
        ledger.delivered();
        ledger.delivered();
        ledger.refused(Refusal::Exhausted);
        let found = ledger.read();
        assert_eq!((found.stopped, found.exhausted), (1, 3));
        assert_eq!((found.incidents, found.total()), (2, 4));
    }
}
