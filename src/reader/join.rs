//! Joining a ring: for the first time, and again after a drop.
//!
//! - **\[C6 join\]** A cursor is registered before the tail is read that it starts from.

use super::window::ReadWindow;
use super::{Reader, throttle_at};
use crate::error::{EvictionReason, SubscribeError};
use crate::registry::registration::Registration;
use crate::subscriber::id::SubscriberId;
use crate::subscriber::options::SubscribeOptions;
use crate::sync::{Arc, ModelArc};
use crate::worker::Worker;
use crate::worker::set::WorkerSet;

impl<E> Reader<E> {
    /// Registers a subscriber with the bus's workers, and joins it to the ring that was chosen.
    pub(crate) fn subscribe(
        set: &WorkerSet<E>,
        id: SubscriberId,
        options: &SubscribeOptions,
        is_handler: bool,
    ) -> Result<Self, SubscribeError> {
        let workers = &set.workers;
        let size = workers
            .first()
            .ok_or(SubscribeError::Stopped)?
            .ring
            .ring_size();
        options.check(size.capacity)?;
        let tail_of = |ring: usize| workers[ring].ring.tail();
        let registered = set
            .registry
            .register(id, options, is_handler, size, tail_of);
        let (ring, registration) = registered?;
        let worker = &workers[ring];
        worker.ring.add_listener();
        let reader = Reader::join(worker, registration);
        if worker.ring.is_closed() {
            // A stop came between: what it closed ends at once.
            drop(reader);
            return Err(SubscribeError::Stopped);
        }
        Ok(reader)
    }

    /// [C6 join] Joins a ring from its tail as it stands, after the cursor was registered.
    fn join(worker: &ModelArc<Worker<E>>, registration: Arc<Registration>) -> Self {
        let start = registration.cursor.glance().sequence();
        let tail = worker.ring.tail_after_fence();
        let joined = if registration.cursor.move_up(start, tail) {
            tail
        } else {
            // Evicted meanwhile: nothing was read, so nothing is pinned.
            registration.cursor.detach();
            join_again(worker, &registration)
        };
        registration.arm_notice();
        if registration.is_unsubscribed() {
            // Unsubscribed while it joined, by a host that found it in the statistics.
            registration.evict(EvictionReason::Unsubscribed);
            worker.ring.registry().drain_waiters().wake_all();
        }
        Reader::new(ModelArc::clone(worker), registration, joined)
    }

    /// [C6 join] Joins at the tail again. Returns how many sequences were missed, or `None` if the ring is closed:
    /// then `prepare` is not called, so that an unsubscription stands.
    pub(crate) fn rejoin(&mut self, prepare: impl FnOnce(&Registration)) -> Option<u64> {
        self.held.end();
        if self.worker.ring.is_closed() {
            return None;
        }
        prepare(&self.registration);
        if self.evicted.is_none() && !self.registration.cursor.glance().is_active() {
            self.leave_evicted();
        }
        if self.evicted.is_none() {
            // Of its own will: there is nothing to tell, unless an eviction comes just now.
            if self.registration.cursor.detach().is_active() {
                self.registration.disarm_notice();
            }
        }
        self.worker.queue_notice(&self.registration);
        let tail = join_again(&self.worker, &self.registration);
        let missed = tail.saturating_sub(self.window.next());
        self.registration.arm_notice();
        if self.registration.is_unsubscribed() {
            // Looked at after the join: an unsubscription that did not see this cursor active is seen here.
            self.registration.evict(EvictionReason::Unsubscribed);
        }
        self.window = ReadWindow::at(tail, self.window_at(tail));
        self.idle = false;
        self.evicted = None;
        self.throttle = throttle_at(&self.worker, tail);
        self.stall.restore(self.worker.config.grace());
        // Should the ring be closed meanwhile, it has read everything.
        self.worker.ring.registry().drain_waiters().wake_all();
        Some(missed)
    }
}

/// [C6 join] Joins with a cursor of this thread's that is detached. Returns where it joined.
fn join_again<E>(worker: &Worker<E>, registration: &Registration) -> u64 {
    loop {
        let start = worker.ring.tail();
        registration.cursor.restart(start);
        let tail = worker.ring.tail_after_fence();
        if registration.cursor.move_up(start, tail) {
            return tail;
        }
        registration.cursor.detach();
    }
}
