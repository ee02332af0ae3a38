//! The ring's operations, as publishers and readers call them: each wakes whom it owes a wake-up,
//! whatever came of it.

use super::Worker;
use crate::ring::batch::Batch;
use crate::ring::gate::{Policy, Refusal};
use crate::ring::listeners::PendingWake;
use crate::ring::write_cursor::WriteCursor;

impl<E> Worker<E> {
    // Inlined for certain: see `send`.
    #[inline(always)]
    pub(crate) fn publish(&self, event: E, policy: Policy) -> Result<Option<E>, (Refusal, E)> {
        let mut pending = PendingWake::default();
        let result = self.ring.publish(event, policy, &mut pending);
        self.wake_pending(pending);
        result
    }

    pub(crate) fn publish_batch(
        &self,
        batch: &mut Batch<'_, E>,
        count: usize,
        publishers: u64,
        policy: Policy,
    ) -> Result<(), Refusal> {
        let mut pending = PendingWake::default();
        let result = self
            .ring
            .publish_batch(batch, count, publishers, policy, &mut pending);
        self.wake_pending(pending);
        result
    }

    /// Looks for room for the exclusive publisher beyond its cursor.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_exclusive_room(
        &self,
        cursor: &mut WriteCursor,
        policy: Policy,
    ) -> Result<(), Refusal> {
        let mut pending = PendingWake::default();
        let result = self.ring.find_exclusive_room(cursor, policy, &mut pending);
        self.wake_pending(pending);
        result
    }

    /// Finds room for one event, without claiming it.
    pub(crate) fn prepare(&self, policy: Policy) -> Result<(), Refusal> {
        let mut pending = PendingWake::default();
        let result = self.ring.prepare(policy, &mut pending);
        self.wake_pending(pending);
        result
    }

    /// Takes a claim that hangs away from its publisher.
    #[cold]
    pub(crate) fn abandon(&self, sequence: u64) {
        let mut pending = PendingWake::default();
        self.ring.abandon(sequence, &mut pending);
        self.wake_pending(pending);
    }
}
