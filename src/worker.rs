//! A worker: one ring, its cursors, and the thread (or the host's turns) that wakes and watches.
//!
//! Progress of publishers and of subscribers that are awake never depends on it.

pub(crate) mod set;
mod thread;
pub(crate) mod turn;

use crate::config::Config;
use crate::error::{BuildError, EvictionReason, SubscribeError};
use crate::failpoint::failpoint;
use crate::notice::EvictionNotice;
use crate::registry::Registry;
use crate::registry::registration::Registration;
use crate::ring::Ring;
use crate::ring::batch::Batch;
use crate::ring::gate::{Policy, Refusal};
use crate::ring::listeners::PendingWake;
use crate::ring::protocol::Protocol;
use crate::ring::write_cursor::WriteCursor;
use crate::stack::Stack;
use crate::sync::{Arc, AtomicBool, AtomicU64, OnceLock, Ordering, fence};
use crate::wait::notify::Notify;

#[derive(Debug)]
pub(crate) struct Worker<E> {
    pub(crate) id: usize,
    /// Where its thread is pinned.
    pub(crate) core: OnceLock<usize>,
    pub(crate) ring: Ring<E>,
    pub(crate) notify: Notify,
    pub(crate) config: Arc<Config>,
    pub(crate) counters: WorkerCounters,
    /// Drops that subscribers told themselves, when they rejoined.
    pub(crate) queued_notices: Stack<EvictionNotice>,
    /// A stop waits for the subscribers: their soft limits are not watched any more.
    stopping: AtomicBool,
    ending: AtomicBool,
    run: Run,
}

/// Which run of its bus a worker belongs to: the first is 1.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) number: u64,
    /// The run that was started last.
    pub(crate) latest: Arc<AtomicU64>,
}

impl Run {
    /// Returns whether the bus has been started again since this run.
    pub(crate) fn is_over(&self) -> bool {
        // Relaxed: a number, for an error's text.
        self.latest.load(Ordering::Relaxed) != self.number
    }
}

/// What a worker has done, for statistics. All Relaxed.
#[derive(Debug)]
pub(crate) struct WorkerCounters {
    pub(crate) evicted: [AtomicU64; EvictionReason::COUNT],
    pub(crate) wakes: AtomicU64,
    pub(crate) notice_panics: AtomicU64,
}

impl<E> Worker<E> {
    pub(crate) fn new(
        id: usize,
        run: Run,
        protocol: Protocol,
        config: &Arc<Config>,
        registry: &Arc<Registry>,
    ) -> Result<Self, BuildError> {
        Ok(Worker {
            id,
            core: OnceLock::new(),
            ring: Ring::new(
                config.capacity,
                config.layout,
                protocol,
                Arc::clone(registry),
                id,
            )?,
            notify: Notify::new(),
            config: Arc::clone(config),
            counters: WorkerCounters {
                evicted: std::array::from_fn(|_| AtomicU64::new(0)),
                wakes: AtomicU64::new(0),
                notice_panics: AtomicU64::new(0),
            },
            queued_notices: Stack::new(),
            stopping: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            run,
        })
    }

    // For publishers: each pays the wake-up that the ring's operation owes, whatever came of it.

    // Inlined for certain: see `send`.
    #[inline(always)]
    pub(crate) fn publish(&self, event: E, policy: Policy) -> Result<Option<E>, (Refusal, E)> {
        let mut pending = PendingWake::default();
        let result = self.ring.publish(event, policy, &mut pending);
        self.pay(pending);
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
        self.pay(pending);
        result
    }

    /// Looks for room for the exclusive publisher beyond its tip.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_exclusive_room(
        &self,
        cursor: &mut WriteCursor,
        policy: Policy,
    ) -> Result<(), Refusal> {
        let mut pending = PendingWake::default();
        let result = self.ring.find_exclusive_room(cursor, policy, &mut pending);
        self.pay(pending);
        result
    }

    /// After a commit by the exclusive publisher: somebody asked for a wake-up.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake_sleepers(&self) {
        if self.ring.take_asleep() {
            self.wake_one();
        }
    }

    /// Takes a claim that hangs from its publisher.
    #[cold]
    pub(crate) fn abandon(&self, sequence: u64) {
        let mut pending = PendingWake::default();
        self.ring.abandon(sequence, &mut pending);
        self.pay(pending);
    }

    /// Finds room for one event, without claiming it.
    pub(crate) fn prepare(&self, policy: Policy) -> Result<(), Refusal> {
        let mut pending = PendingWake::default();
        let result = self.ring.prepare(policy, &mut pending);
        self.pay(pending);
        result
    }

    #[inline(always)]
    pub(crate) fn pay(&self, pending: PendingWake) {
        if !pending.is_nothing() {
            self.pay_up(pending);
        }
    }

    #[cold]
    #[inline(never)]
    fn pay_up(&self, pending: PendingWake) {
        if pending.is_turn() {
            self.wake();
        } else {
            self.wake_one();
        }
    }

    /// Wakes one thread that sleeps and has something to read. All other sleepers are the worker's:
    /// tasks, because their wakers are user code, and further threads, because each takes a system
    /// call.
    fn wake_one(&self) {
        // SYNC sleep: sleepers that registered before are seen; those that come after look for
        // themselves.
        fence(Ordering::SeqCst);
        let registrations = self.ring.registry().load();
        let mut one = None;
        let mut others = false;
        for registration in registrations.iter() {
            if !registration.sleeper.is_asleep() {
                continue;
            }
            if self.sleeps_on(registration) {
                // On a shared ring its own stamp bears its mark. On an exclusive ring all sleepers
                // share the one that was taken.
                others |= !self.ring.protocol().marks_stamps();
            } else if one.is_none() && registration.sleeper.is_thread_asleep() {
                one = Some(registration);
            } else {
                others = true;
            }
        }
        // First, because this publisher may be frozen in between.
        if others {
            self.wake();
        }
        let Some(registration) = one else {
            return;
        };
        failpoint!(Raised);
        if registration.sleeper.wake_thread() {
            self.counters.wakes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// There is nothing yet where a subscriber sleeps, nor will it end.
    fn sleeps_on(&self, registration: &Registration) -> bool {
        let position = registration.cursor.look();
        position.is_active() && !self.ring.is_closed() && self.ring.is_pending(position.sequence())
    }

    /// Wakes the worker, if it sleeps.
    #[cold]
    pub(crate) fn wake(&self) {
        if self.notify.notify() {
            self.counters.wakes.fetch_add(1, Ordering::Relaxed);
        }
    }

    // Ending.

    /// [C8 close] No event is accepted after this; sleepers are woken to find out.
    pub(crate) fn close(&self) {
        self.ring.close();
        self.wake();
        for registration in self.ring.registry().registrations().iter() {
            registration.wake();
        }
        self.ring.registry().drain_waiters().wake_all();
    }

    /// Returns whether a subscriber of this ring has still something to read: it has neither read everything nor left.
    pub(crate) fn is_read_by(&self, registration: &Registration) -> bool {
        !registration.is_retired()
            && registration.cursor.look().is_active()
            && registration.cursor.look().sequence() < self.ring.tail()
    }

    /// Returns how many sequences the cursor of a subscriber has not passed.
    pub(crate) fn lag(&self, registration: &Registration) -> u64 {
        self.ring.lag(registration.cursor.glance().sequence())
    }

    /// What a subscriber of a closed ring is told that wants to join again.
    pub(crate) fn why_closed(&self) -> SubscribeError {
        if self.run.is_over() {
            SubscribeError::Restarted
        } else {
            SubscribeError::Stopped
        }
    }

    /// [C8 close] A stop begins: subscribers read on to the end, and no soft limit drops them.
    pub(crate) fn stop(&self) {
        // Relaxed: a turn that is under way may still drop a subscriber that was over its limit before.
        self.stopping.store(true, Ordering::Relaxed);
        self.close();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The thread ends at its next turn.
    pub(crate) fn end(&self) {
        // Relaxed: the signal that is raised next carries it.
        self.ending.store(true, Ordering::Relaxed);
        self.wake();
    }
}
