//! What could not be built, started or subscribed.

use super::STOPPED;
use std::fmt;

/// Why a subscription was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The bus is stopped or closed.
    Stopped,
    /// The ring has as many subscribers as it can pin: their windows add up to at most a quarter of its capacity. With
    /// windows as wide as there is room for, 64 slots take 10 subscribers and 1024 take 41; with
    /// [`window(1)`](crate::SubscribeOptions::window) it is a quarter of the capacity.
    Full {
        /// The worker whose ring is full.
        worker: usize,
    },
    /// There is no such worker.
    NoSuchWorker {
        /// The worker that was asked for.
        worker: usize,
        /// How many there are.
        workers: usize,
    },
    /// The handler's thread cannot be pinned as asked.
    Pin(PinError),
    /// The handler's thread could not be started.
    Spawn {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

impl SubscribeError {
    /// The bus is stopped or closed.
    pub fn is_stopped(&self) -> bool {
        matches!(self, SubscribeError::Stopped)
    }

    /// The ring has as many subscribers as it can pin.
    pub fn is_full(&self) -> bool {
        matches!(self, SubscribeError::Full { .. })
    }

    /// There is no such worker.
    pub fn is_no_such_worker(&self) -> bool {
        matches!(self, SubscribeError::NoSuchWorker { .. })
    }

    /// The handler's thread cannot be pinned as asked.
    pub fn is_pin(&self) -> bool {
        matches!(self, SubscribeError::Pin(_))
    }

    /// The handler's thread could not be started.
    pub fn is_spawn(&self) -> bool {
        matches!(self, SubscribeError::Spawn { .. })
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubscribeError::Stopped => f.write_str(STOPPED),
            SubscribeError::Full { worker } => {
                write!(
                    f,
                    "the ring of worker {worker} is full of subscribers: more capacity or smaller windows would fit more"
                )
            }
            SubscribeError::NoSuchWorker { worker, workers } => {
                write!(f, "no worker {worker}: there are {workers}, counted from 0")
            }
            SubscribeError::Pin(error) => write!(f, "the handler's thread: {error}"),
            SubscribeError::Spawn { kind } => {
                write!(f, "the handler's thread could not be started: {kind}")
            }
        }
    }
}

impl std::error::Error for SubscribeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SubscribeError::Pin(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a bus could not be built or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A bus needs at least one worker.
    NoWorkers,
    /// More workers than a bus has.
    TooManyWorkers {
        /// How many were asked for.
        workers: usize,
        /// How many there may be.
        most: usize,
    },
    /// Several workers clone events: ask for them with [`BusBuilder::workers`](crate::BusBuilder::workers).
    NeedsClone {
        /// How many were asked for.
        workers: usize,
    },
    /// An exclusive publisher writes one ring.
    ExclusiveWorkers {
        /// How many were asked for.
        workers: usize,
    },
    /// Already started, with another number of workers.
    Running {
        /// How many are running.
        workers: usize,
    },
    /// The ring would take more memory than can be had.
    CapacityTooLarge {
        /// The capacity, in events, rounded up to a power of two where there is one.
        capacity: usize,
    },
    /// [`Pinning::Cores`](crate::Pinning::Cores) names fewer cores than there are workers.
    TooFewCores {
        /// How many cores are named.
        cores: usize,
        /// How many workers there are.
        workers: usize,
    },
    /// A duration that must not be zero is.
    ZeroDuration {
        /// Which option.
        option: &'static str,
    },
    /// A worker's thread cannot be pinned as asked.
    Pin(PinError),
    /// A worker's thread could not be started.
    Spawn {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::NoWorkers => f.write_str("workers: at least one is needed"),
            BuildError::TooManyWorkers { workers, most } => {
                write!(f, "workers: {workers} are too many, {most} is the most")
            }
            BuildError::NeedsClone { workers } => write!(
                f,
                "{workers} workers clone events: the builder must be told with workers()"
            ),
            BuildError::ExclusiveWorkers { workers } => {
                write!(f, "an exclusive publisher has one worker, not {workers}")
            }
            BuildError::Running { workers } => {
                write!(f, "already running, with {workers} workers")
            }
            BuildError::CapacityTooLarge { capacity } => {
                write!(
                    f,
                    "a ring of {capacity} events takes more memory than can be had"
                )
            }
            BuildError::TooFewCores { cores, workers } => {
                write!(f, "{cores} cores are named for {workers} workers")
            }
            BuildError::ZeroDuration { option } => write!(f, "{option}: must not be zero"),
            BuildError::Pin(error) => write!(f, "a worker's thread: {error}"),
            BuildError::Spawn { kind } => {
                write!(f, "a worker's thread could not be started: {kind}")
            }
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Pin(error) => Some(error),
            _ => None,
        }
    }
}

/// A thread could not be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// The system refused: there is no such core, or this process may not use it.
    Refused {
        /// The core that was asked for.
        core: usize,
        /// The system's error number, where there is one.
        os_error: Option<i32>,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PinError::Refused { core, os_error } = self;
        write!(f, "core {core} cannot be had")?;
        match os_error {
            Some(code) => write!(f, ": {}", std::io::Error::from_raw_os_error(*code)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PinError {}
