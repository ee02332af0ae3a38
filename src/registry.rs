//! Who is subscribed to a bus, ring by ring.
//!
//! One copy-on-write snapshot serves all rings of a bus, so that choosing the ring with the fewest subscribers and
//! joining it are one swap. Joining, leaving and pruning are lock-free; looking is wait-free and never allocates.
//!
//! - **\[C4 pin\]** The window of an evicted reader is passed over in every lap until it has detached.
//! - **\[C6 join\]** A cursor is registered before the tail is read that it starts from.
//! - **\[C7 capacity\]** Windows add up to at most a quarter of the ring.
//!
//! **Architecture Invariant:** knows cursors, never slots.

pub(crate) mod cursor;
pub(crate) mod progress;
pub(crate) mod registration;

use crate::drain::DrainWaiters;
use crate::error::{SubscribeError, WindowHolder};
use crate::limits;
use crate::snapshot::{Loaded, Snapshot};
use crate::subscriber::id::SubscriberId;
use crate::subscriber::options::SubscribeOptions;
use crate::sync::Arc;
use registration::Registration;
use std::cmp::Reverse;
use std::ops::Deref;

type Registrations = Arc<Vec<Arc<Registration>>>;

/// Who is subscribed, ring by ring.
#[derive(Debug)]
pub(crate) struct Registry {
    snapshot: Snapshot<RegistrySnapshot>,
    drain_waiters: DrainWaiters,
}

#[derive(Clone, Debug)]
pub(crate) struct RegistrySnapshot {
    rings: Vec<Registrations>,
}

impl RegistrySnapshot {
    pub(crate) fn of(&self, ring: usize) -> &[Arc<Registration>] {
        &self.rings[ring]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &Arc<Registration>)> {
        (0..).zip(&self.rings).flat_map(|(ring, registrations)| {
            registrations
                .iter()
                .map(move |registration| (ring, registration))
        })
    }
}

impl Registry {
    pub(crate) fn new(rings: usize) -> Self {
        Registry {
            snapshot: Snapshot::new(RegistrySnapshot {
                rings: vec![Registrations::default(); rings],
            }),
            drain_waiters: DrainWaiters::new(),
        }
    }

    pub(crate) fn drain_waiters(&self) -> &DrainWaiters {
        &self.drain_waiters
    }

    pub(crate) fn load(&self) -> Loaded<RegistrySnapshot> {
        self.snapshot.load()
    }

    /// Registers a subscriber in the ring of its options, or in the one with the fewest active subscribers, the first of a tie.
    ///
    /// `tail_of` gives a ring's tail, where the cursor starts until it moves up.
    pub(crate) fn register(
        &self,
        id: SubscriberId,
        options: &SubscribeOptions,
        is_handler: bool,
        size: RingSize,
        tail_of: impl Fn(usize) -> u64,
    ) -> Result<(usize, Arc<Registration>), SubscribeError> {
        self.snapshot
            .update(|snapshot| {
                let workers = snapshot.rings.len();
                let chosen = match options.worker {
                    Some(worker) if worker >= workers => {
                        return Err(SubscribeError::NoSuchWorker { worker, workers });
                    }
                    Some(worker) => worker,
                    None => snapshot.least_loaded(),
                };
                let window = snapshot
                    .window_for(chosen, options, size)
                    .ok_or_else(|| snapshot.full(chosen, size.capacity))?;
                let registration = Arc::new(Registration::new(
                    id,
                    options.clone(),
                    is_handler,
                    window,
                    tail_of(chosen),
                ));
                let mut next = snapshot.clone();
                let mut registrations = unreclaimed(snapshot.of(chosen));
                registrations.push(Arc::clone(&registration));
                next.rings[chosen] = Registrations::new(registrations);
                Ok((next, (chosen, registration)))
            })
            .inspect(|_| self.snapshot.sweep())
    }

    /// Takes registrations out of a ring's list that are not needed any more.
    pub(crate) fn prune(&self, ring: usize) {
        // The only error is that there is nothing to do.
        let pruned = self.snapshot.update(|snapshot| {
            let kept = unreclaimed(snapshot.of(ring));
            if kept.len() == snapshot.of(ring).len() {
                return Err(());
            }
            let mut next = snapshot.clone();
            next.rings[ring] = Registrations::new(kept);
            Ok((next, ()))
        });
        if pruned.is_ok() {
            self.snapshot.sweep();
        }
    }
}

fn unreclaimed(registrations: &[Arc<Registration>]) -> Vec<Arc<Registration>> {
    registrations
        .iter()
        .filter(|registration| !registration.is_reclaimable())
        .cloned()
        .collect()
}

impl RegistrySnapshot {
    fn least_loaded(&self) -> usize {
        let active = |registrations: &Registrations| {
            registrations
                .iter()
                .filter(|registration| registration.cursor.glance().is_active())
                .count()
        };
        let (first, _) = (0..)
            .zip(&self.rings)
            .min_by_key(|(_, registrations)| active(registrations))
            .unwrap_or((0, &self.rings[0]));
        first
    }

    /// [C7 capacity] The widest window, a power of two, that takes at most an eighth of what is
    /// left, and at least 1: so early subscribers read in long strides, and a small ring still has room
    /// for many.
    ///
    /// At most 8 where time or distance is limited: a cursor moves once a window, and the watch sees cursors only.
    fn window_for(&self, ring: usize, options: &SubscribeOptions, size: RingSize) -> Option<u64> {
        let spent: u64 = self
            .holders(ring)
            .map(|registration| registration.window)
            .sum();
        let left = (size.capacity / limits::PIN_SHARE).checked_sub(spent)?;
        if left == 0 {
            return None;
        }
        let widest = match options.window {
            None if options.is_limited() => (left / 8).clamp(1, 8),
            None => (left / 8).clamp(1, size.default_window()),
            Some(wanted) => (wanted as u64).clamp(1, left),
        };
        Some(1 << widest.min(limits::WIDEST_WINDOW).ilog2())
    }
}

/// How large each ring is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingSize {
    pub(crate) capacity: u64,
    pub(crate) slot_bytes: usize,
}

impl RingSize {
    /// The bytes of slots in the widest window by default.
    const WINDOW_BYTES: u64 = 4096;

    /// The widest window by default: as many slots as lie in [`WINDOW_BYTES`](Self::WINDOW_BYTES),
    /// but not less than half of the widest window.
    ///
    /// Small events are read fast, so that moving the cursor costs more than many of them. Of large
    /// ones a reader would leave its nearest cache: it keeps a whole window between its own and the
    /// publisher.
    fn default_window(self) -> u64 {
        let slots = Self::WINDOW_BYTES / self.slot_bytes.max(1) as u64;
        slots.clamp(limits::WIDEST_WINDOW / 2, limits::WIDEST_WINDOW)
    }
}

impl RegistrySnapshot {
    /// Those whose windows count: a subscriber that was evicted holds its window until it has retired.
    fn holders(&self, ring: usize) -> impl Iterator<Item = &Registration> {
        let registrations = self.of(ring).iter().map(|registration| &**registration);
        registrations.filter(|registration| !registration.is_retired())
    }

    #[cold]
    fn full(&self, ring: usize, capacity: u64) -> SubscribeError {
        let mut holders: Vec<_> = self
            .holders(ring)
            .map(|registration| WindowHolder {
                subscriber: registration.id,
                name: registration.options.name.clone(),
                slots: registration.window,
            })
            .collect();
        holders.sort_by_key(|holder| Reverse(holder.slots));
        SubscribeError::Full {
            worker: ring,
            slots: capacity / limits::PIN_SHARE,
            holders,
        }
    }
}

/// One ring's view of the registry.
#[derive(Debug)]
pub(crate) struct RingRegistry {
    registry: Arc<Registry>,
    ring: usize,
}

impl RingRegistry {
    pub(crate) fn new(registry: Arc<Registry>, ring: usize) -> Self {
        RingRegistry { registry, ring }
    }

    /// Who is listed now. A copy of the list's count: good across user code.
    pub(crate) fn registrations(&self) -> Registrations {
        Arc::clone(&self.registry.load().rings[self.ring])
    }

    pub(crate) fn prune(&self) {
        self.registry.prune(self.ring);
    }

    /// The registry of the whole bus.
    pub(crate) fn of_bus(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The futures that wait until all subscribers have read everything.
    pub(crate) fn drain_waiters(&self) -> &DrainWaiters {
        self.registry.drain_waiters()
    }

    /// Returns the registrations of this ring as they are now. Wait-free, and good while no user code
    /// runs.
    pub(crate) fn load(&self) -> RingSnapshot {
        RingSnapshot {
            snapshot: self.registry.load(),
            ring: self.ring,
        }
    }
}

/// A loaded [`RingRegistry`].
pub(crate) struct RingSnapshot {
    snapshot: Loaded<RegistrySnapshot>,
    ring: usize,
}

impl Deref for RingSnapshot {
    type Target = [Arc<Registration>];

    fn deref(&self) -> &[Arc<Registration>] {
        self.snapshot.of(self.ring)
    }
}
