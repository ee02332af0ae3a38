//! What a bus is built with, and every duration and bound of it.

use crate::affinity;
use crate::clock::Clock;
use crate::error::BuildError;
use crate::notice::OnEvict;
use crate::ring::layout::SlotLayout;
use crate::ring::protocol::Protocol;
use crate::wait::WaitStrategy;
use std::fmt;
use std::time::Duration;

// How many, and how long: every duration of the bus is here. The sizes of a ring are in `limits`.

/// The default capacity of a ring, in events.
pub(crate) const DEFAULT_CAPACITY: usize = 1024;
/// More threads than any machine has cores.
pub(crate) const MOST_WORKERS: usize = 1024;

/// Returns the default of `max_nap`: shorter where a publisher may miss a subscriber that falls asleep.
pub(crate) fn default_nap(protocol: Protocol) -> Duration {
    Duration::from_millis(if protocol.marks_stamps() { 50 } else { 1 })
}
/// What the naps of a parked subscriber double up to, while the worker's thread looks after it.
const LONGEST_NAP_OF_A_SLEEPER: Duration = Duration::from_secs(1);
/// The nap of a worker that has no sleeper to look after.
pub(crate) const QUIET_NAP: Duration = Duration::from_millis(50);
/// A worker looks no more often than this for a limit's sake.
pub(crate) const SHORTEST_LOOK: Duration = Duration::from_micros(100);

/// The default of `stall_grace`.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_millis(1);
/// The shortest grace: a claim is written within it, unless its publisher was descheduled.
pub(crate) const SHORTEST_GRACE: Duration = Duration::from_micros(100);

/// The default of `stop_timeout`.
pub(crate) const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause between two looks of a stop. Each is twice as long as the one before.
pub(crate) const FIRST_STOP_PAUSE: Duration = Duration::from_micros(20);
/// The longest pause between two looks of a stop.
pub(crate) const LONGEST_STOP_PAUSE: Duration = Duration::from_millis(1);
/// The pause between two looks at whether a worker's thread has ended.
pub(crate) const JOIN_PAUSE: Duration = Duration::from_micros(50);

/// The pause of a publisher that waits for room, once it has spun and yielded.
pub(crate) const ROOM_PAUSE: Duration = Duration::from_micros(50);

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

/// Who does the workers' chores: waking sleepers, watching for slow subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drive {
    /// A thread for each worker.
    #[cfg_attr(not(loom), default)]
    Threads,
    /// Nobody but the host, by [`Bus::turn`](crate::Bus::turn). The default under `cfg(loom)`, where each thread costs.
    #[cfg_attr(loom, default)]
    Manual,
}

/// What a bus was built with.
pub(crate) struct Config {
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

impl Config {
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
                .min(self.max_nap.max(LONGEST_NAP_OF_A_SLEEPER)),
            Drive::Manual => self.max_nap,
        }
    }

    /// What the naps of a worker that looks after sleepers double up to, while nothing comes.
    ///
    /// An exclusive publisher that missed a sleeper's request did so in the report that was under way: once a nap has
    /// passed, later reports see it, and short naps have done their duty.
    pub(crate) fn longest_nap(&self, protocol: Protocol) -> Duration {
        let base = if protocol.marks_stamps() {
            self.max_nap
        } else {
            self.max_nap.max(QUIET_NAP)
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

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("capacity", &self.capacity)
            .field("layout", &self.layout)
            .field("pinning", &self.pinning)
            .field("drive", &self.drive)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
