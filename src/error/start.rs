//! What could not be built, started or subscribed.

use super::STOPPED;
use std::fmt;

/// Why a subscription was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The bus is stopped or closed.
    Stopped,
    /// The run of the bus that this subscriber belongs to has ended, and the bus was started again since: a new subscription
    /// reads the new rings.
    Restarted,
    /// The ring has as many subscribers as it can pin: their windows add up to at most a quarter of its capacity. With
    /// windows as wide as there is room for, 64 slots take 15 subscribers and 1024 take 43; with
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

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubscribeError::Stopped => f.write_str(STOPPED),
            SubscribeError::Restarted => f.write_str(
                "the bus was stopped and started again: subscribe anew to read the new run",
            ),
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

macro_rules! predicates {
    ($error:ident { $($name:ident $variant:ident $says:literal),* $(,)? }) => {
        impl $error {
            $(
                #[doc = $says]
                pub fn $name(&self) -> bool {
                    matches!(self, $error::$variant { .. })
                }
            )*
        }
    };
}

predicates!(BuildError {
    is_no_workers NoWorkers "No workers were asked for.",
    is_too_many_workers TooManyWorkers "More workers were asked for than a bus has.",
    is_needs_clone NeedsClone "Several workers were asked for, and the builder was not told how to clone.",
    is_exclusive_workers ExclusiveWorkers "Several workers were asked for, with an exclusive publisher.",
    is_running Running "It runs already, with another number of workers.",
    is_capacity_too_large CapacityTooLarge "The ring would take more memory than can be had.",
    is_too_few_cores TooFewCores "There are more workers than cores were named.",
    is_zero_duration ZeroDuration "A duration is zero that must not be.",
    is_pin Pin "A worker's thread cannot be pinned as asked.",
    is_spawn Spawn "A worker's thread could not be started.",
});

predicates!(SubscribeError {
    is_stopped Stopped "The bus is stopped or closed.",
    is_full Full "The ring has as many subscribers as it can pin.",
    is_no_such_worker NoSuchWorker "There is no such worker.",
    is_pin Pin "The handler's thread cannot be pinned as asked.",
    is_spawn Spawn "The handler's thread could not be started.",
});

predicates!(PinError { is_refused Refused "The system refused." });

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_predicate_knows_its_own() {
        let pin = PinError::Refused {
            core: 7,
            os_error: None,
        };
        assert!(pin.is_refused());
        assert!(BuildError::Pin(pin).is_pin() && !BuildError::Pin(pin).is_running());
        assert!(BuildError::NoWorkers.is_no_workers());
        assert!(BuildError::Running { workers: 2 }.is_running());
        assert!(BuildError::ZeroDuration { option: "max_nap" }.is_zero_duration());
        assert!(SubscribeError::Stopped.is_stopped());
        assert!(SubscribeError::Full { worker: 0 }.is_full());
        let nowhere = SubscribeError::NoSuchWorker {
            worker: 9,
            workers: 1,
        };
        assert!(nowhere.is_no_such_worker() && !nowhere.is_full());
        assert!(SubscribeError::Pin(pin).is_pin());
    }

    #[test]
    fn what_is_said_names_what_and_where() {
        let said = |error: &dyn std::error::Error| error.to_string();
        let pin = PinError::Refused {
            core: 7,
            os_error: None,
        };
        assert_eq!(said(&pin), "core 7 cannot be had");
        assert!(said(&BuildError::Pin(pin)).contains("core 7"));
        assert!(said(&BuildError::CapacityTooLarge { capacity: 99 }).contains("99"));
        assert!(said(&SubscribeError::Full { worker: 3 }).contains("worker 3"));
    }
}
