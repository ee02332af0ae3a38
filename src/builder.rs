//! Building a bus.

use crate::affinity;
use crate::bus::{Bus, Core, Exclusive, Handle, Shared};
use crate::clock::{Clock, SystemClock};
use crate::error::BuildError;
use crate::limits;
use crate::publisher::ExclusivePublisher;
use crate::ring::slots::SlotLayout;
use crate::sync::Arc;
use crate::wait::WaitStrategy;
use crate::watch::EvictionNotice;
use crate::worker::QUIET_NAP;
use std::fmt;
use std::time::Duration;

/// Where the workers' threads run.
///
/// Default [`Off`](Pinning::Off), because a library is not to decide, unasked, where threads of its host may run: a pin
/// fights the host's own placement (a cpuset, isolated cores, threads that the host has pinned itself), and two buses that
/// know nothing of each other would choose the same cores. Little is lost by it: no event passes through a worker's thread,
/// so that its core only matters for how soon sleepers are woken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pinning {
    /// Not pinned: the system places them, among all cores that the process may use.
    #[default]
    Off,
    /// Spread over the cores that the process may use. Not pinned where there are fewer cores than workers, only one
    /// core, or a core that turns out not to be had.
    Auto,
    /// The core of each worker, in order. A core that is not available is an error.
    Cores(Vec<usize>),
}

/// Who does the workers' chores: waking sleepers, watching for slow subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drive {
    /// A thread for each worker.
    #[cfg_attr(not(loom), default)]
    Threads,
    /// Nobody but the host, by [`Bus::turn`]. The default under `cfg(loom)`, where each thread costs.
    #[cfg_attr(loom, default)]
    Manual,
}

type OnEvict = Box<dyn Fn(&EvictionNotice) + Send + Sync>;

/// What a bus was built with.
pub(crate) struct Settings {
    pub(crate) capacity: usize,
    pub(crate) layout: SlotLayout,
    pub(crate) pinning: Pinning,
    pub(crate) drive: Drive,
    pub(crate) wait: WaitStrategy,
    pub(crate) max_nap: Duration,
    pub(crate) stall_grace: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) on_evict: Option<OnEvict>,
}

/// The shortest grace: a claim is written within it, unless its publisher was descheduled.
const SHORTEST_GRACE: Duration = Duration::from_micros(100);

impl Settings {
    /// How long a parked thread sleeps before it looks for itself, when it has done so `naps` times in vain.
    ///
    /// The first nap takes `max_nap`, so that the worker need not look after it. From the second on
    /// it does, every `max_nap`. So longer naps only matter should the worker's thread be the one
    /// that is frozen: they double, up to a second.
    pub(crate) fn nap_of_a_sleeper(&self, naps: u32) -> Duration {
        match self.drive {
            Drive::Threads => self
                .max_nap
                .saturating_mul(1 << naps.min(20))
                .min(self.max_nap.max(Duration::from_secs(1))),
            Drive::Manual => self.max_nap,
        }
    }

    /// What the naps of a worker that looks after sleepers double up to, while nothing comes.
    ///
    /// An exclusive publisher that missed a sleeper's request did so in the report that was under way: once a nap has
    /// passed, later reports see it, and short naps have done their duty.
    pub(crate) fn longest_nap(&self, exclusive: bool) -> Duration {
        let base = if exclusive {
            self.max_nap.max(QUIET_NAP)
        } else {
            self.max_nap
        };
        base.saturating_mul(4)
    }

    /// How long a claim may hang before it is taken away.
    pub(crate) fn grace(&self) -> Duration {
        self.stall_grace
    }

    /// The grace after one more rescue in a row: double, up to 64 times.
    pub(crate) fn longer_grace(&self, grace: Duration) -> Duration {
        grace.saturating_mul(2).min(self.grace().saturating_mul(64))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("capacity", &self.capacity)
            .field("layout", &self.layout)
            .field("pinning", &self.pinning)
            .field("drive", &self.drive)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
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
    pub(crate) fn new() -> Self {
        BusBuilder {
            capacity: 1024,
            workers: 1,
            clone: None,
            layout: SlotLayout::default(),
            pinning: Pinning::default(),
            drive: Drive::default(),
            wait: WaitStrategy::default(),
            max_nap: None,
            stall_grace: Duration::from_millis(1),
            stop_timeout: Duration::from_secs(5),
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
        let core = self.into_core(false)?;
        Ok(Bus::<E, Shared>::from_handle(Handle::closing(core)))
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
        let core = self.into_core(true)?;
        let publisher = ExclusivePublisher::new(Arc::clone(&core));
        Ok((publisher, Bus::from_handle(Handle::leaving_open(core))))
    }

    fn into_core(self, exclusive: bool) -> Result<Arc<Core<E>>, BuildError> {
        if self.capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        let least = limits::LEAST_CAPACITY;
        let capacity = self.capacity.max(least).checked_next_power_of_two();
        let capacity =
            capacity.ok_or_else(|| BuildError::capacity_too_large::<E>(self.capacity))?;
        let nap = if exclusive { 1 } else { 50 };
        let max_nap = self.max_nap.unwrap_or(Duration::from_millis(nap));
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
        let settings = Settings {
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
        let core = Arc::new(Core::new(settings, self.clone, self.workers, exclusive));
        core.start(self.workers)?;
        Ok(core)
    }
}

impl Pinning {
    /// The core of each worker, and whether it must be had.
    pub(crate) fn plan(&self, workers: usize) -> Result<Vec<Option<usize>>, BuildError> {
        match self {
            Pinning::Auto => Ok(affinity::auto(&affinity::cores(), workers)),
            Pinning::Off => Ok(vec![None; workers]),
            Pinning::Cores(cores) if cores.len() < workers => Err(BuildError::TooFewCores {
                cores: cores.len(),
                workers,
            }),
            Pinning::Cores(cores) => Ok(cores.iter().copied().map(Some).take(workers).collect()),
        }
    }
}
