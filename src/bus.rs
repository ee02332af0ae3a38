//! The bus: the manager of workers.

mod drained;

use crate::engine::shutdown::StopReport;
use crate::engine::{CloseGuard, Engine};
use crate::error::{BuildError, ReportError, SubscribeError, TryReportError};
use crate::handler::{self, Handler, HandlerGuard};
use crate::publisher::{self, Publisher};
use crate::ring::gate::Policy;
use crate::stats::{BusStats, SubscriberStats};
use crate::subscriber::id::SubscriberId;
use crate::subscriber::{SubscribeOptions, Subscriber};
use crate::sync::Arc;
use crate::worker::turn::Turn;
use drained::Drained;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// Any thread may report.
#[derive(Debug)]
pub enum Shared {}

/// One publisher reports, and it is not the bus: only that publisher ends the stream of a `Bus<E, Exclusive>`.
#[derive(Debug)]
pub enum Exclusive {}

/// An event bus: any thread reports, every subscriber sees every event, and no subscriber makes a publisher wait.
///
/// **A `Bus<E, Exclusive>` does not end its stream: only its publisher does**, by
/// [`close`](crate::ExclusivePublisher::close), [`stop`](crate::ExclusivePublisher::stop) or being dropped. Such a bus has no
/// `report`, `stop` or `close`, and dropping its handles changes nothing for subscribers. What follows is of a shared bus.
///
/// Clones are handles on one bus. When the last handle and the last [`Publisher`] of a shared bus are dropped, its
/// rings close: subscribers read what is there, then find [`Closed`](crate::RecvError::Closed). After a
/// [`mem::forget`](std::mem::forget) of one they do not: see [the limitations](crate::docs::limitations).
///
/// ```
/// use ringbus::Bus;
///
/// let bus = Bus::builder().capacity(1024).build()?;
/// let mut subscriber = bus.subscribe()?;
/// bus.report("hello")?;
/// assert_eq!(*subscriber.recv()?, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Bus<E, M = Shared> {
    guard: Arc<CloseGuard<E>>,
    _mode: PhantomData<fn() -> M>,
}

impl<E, M> Clone for Bus<E, M> {
    fn clone(&self) -> Self {
        Bus {
            guard: Arc::clone(&self.guard),
            _mode: PhantomData,
        }
    }
}

impl<E, M> fmt::Debug for Bus<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = self.guard.engine.running.load().workers.len();
        f.debug_struct("Bus")
            .field("workers", &workers)
            .finish_non_exhaustive()
    }
}

impl<E: Send + Sync + 'static> Bus<E> {
    /// Starts the bus again after a stop, with as many workers as it was built with. A bus that was
    /// just built is running already. On a running bus it does nothing.
    ///
    /// May block: on another start or stop, and until the threads have started.
    ///
    /// # Errors
    /// As [`BusBuilder::build`](crate::BusBuilder::build); [`BuildError::Running`] if it runs with another number of workers.
    pub fn start(&self) -> Result<(), BuildError> {
        self.engine().start(self.engine().workers)
    }

    /// As [`start`](Self::start), with so many workers.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`BuildError::NeedsClone`] for several unless [`BusBuilder::workers`](crate::BusBuilder::workers) was called.
    pub fn start_with(&self, workers: usize) -> Result<(), BuildError> {
        self.engine().start(workers)
    }

    /// Ends the stream: closes the rings, waits until subscribers have read everything and handlers have returned, and joins the
    /// workers' threads.
    ///
    /// **A subscriber that this very thread reads cannot read on while `stop` waits for it.** Such a program calls
    /// [`close`](Self::close), drains its subscribers, and then `stop`; a task awaits [`drained`](Self::drained) between the two.
    ///
    /// To *drain* is to call `recv` until it returns [`Closed`](crate::RecvError::Closed), or to
    /// call [`release`](crate::Subscriber::release) after the last event. A subscriber that has
    /// received its last event and did neither has not drained, because the bus learns what it has
    /// read from its next call: `stop` waits its whole timeout for it.
    ///
    /// It waits at most the builder's [`stop_timeout`](crate::BusBuilder::stop_timeout). A subscriber that has not drained by then is
    /// [reported](StopReport::undrained) and loses nothing: it reads on to the end and finds
    /// [`Closed`](crate::RecvError::Closed). A handler is ended then; the report says [how many](StopReport::lost) sequences it had
    /// not read.
    ///
    /// | | waits | for | loses |
    /// |---|---|---|---|
    /// | [`close`](Self::close) | no | | nothing: subscribers and handlers read on to the end |
    /// | [`drained`](Self::drained) | as a future | every subscriber to read everything or to leave | nothing |
    /// | `stop`, [`shutdown`](Self::shutdown) | up to `stop_timeout` | every subscriber to read everything, every handler to return, the workers' threads | what a handler had not read at the deadline |
    /// | [`stop_timeout`](Self::stop_timeout) | up to its own timeout, 0 for not at all | the same | the same |
    ///
    /// Once a stop has begun, no [`lag_limit`](crate::SubscribeOptions::lag_limit) and no
    /// [`stall_limit`](crate::SubscribeOptions::stall_limit) drops a subscriber, because a
    /// subscriber that this stop waits for may have no chance to move.
    ///
    /// After a stop no thread of the bus is left. A subscriber may read on: no limit applies to it,
    /// and no notice comes of it. [`unsubscribe`](Self::unsubscribe) and [`stats`](Self::stats) do
    /// not find it any more. Its ring, and the events in it, stay until it is dropped. If it meets
    /// a sequence that a publisher has taken and not written, it passes that by itself after
    /// [`stall_grace`](crate::BusBuilder::stall_grace).
    ///
    /// Blocks. From a handler or a notice it does not wait for that very thread. A second stop, at
    /// the same time or later, returns at once, and reports no subscriber.
    pub fn stop(&self) -> StopReport {
        self.stop_timeout(self.engine().config.stop_timeout)
    }

    /// As [`stop`](Self::stop), with a timeout of its own.
    pub fn stop_timeout(&self, timeout: Duration) -> StopReport {
        self.engine().stop(timeout)
    }

    /// Reports `last`, then stops. Says in [`StopReport::last_accepted`] whether it was accepted.
    pub fn shutdown(&self, last: E) -> StopReport {
        let last_accepted = self.report(last).is_ok();
        let mut report = self.stop();
        report.last_accepted = last_accepted;
        report
    }

    /// Ends the stream and does not wait: reports are refused as stopped, subscribers read on to the end.
    ///
    /// Lock-free, but for the wakers of tasks, which are user code. To start again,
    /// [`stop`](Self::stop) first: a [`start`](Self::start) right after a close does nothing.
    pub fn close(&self) {
        self.engine().close();
    }

    /// Reports one event. Never waits for a subscriber: whoever is in the way, 7/8 of the capacity behind or more, is
    /// dropped.
    ///
    /// Lock-free: another publisher that is frozen anywhere does not hold it up. With nobody listening the event is
    /// dropped here. With several workers it clones the event, and
    /// allocates a little.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    pub fn report(&self, event: E) -> Result<(), ReportError<E>> {
        publisher::report_once(self.engine(), event, Policy::Evict).map_err(publisher::report_error)
    }

    /// Reports one event if nobody is in the way. Drops no subscriber.
    ///
    /// Lock-free. With several workers, see [`Publisher::try_report`] for an exception.
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if a subscriber is a whole ring behind: [`slowest`](Self::slowest) names
    /// it.
    pub fn try_report(&self, event: E) -> Result<(), TryReportError<E>> {
        publisher::report_once(self.engine(), event, Policy::Keep)
            .map_err(publisher::try_report_error)
    }

    /// The fast way to report, for a thread that reports often. Keeps the bus open as a handle does.
    pub fn publisher(&self) -> Publisher<E> {
        Publisher::new(Arc::clone(&self.guard))
    }
}

impl<E: Send + Sync + 'static, M> Bus<E, M> {
    pub(crate) fn from_guard(guard: CloseGuard<E>) -> Self {
        Bus {
            guard: Arc::new(guard),
            _mode: PhantomData,
        }
    }

    fn engine(&self) -> &Arc<Engine<E>> {
        &self.guard.engine
    }

    /// Returns how many slots each ring has: what the builder's [`capacity`](crate::BusBuilder::capacity) was rounded up to.
    ///
    /// It is the same before a start and after a stop. Wait-free.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.engine().config.capacity
    }

    /// Subscribes, with the default options: none of what was reported before the call, all of what is reported after
    /// it returns.
    ///
    /// Lock-free; allocates.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe(&self) -> Result<Subscriber<E>, SubscribeError> {
        self.subscribe_with(SubscribeOptions::new())
    }

    /// Subscribes. See [`subscribe`](Self::subscribe).
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe_with(
        &self,
        options: SubscribeOptions,
    ) -> Result<Subscriber<E>, SubscribeError> {
        self.engine().subscribe(&options, false)
    }

    /// Subscribes a closure, on a thread of its own. A panic in it drops this subscriber and nobody else.
    ///
    /// ```
    /// use ringbus::{Bus, HandlerEnd, SubscribeOptions};
    ///
    /// let bus = Bus::builder().build()?;
    /// let mut sum = 0;
    /// let guard = bus.handle(SubscribeOptions::new().name("sum"), move |n: &u64| {
    ///     sum += n;
    ///     println!("sum so far: {sum}");
    /// })?;
    /// bus.report(7)?;
    /// assert!(bus.stop().is_clean()); // the handler has seen everything
    /// assert_eq!(guard.join(), HandlerEnd::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Lock-free but for starting the thread, which it waits for.
    ///
    /// # Errors
    /// [`SubscribeError`]; also a core that is not available, and a thread that does not start.
    pub fn handle(
        &self,
        options: SubscribeOptions,
        event: impl FnMut(&E) + Send + 'static,
    ) -> Result<HandlerGuard, SubscribeError> {
        self.handle_with(options, handler::Closure(event))
    }

    /// Subscribes a [`Handler`], on a thread of its own. A panic in it drops this subscriber and nobody else.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    pub fn handle_with(
        &self,
        options: SubscribeOptions,
        handler: impl Handler<E> + 'static,
    ) -> Result<HandlerGuard, SubscribeError> {
        handler::spawn(self.engine().subscribe(&options, true)?, handler)
    }

    /// Drops a subscriber, from any thread; wakes it if it sleeps. It then finds
    /// [`Unsubscribed`](crate::EvictionReason::Unsubscribed). False if there is no such subscriber, or it was dropped already.
    ///
    /// Lock-free.
    pub fn unsubscribe(&self, id: SubscriberId) -> bool {
        let set = self.engine().running.load_full();
        let Some((worker, registration)) = set.find(id) else {
            return false;
        };
        let evicted = registration.unsubscribe();
        if evicted {
            registration.wake_evicted();
            worker.notify_worker();
            set.registry.drain_waiters().wake_all();
        }
        evicted
    }

    /// Waits, as a future of any runtime, until the bus is closed and each subscriber of that moment has read everything or left.
    ///
    /// Ready at once on a bus that is stopped: [`StopReport::undrained`] names the subscribers that read on. The future belongs to
    /// the run in which it was made, and is woken by the subscriber that is the last to meet the end, to leave or to be
    /// dropped; so it depends on no worker's thread and no [`turn`](Self::turn). A subscriber that took its last event has read
    /// it when it looks once more, or [releases](crate::Subscriber::release) it. A drop by the host counts as leaving.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// let mut subscriber = bus.subscribe()?;
    /// bus.report(7)?;
    /// bus.close();
    /// let drained = bus.drained();
    /// while let Ok(event) = subscriber.recv() {
    ///     assert_eq!(*event, 7);
    /// }
    /// pollster::block_on(drained);
    /// assert!(bus.stop().is_clean());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Lock-free; allocates. It keeps the rings of its run, and the events in them, until it is dropped.
    pub fn drained(&self) -> impl Future<Output = ()> + Send + use<E, M> {
        Drained::of(self.engine().running.load_full())
    }

    /// How far a subscriber is behind, in sequences: an upper bound on events. `None` if there is no such subscriber.
    ///
    /// Wait-free, off every hot path, and at once stale.
    pub fn lag_of(&self, id: SubscriberId) -> Option<u64> {
        let set = self.engine().running.load_full();
        let (worker, registration) = set.find(id)?;
        Some(worker.lag(&registration))
    }

    /// Returns the subscriber of `worker` that is furthest behind: the one in the way if a
    /// [`try_report`](Bus::try_report) is [`Full`](crate::TryReportError::Full), and the next to be dropped by a
    /// [`report`](Bus::report).
    ///
    /// `None` if the bus is stopped, or has no such worker, or that worker no subscriber that was not dropped.
    ///
    /// Wait-free but for what it allocates, off every hot path, and at once stale: the subscriber may have read on by then.
    ///
    /// ```
    /// # use ringbus::{Bus, SubscribeOptions};
    /// let bus = Bus::builder().capacity(64).build()?;
    /// let slow = bus.subscribe_with(SubscribeOptions::new().name("slow"))?;
    /// while bus.try_report("hello").is_ok() {}
    /// if let Some(slowest) = bus.slowest(0) {
    ///     assert_eq!((slowest.id, slowest.lag), (slow.id(), 64));
    ///     bus.unsubscribe(slowest.id); // or give it time, or more capacity
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn slowest(&self, worker: usize) -> Option<SubscriberStats> {
        let set = self.engine().running.load_full();
        let worker = set.workers.get(worker)?;
        let snapshot = set.registry.load();
        let registrations = snapshot.of(worker.id).iter();
        let (registration, position) = registrations
            .map(|registration| (registration, registration.cursor.look()))
            .filter(|(_, position)| position.is_active())
            .min_by_key(|(_, position)| position.sequence())?;
        Some(SubscriberStats::of(worker, registration, position))
    }

    /// Counters of all workers and subscribers; empty when stopped: [`StopReport::stats`] has the totals of the run.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// let _subscriber = bus.subscribe()?;
    /// bus.report("hello")?;
    /// let stats = bus.stats();
    /// assert_eq!(stats.workers[0].published, 1);
    /// assert_eq!(stats.subscribers[0].lag, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Wait-free but for what it allocates, off every hot path. The counters are read one by one: together they are no
    /// instant of the bus.
    pub fn stats(&self) -> BusStats {
        BusStats::of(&self.engine().running.load_full())
    }

    /// Does now what the workers' threads would do: wakes sleepers, abandons stalled claims, drops each subscriber that is
    /// over a limit, gives notices. For [`Drive::Manual`](crate::Drive::Manual); harmless besides threads.
    ///
    /// Lock-free, but for what it allocates and the host's own callback.
    pub fn turn(&self) -> Turn {
        let set = self.engine().running.load_full();
        let mut turn = Turn::nothing(self.engine().config.max_nap);
        for worker in &set.workers {
            worker.notify.take();
            turn.add(worker.turn());
        }
        turn
    }

    /// Somebody asked for a [`turn`](Self::turn) since the last: a publisher that owes a wake-up, a subscriber that left.
    ///
    /// Wait-free.
    pub fn wants_turn(&self) -> bool {
        let set = self.engine().running.load_full();
        set.workers.iter().any(|worker| worker.notify.is_pending())
    }
}
