//! Waiting for what happens, subscribed before it does.

use crate::event::{ContainerState, Event};
use crate::filter::Filter;
use ringbus::{Eviction, RecvTimeoutError, SubscribeError, Subscriber};
use std::sync::Arc;
use std::time::Instant;

/// Waits for events that were reported since it was made. Made by [`EventManager::waiter`](crate::EventManager::waiter).
///
/// Make it, then look whether what is wanted is so already or set it going, then wait: nothing falls between. Several waits
/// may follow each other; each goes on behind the event that ended the one before.
///
/// ```
/// use ringbus_host::{Event, EventManager, Filter};
/// use std::time::{Duration, Instant};
///
/// let manager = EventManager::new()?;
/// manager.start(1)?;
/// let mut waiter = manager.waiter()?;
/// manager.report(Event::new("done", serde_json::json!({"job": 7})));
/// let filter = Filter::new().of_type("done").field("job", 7);
/// waiter.wait_for(&filter, Instant::now() + Duration::from_secs(10))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Waiter {
    subscriber: Subscriber<Arc<Event>>,
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// There was no subscribing.
    #[error("cannot wait: {0}")]
    Subscribe(#[from] SubscribeError),
    /// The deadline came first.
    #[error("the deadline came first")]
    Timeout,
    /// So many sequences were missed, at most so many events; a wait may follow. Only with
    /// [`OnLap::Rejoin`](ringbus::OnLap::Rejoin).
    #[error("missed up to {0} events while waiting")]
    Lagged(u64),
    /// The waiter was dropped by the bus, too slow or unsubscribed: what it waited for may have been missed.
    #[error("dropped while waiting: {0}")]
    Evicted(Eviction),
    /// The events have ended.
    #[error("the events ended while waiting")]
    Closed,
}

impl Waiter {
    pub(crate) fn new(subscriber: Subscriber<Arc<Event>>) -> Self {
        Waiter { subscriber }
    }

    /// Waits for an event that matches, passing over the others. Blocks until `deadline` at most; what is there by then is
    /// looked at, even by a wait that begins later.
    ///
    /// # Errors
    /// [`WaitError`], all but `Subscribe`.
    pub fn wait_for(
        &mut self,
        filter: &Filter,
        deadline: Instant,
    ) -> Result<Arc<Event>, WaitError> {
        self.find(deadline, |event| filter.matches(event))
    }

    /// Waits until a container has been in these states, in this order. Other states between them, and other events, are
    /// passed over; no states at all are there at once. Blocks as [`wait_for`](Self::wait_for).
    ///
    /// # Errors
    /// [`WaitError`], all but `Subscribe`.
    pub fn wait_sequence(
        &mut self,
        pool: &str,
        id: &str,
        states: &[ContainerState],
        deadline: Instant,
    ) -> Result<(), WaitError> {
        let container = Filter::new()
            .of_type("state")
            .field("pool", pool)
            .field("id", id);
        for state in states {
            let step = container.clone().field("state", *state);
            self.wait_for(&step, deadline)?;
        }
        Ok(())
    }

    fn find(
        &mut self,
        deadline: Instant,
        is_it: impl Fn(&Event) -> bool,
    ) -> Result<Arc<Event>, WaitError> {
        while Instant::now() < deadline {
            let event = self.subscriber.recv_deadline(deadline)?;
            if is_it(&event) {
                return Ok(Arc::clone(&event));
            }
        }
        // A last look at what is there now. No further, or a bus that is busy would hold it for ever.
        for _ in 0..self.subscriber.lag().max(1) {
            let event = self.subscriber.recv_deadline(deadline)?;
            if is_it(&event) {
                return Ok(Arc::clone(&event));
            }
        }
        Err(WaitError::Timeout)
    }
}

impl From<RecvTimeoutError> for WaitError {
    fn from(error: RecvTimeoutError) -> Self {
        match error {
            RecvTimeoutError::Timeout => WaitError::Timeout,
            RecvTimeoutError::Lagged(missed) => WaitError::Lagged(missed),
            RecvTimeoutError::Evicted(eviction) => WaitError::Evicted(eviction),
            // `Closed`: the core moves with this crate, and has no fifth error.
            _ => WaitError::Closed,
        }
    }
}
