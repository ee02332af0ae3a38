//! Building a bus.

use crate::bus::{Bus, Exclusive, Shared};
use crate::clock::{Clock, SystemClock};
use crate::config::{
    Config, DEFAULT_CAPACITY, DEFAULT_GRACE, DEFAULT_STOP_TIMEOUT, Drive, Pinning, SHORTEST_GRACE,
    default_nap,
};
use crate::engine::{CloseGuard, Engine};
use crate::error::BuildError;
use crate::limits;
use crate::notice::{EvictionNotice, OnEvict};
use crate::publisher::ExclusivePublisher;
use crate::ring::layout::SlotLayout;
use crate::ring::protocol::Protocol;
use crate::sync::Arc;
use crate::wait::WaitStrategy;
use std::fmt;
use std::time::Duration;

impl<E: Send + Sync + 'static> Bus<E> {
    /// Returns a builder with the defaults that its methods state.
    pub fn builder() -> BusBuilder<E> {
        BusBuilder::new()
    }
}

/// Builds a [`Bus`]; made by [`Bus::builder`].
///
/// ```
/// use ringbus::{Bus, Pinning, SlotLayout};
///
/// let bus: Bus<u64> = Bus::builder()
///     .capacity(4096)
///     .slots(SlotLayout::InLine)
///     .pinning(Pinning::Off)
///     .on_evict(|notice| eprintln!("subscriber {} {}", notice.subscriber, notice.eviction))
///     .build()?;
/// # Ok::<(), ringbus::BuildError>(())
/// ```
#[must_use]
pub struct BusBuilder<E> {
    capacity: usize,
    workers: usize,
    clone: Option<fn(&E) -> E>,
    layout: SlotLayout,
    pinning: Pinning,
    drive: Drive,
    wait: WaitStrategy,
    max_nap: Option<Duration>,
    stall_grace: Duration,
    stop_timeout: Duration,
    clock: Box<dyn Clock>,
    on_evict: Option<OnEvict>,
}

impl<E> fmt::Debug for BusBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusBuilder")
            .field("capacity", &self.capacity)
            .field("workers", &self.workers)
            .field("slots", &self.layout)
            .field("pinning", &self.pinning)
            .field("drive", &self.drive)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

impl<E: Send + Sync + 'static> BusBuilder<E> {
    fn new() -> Self {
        BusBuilder {
            capacity: DEFAULT_CAPACITY,
            workers: 1,
            clone: None,
            layout: SlotLayout::default(),
            pinning: Pinning::default(),
            drive: Drive::default(),
            wait: WaitStrategy::default(),
            max_nap: None,
            stall_grace: DEFAULT_GRACE,
            stop_timeout: DEFAULT_STOP_TIMEOUT,
            clock: Box::new(SystemClock::new()),
            on_evict: None,
        }
    }

    /// Sets how many events each ring holds. Default 1024.
    ///
    /// The bus rounds it up to a power of two, and to 64 if it is less, because a slot is found by a mask;
    /// [`Bus::capacity`] says what became of it. 0 is an error of [`build`](Self::build), and so is a ring that does not
    /// fit into memory.
    ///
    /// ```
    /// # use ringbus::Bus;
    /// let bus: Bus<u64> = Bus::builder().capacity(1000).build()?;
    /// assert_eq!(bus.capacity(), 1024);
    /// # Ok::<(), ringbus::BuildError>(())
    /// ```
    ///
    /// Seven eighths of it must exceed the peak rate times the longest delay that a healthy subscriber may have: for one
    /// that sleeps, the wake-up latency (and `max_nap` under an exclusive publisher). It also bounds the subscribers: see
    /// [`SubscribeError::Full`](crate::SubscribeError::Full).
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// How many workers, each with a ring of its own. Default 1; 0 is an error of [`build`](Self::build).
    ///
    /// With more than one, an event is cloned for each ring that has a subscriber: workers are for locality, say one a
    /// cache domain, and for isolation, not for throughput. `Bus<Arc<T>>` where clones are dear.
    pub fn workers(mut self, workers: usize) -> Self
    where
        E: Clone,
    {
        self.workers = workers;
        self.clone = Some(E::clone);
        self
    }

    /// How slots are laid out. Default [`SlotLayout::InLine`].
    pub fn slots(mut self, layout: SlotLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets where the workers' threads run. Default [`Pinning::Off`], whose docs say why.
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = pinning;
        self
    }

    /// Who does the workers' chores. Default [`Drive::Threads`].
    pub fn drive(mut self, drive: Drive) -> Self {
        self.drive = drive;
        self
    }

    /// How the workers' threads wait. Default [`WaitStrategy::Backoff`].
    pub fn wait(mut self, strategy: WaitStrategy) -> Self {
        self.wait = strategy;
        self
    }

    /// How long a subscriber sleeps at first before a look is taken whether it should: by its own
    /// thread, or for a task by the worker. Default 50 ms, under an exclusive publisher 1 ms. Zero
    /// is an error.
    ///
    /// A wake-up is late only where the thread that owes it is frozen, or where an exclusive
    /// publisher misses a subscriber that falls asleep just then. At worst it is late by
    /// - this, for a parked thread in its first nap;
    /// - four times this after that, because the worker's naps double so far while nothing comes
    ///   (under an exclusive publisher 200 ms, when later reports are sure to wake the sleeper);
    /// - a second, or this if it is longer, for a parked thread while the worker's own thread is
    ///   frozen. With [`Drive::Manual`] parked threads nap no longer than this.
    pub fn max_nap(mut self, bound: Duration) -> Self {
        self.max_nap = Some(bound);
        self
    }

    /// Sets how long a claim may hang before readers pass it. Default 1 ms.
    ///
    /// Less than 100 µs is an error of [`build`](Self::build), because readers would then pass publishers that are only
    /// descheduled for a moment.
    pub fn stall_grace(mut self, grace: Duration) -> Self {
        self.stall_grace = grace;
        self
    }

    /// Sets how long [`Bus::stop`] waits for subscribers to drain and for handlers to return. Default 5 s. Zero is allowed:
    /// a stop does not wait then.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }

    /// The clock for graces and limits. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Told of each drop, once, on a worker's thread, in [`Bus::turn`] or at the end of [`Bus::stop`]. A panic in it is
    /// caught and counted.
    ///
    /// It may call the bus. It keeps what it captured until the bus and all its subscribers are gone; a `Bus` in it
    /// keeps the bus alive.
    pub fn on_evict(mut self, told: impl Fn(&EvictionNotice) + Send + Sync + 'static) -> Self {
        self.on_evict = Some(Box::new(told));
        self
    }

    /// A bus that any thread may report to, started.
    ///
    /// # Errors
    /// [`BuildError`]: no workers or too many, a ring of no events or one that does not fit into
    /// memory, a core that is not available, fewer cores than workers, a zero `max_nap`, a
    /// `stall_grace` that is too short, or a thread that does not start.
    pub fn build(self) -> Result<Bus<E>, BuildError> {
        let engine = self.into_engine(Protocol::Shared)?;
        Ok(Bus::<E, Shared>::from_guard(CloseGuard::new(engine)))
    }

    /// A bus that only the returned publisher reports to, started.
    ///
    /// # Errors
    /// As [`build`](Self::build); and more than one worker.
    pub fn build_exclusive(self) -> Result<(ExclusivePublisher<E>, Bus<E, Exclusive>), BuildError> {
        if self.workers > 1 {
            return Err(BuildError::ExclusiveWorkers {
                workers: self.workers,
            });
        }
        let engine = self.into_engine(Protocol::Exclusive)?;
        let publisher = ExclusivePublisher::new(Arc::clone(&engine));
        Ok((publisher, Bus::from_guard(CloseGuard::new(engine))))
    }

    fn into_engine(self, protocol: Protocol) -> Result<Arc<Engine<E>>, BuildError> {
        if self.capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        let least = limits::LEAST_CAPACITY;
        let capacity = self.capacity.max(least).checked_next_power_of_two();
        let capacity =
            capacity.ok_or_else(|| BuildError::capacity_too_large::<E>(self.capacity))?;
        let max_nap = self.max_nap.unwrap_or_else(|| default_nap(protocol));
        if max_nap.is_zero() {
            return Err(BuildError::ZeroDuration { option: "max_nap" });
        }
        if self.stall_grace < SHORTEST_GRACE {
            return Err(BuildError::DurationTooShort {
                option: "stall_grace",
                given: self.stall_grace,
                least: SHORTEST_GRACE,
            });
        }
        let config = Config {
            capacity,
            layout: self.layout,
            pinning: self.pinning,
            drive: self.drive,
            wait: self.wait,
            max_nap,
            stall_grace: self.stall_grace,
            stop_timeout: self.stop_timeout,
            clock: self.clock,
            on_evict: self.on_evict,
        };
        let engine = Arc::new(Engine::new(config, self.clone, self.workers, protocol));
        engine.start(self.workers)?;
        Ok(engine)
    }
}
