//! The event manager: the bus of events, as a host runs it.

mod undelivered;

pub use undelivered::Undelivered;

use crate::event::{ContainerState, Event};
use crate::filter::Filter;
use crate::redact::Redaction;
use crate::waiter::{WaitError, Waiter};
use ringbus::{
    BuildError, Bus, BusBuilder, BusStats, ReportError, StopReport, SubscribeError,
    SubscribeOptions, Subscriber, SubscriberId, TryReportError, default_worker_count,
};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant};
use undelivered::{Ledger, Refusal};

/// Takes events from anybody and brings them to every subscriber. Clones are handles on one manager, and cheap.
///
/// All of it is a [`Bus`] of `Arc<Event>`: memory is bounded by its rings, no subscriber makes a reporter wait, and one that is
/// too slow is dropped and told why.
///
/// ```
/// use ringbus_host::{Event, EventManager};
///
/// let manager = EventManager::new()?;
/// manager.start(2)?;
/// let mut subscriber = manager.subscribe()?;
/// let reader = std::thread::spawn(move || {
///     let mut kinds = Vec::new();
///     while let Ok(event) = subscriber.recv() {
///         kinds.push(event.kind().to_owned());
///     }
///     kinds
/// });
/// manager.report(Event::new("greeting", serde_json::json!({"to": "all"})));
/// assert!(manager.shutdown().is_clean());
/// assert_eq!(reader.join().unwrap(), ["greeting", "osctld_shutdown"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventManager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bus: Bus<Arc<Event>>,
    redaction: Redaction,
    undelivered: Ledger,
    /// Reports share it and never wait for it; a shutdown has it alone, so that nothing comes after its notice.
    reporting: RwLock<()>,
}

/// What [`EventManager::stats`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStats {
    /// Of the bus; empty when stopped.
    pub bus: BusStats,
    /// Events that reached nobody, since the manager was made.
    pub undelivered: Undelivered,
}

/// Builds an [`EventManager`]; made by [`EventManager::builder`].
#[derive(Debug)]
#[must_use]
pub struct EventManagerBuilder {
    bus: BusBuilder<Arc<Event>>,
    redaction: Redaction,
}

impl EventManagerBuilder {
    /// The bus: its capacity, how its workers wait, who is told of evictions. Default: [`Bus::builder`]. How many workers it
    /// has is said by [`start`](EventManager::start).
    pub fn bus(mut self, bus: BusBuilder<Arc<Event>>) -> Self {
        self.bus = bus;
        self
    }

    /// What is secret. Default: [`Redaction::new`].
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// A manager that is not started.
    ///
    /// # Errors
    /// As [`BusBuilder::build`].
    pub fn build(self) -> Result<EventManager, BuildError> {
        let bus = self.bus.workers(1).build()?;
        // Building starts a bus. It has no subscribers yet, so there is nothing to report.
        let _ = bus.stop();
        Ok(EventManager {
            inner: Arc::new(Inner {
                bus,
                redaction: self.redaction,
                undelivered: Ledger::default(),
                reporting: RwLock::new(()),
            }),
        })
    }
}

impl EventManager {
    /// A manager with the defaults, not started.
    ///
    /// # Errors
    /// As [`BusBuilder::build`].
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// A builder with the defaults that its methods state.
    pub fn builder() -> EventManagerBuilder {
        EventManagerBuilder {
            bus: Bus::builder(),
            redaction: Redaction::new(),
        }
    }

    /// Starts so many workers; `None` is [`default_worker_count`]. Running with as many already, it does nothing. It may follow
    /// a stop.
    ///
    /// May block: on another start or stop, and until the threads have started.
    ///
    /// # Errors
    /// As [`Bus::start_with`]: no workers, or another number of them is running.
    pub fn start(&self, workers: impl Into<Option<usize>>) -> Result<(), BuildError> {
        let workers = workers.into().unwrap_or_else(default_worker_count);
        self.inner.bus.start_with(workers)
    }

    /// Ends the stream, lets subscribers drain, and joins the workers: see [`Bus::stop`]. Blocks, at most as long as the bus was
    /// built to.
    pub fn stop(&self) -> StopReport {
        self.inner.bus.stop()
    }

    /// Reports [`OsctldShutdown`](Event::OsctldShutdown), then stops. The notice is the last event of every subscriber: what
    /// was reported before comes before it, and what is reported meanwhile counts as undelivered.
    ///
    /// Blocks: for the reports that are under way, then as [`stop`](Self::stop).
    pub fn shutdown(&self) -> StopReport {
        let noticed = {
            let _alone = self
                .inner
                .reporting
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let noticed = self.publish(Arc::new(Event::OsctldShutdown));
            self.inner.bus.close();
            noticed
        };
        self.note(noticed);
        let mut report = self.inner.bus.stop();
        report.last_accepted = noticed.is_ok();
        report
    }

    /// Reports an event. Never fails and never waits: an event that is not delivered is counted, and the first of a row logged.
    /// That is one before a start, after a stop, during a shutdown, or with too much of a ring frozen. With nobody listening
    /// an event is delivered to nobody.
    ///
    /// The event is the manager's from here on. Who receives it may change a copy:
    ///
    /// ```
    /// # use ringbus_host::{Event, EventManager};
    /// # let manager = EventManager::new().unwrap();
    /// # manager.start(1).unwrap();
    /// # let mut subscriber = manager.subscribe().unwrap();
    /// # manager.report(Event::new("greeting", serde_json::json!({})));
    /// let mut delivery = subscriber.recv().unwrap();
    /// let mut copy = Event::clone(&delivery);
    /// copy = Event::OsctldShutdown;
    /// # drop((copy, &mut delivery));
    /// ```
    ///
    /// but not the event:
    ///
    /// ```compile_fail,E0594
    /// # use ringbus_host::{Event, EventManager};
    /// # let manager = EventManager::new().unwrap();
    /// # manager.start(1).unwrap();
    /// # let mut subscriber = manager.subscribe().unwrap();
    /// # manager.report(Event::new("greeting", serde_json::json!({})));
    /// let mut delivery = subscriber.recv().unwrap();
    /// **delivery = Event::OsctldShutdown;
    /// ```
    pub fn report(&self, event: Event) {
        self.report_shared(event);
    }

    /// Reports each event, in order, as [`report`](Self::report) does. But before a subscriber that
    /// is a whole ring behind is dropped, all events together wait as long as `patience` for room.
    /// So more events than the ring has slots can be reported at once, and a subscriber that reads
    /// is not dropped.
    ///
    /// After the last event the call waits, within the same `patience`, until a quarter of the ring
    /// is free, because the next report would drop a subscriber that is still seven eighths behind.
    /// A thread that reads such a subscriber itself waits in vain, until `patience` is over.
    ///
    /// Blocks, at most so long.
    pub fn report_all(&self, events: impl IntoIterator<Item = Event>, patience: Duration) {
        let began = Instant::now();
        let mut publisher = self.inner.bus.publisher();
        for mut event in events {
            self.inner.redaction.apply(&mut event);
            self.unless_shutting_down(|| {
                let left = patience.saturating_sub(began.elapsed());
                match publisher.report_timeout(Arc::new(event), left) {
                    Ok(()) => Ok(()),
                    Err(TryReportError::Full(event)) => self.publish(event),
                    Err(TryReportError::Exhausted(_)) => Err(Refusal::Exhausted),
                    // `Stopped`: as in `publish`.
                    Err(_) => Err(Refusal::Stopped),
                }
            });
        }
        let quarter = self.inner.bus.capacity() / 4;
        while publisher.free() < quarter && !publisher.is_stopped() && began.elapsed() < patience {
            thread::sleep(Duration::from_micros(50));
        }
    }

    /// As [`report`](Self::report); the event as subscribers are given it.
    pub(crate) fn report_shared(&self, mut event: Event) -> Arc<Event> {
        self.inner.redaction.apply(&mut event);
        let event = Arc::new(event);
        self.unless_shutting_down(|| self.publish(Arc::clone(&event)));
        event
    }

    /// Subscribes, on the worker with the fewest subscribers, the first of a tie: none of what was reported before the call,
    /// all of what is reported after it returns. Dropping the subscriber unsubscribes.
    ///
    /// # Errors
    /// [`SubscribeError`]: not running, or the ring is full of subscribers.
    pub fn subscribe(&self) -> Result<Subscriber<Arc<Event>>, SubscribeError> {
        self.subscribe_with(SubscribeOptions::new())
    }

    /// As [`subscribe`](Self::subscribe), with options.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe_with(
        &self,
        options: SubscribeOptions,
    ) -> Result<Subscriber<Arc<Event>>, SubscribeError> {
        self.inner.bus.subscribe_with(options)
    }

    /// Drops a subscriber, from any thread, and wakes it if it sleeps. False if it was gone already.
    pub fn unsubscribe(&self, id: SubscriberId) -> bool {
        self.inner.bus.unsubscribe(id)
    }

    /// A waiter, subscribed: what happens from here on it will see, whenever it begins to wait.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn waiter(&self) -> Result<Waiter, SubscribeError> {
        self.waiter_with(SubscribeOptions::new())
    }

    /// As [`waiter`](Self::waiter), with options.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn waiter_with(&self, options: SubscribeOptions) -> Result<Waiter, SubscribeError> {
        self.subscribe_with(options).map(Waiter::new)
    }

    /// Waits for an event that is reported after this call and matches: see [`Waiter::wait_for`]. Who also makes it happen wants
    /// a [`waiter`](Self::waiter) first.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_for(&self, filter: &Filter, deadline: Instant) -> Result<Arc<Event>, WaitError> {
        self.waiter()?.wait_for(filter, deadline)
    }

    /// Waits until a container has been in these states, in this order: see [`Waiter::wait_sequence`].
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_sequence(
        &self,
        pool: &str,
        id: &str,
        states: &[ContainerState],
        deadline: Instant,
    ) -> Result<(), WaitError> {
        self.waiter()?.wait_sequence(pool, id, states, deadline)
    }

    /// Counters. Off every hot path, and at once stale.
    #[must_use]
    pub fn stats(&self) -> EventStats {
        EventStats {
            bus: self.inner.bus.stats(),
            undelivered: self.inner.undelivered.read(),
        }
    }

    /// The bus itself, for what is not here: handlers, [`Bus::lag_of`], [`Bus::turn`]. An event that is reported to it
    /// directly is neither redacted nor counted here, and may come after the notice of a shutdown.
    #[must_use]
    pub fn bus(&self) -> &Bus<Arc<Event>> {
        &self.inner.bus
    }

    /// Publishes, and notes what came of it.
    fn unless_shutting_down(&self, publish: impl FnOnce() -> Result<(), Refusal>) {
        let delivered = match self.inner.reporting.try_read() {
            Ok(_shared) => publish(),
            Err(TryLockError::Poisoned(_shared)) => publish(),
            Err(TryLockError::WouldBlock) => Err(Refusal::Stopped),
        };
        self.note(delivered);
    }

    fn publish(&self, event: Arc<Event>) -> Result<(), Refusal> {
        self.inner.bus.report(event).map_err(|error| match error {
            ReportError::Exhausted(_) => Refusal::Exhausted,
            // `Stopped`: the core moves with this crate, and has no third error.
            _ => Refusal::Stopped,
        })
    }

    /// Under no lock: it may log, and a logger may report.
    fn note(&self, delivered: Result<(), Refusal>) {
        match delivered {
            Ok(()) => self.inner.undelivered.delivered(),
            Err(refusal) => self.inner.undelivered.refused(refusal),
        }
    }
}
