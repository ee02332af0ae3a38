//! A worker: one ring, its subscribers, and what is counted. What its thread (or the host) does is in [`turn`].
//!
//! Progress of publishers and of subscribers that are awake never depends on it.

mod close;
mod publish;
pub(crate) mod set;
mod thread;
pub(crate) mod turn;
mod wake;

use crate::config::Config;
use crate::error::{BuildError, EvictionReason, SubscribeError};
use crate::notice::EvictionNotice;
use crate::registry::Registry;
use crate::registry::registration::Registration;
use crate::ring::Ring;
use crate::ring::protocol::Protocol;
use crate::stack::Stack;
use crate::sync::{Arc, AtomicBool, AtomicU64, OnceLock, Ordering};
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

    /// Returns whether a subscriber of this ring has still something to read: it has neither read everything nor left.
    pub(crate) fn has_unread(&self, registration: &Registration) -> bool {
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

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
