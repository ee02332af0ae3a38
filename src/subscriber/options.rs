//! What a subscriber asks for.

use crate::member::{LagLimit, OnLap, Terms};
use crate::wait::WaitStrategy;
use std::time::Duration;

/// What a subscriber asks for.
///
/// ```
/// use ringbus::{OnLap, SubscribeOptions};
/// use std::time::Duration;
///
/// let options = SubscribeOptions::new()
///     .name("risk")
///     .on_lap(OnLap::Rejoin)
///     .lag_limit(500, Duration::from_millis(20));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SubscribeOptions {
    terms: Terms,
    worker: Option<usize>,
    wait: WaitStrategy,
}

impl SubscribeOptions {
    /// No name, no limits, no core, the worker with the fewest subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name for statistics and notices.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.terms.name = Some(name.into());
        self
    }

    /// The core for a handler's thread, or for [`Subscriber::pin_current_thread`](crate::Subscriber::pin_current_thread).
    pub fn core(mut self, core: usize) -> Self {
        self.terms.core = Some(core);
        self
    }

    /// The worker whose ring to read. Default: the one with the fewest active subscribers, the first of a tie.
    pub fn worker(mut self, worker: usize) -> Self {
        self.worker = Some(worker);
        self
    }

    /// How blocking calls wait. Default [`WaitStrategy::Backoff`].
    pub fn wait(mut self, strategy: WaitStrategy) -> Self {
        self.wait = strategy;
        self
    }

    /// What becomes of it when it is too slow. Default [`OnLap::Evict`].
    pub fn on_lap(mut self, what: OnLap) -> Self {
        self.terms.on_lap = what;
        self
    }

    /// Drop it as [`Lagging`](crate::EvictionReason::Lagging) when it is more than `slots` sequences behind for longer than
    /// `time`. Default: no such limit.
    ///
    /// What counts is the cursor, which moves once a [`window`](Self::window), by default at most 8 slots where there is
    /// such a limit, and whenever there is nothing more to read.
    pub fn lag_limit(mut self, slots: u64, time: Duration) -> Self {
        self.terms.lag_limit = Some(LagLimit { slots, time });
        self
    }

    /// Drop it as [`Stalled`](crate::EvictionReason::Stalled) when it is behind and has not moved for `time`. Default: no such
    /// limit.
    ///
    /// What counts is the cursor, as for [`lag_limit`](Self::lag_limit): `time` is to be longer than 8 events take.
    pub fn stall_limit(mut self, time: Duration) -> Self {
        self.terms.stall_limit = Some(time);
        self
    }

    /// The most slots it may hold at once, rounded down to a power of two: 1 to 32. A wide window costs fewer atomic
    /// operations, and more of the ring should it be dropped in the middle of an event. Default, and for 0: as wide as
    /// the ring has room for, so that it also takes fewer subscribers
    /// ([`SubscribeError::Full`](crate::SubscribeError::Full)).
    pub fn window(mut self, slots: usize) -> Self {
        self.terms.window = slots as u64;
        self
    }

    pub(crate) fn terms(&self, is_handler: bool) -> Terms {
        Terms {
            is_handler,
            ..self.terms.clone()
        }
    }

    pub(crate) fn wanted_worker(&self) -> Option<usize> {
        self.worker
    }

    pub(crate) fn wait_strategy(&self) -> WaitStrategy {
        self.wait
    }
}
