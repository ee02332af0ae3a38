//! What could not be built, started or pinned.

use super::words::{Count, Numbers};
use std::fmt;
use std::time::Duration;

/// Why a bus could not be built or started.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// A ring of no events was asked for. The least that a ring has is 64 slots.
    ZeroCapacity,
    /// The ring would take more memory than this process can have.
    CapacityTooLarge {
        /// The capacity, in events, rounded up to a power of two if a `usize` can hold that.
        capacity: usize,
        /// The bytes of an event.
        event_bytes: usize,
        /// The bytes that the ring would take at least: its events, and 8 for each of them.
        bytes: u128,
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
    /// A duration is shorter than the bus can keep.
    DurationTooShort {
        /// Which option.
        option: &'static str,
        /// What was asked for.
        given: Duration,
        /// The shortest that would do.
        least: Duration,
    },
    /// A worker's thread cannot be pinned as asked.
    Pin(PinError),
    /// A worker's thread could not be started.
    Spawn {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

impl BuildError {
    /// Says how many bytes a ring of so many events takes.
    #[cold]
    pub(crate) fn capacity_too_large<E>(capacity: usize) -> Self {
        let event_bytes = size_of::<E>();
        // No product of two `usize` overflows.
        let bytes = (capacity as u128).next_power_of_two() * (event_bytes as u128 + 8);
        BuildError::CapacityTooLarge {
            capacity,
            event_bytes,
            bytes,
        }
    }
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
                "workers: {workers} were asked for, and several need events that can be cloned: call workers() on the builder"
            ),
            BuildError::ExclusiveWorkers { workers } => {
                write!(
                    f,
                    "workers: {workers} were asked for, an exclusive publisher has 1"
                )
            }
            BuildError::Running { workers } => {
                write!(f, "already running, with {}", Count(*workers, "worker"))
            }
            BuildError::ZeroCapacity => f.write_str(
                "capacity: 0 was asked for, 1 or more would do (less than 64 is rounded up to 64)",
            ),
            BuildError::CapacityTooLarge {
                capacity,
                event_bytes,
                bytes,
            } => write!(
                f,
                "a ring of {capacity} events of {} takes at least {bytes} bytes of memory, more than this process can have",
                Count(*event_bytes as u64, "byte")
            ),
            BuildError::TooFewCores { cores, workers } => {
                f.write_str("pinning: ")?;
                match cores {
                    0 => f.write_str("no cores are named, and ")?,
                    1 => f.write_str("1 core is named, and ")?,
                    _ => write!(f, "{cores} cores are named, and ")?,
                }
                match workers {
                    1 => f.write_str("1 worker needs one"),
                    _ => write!(f, "{workers} workers need one each"),
                }
            }
            BuildError::ZeroDuration { option } => write!(f, "{option}: must not be zero"),
            BuildError::DurationTooShort {
                option,
                given,
                least,
            } => write!(
                f,
                "{option}: {given:?} is too short, {least:?} is the shortest that would do"
            ),
            BuildError::Pin(error) => write!(f, "pinning: {error}"),
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// The system refused: there is no such core, or this process may not use it.
    Refused {
        /// The core that was asked for.
        core: usize,
        /// The system's error number, where there is one.
        os_error: Option<i32>,
        /// The cores that this process may use, as [`affinity::cores`](crate::affinity::cores) lists them.
        cores: Vec<usize>,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PinError::Refused {
            core,
            os_error,
            cores,
        } = self;
        if !cores.contains(core) {
            write!(f, "core {core} is not available")?;
        } else if let Some(code) = os_error {
            let why = std::io::Error::from_raw_os_error(*code);
            write!(f, "core {core} was refused: {why}")?;
        } else {
            write!(f, "core {core} was refused")?;
        }
        let noun = if cores.len() == 1 { "core" } else { "cores" };
        write!(f, "; this process may use {noun} {}", Numbers(cores))
    }
}

impl std::error::Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> PinError {
        PinError::Refused {
            core: 7,
            os_error: None,
            cores: vec![0, 1],
        }
    }

    #[test]
    fn what_is_said_names_what_and_where() {
        let said = |error: BuildError| error.to_string();
        assert!(said(BuildError::Pin(pin())).contains("core 7"));
    }

    #[test]
    fn a_pin_that_is_refused_names_the_cores_that_would_do() {
        assert_eq!(
            pin().to_string(),
            "core 7 is not available; this process may use cores 0 and 1"
        );
        let many = PinError::Refused {
            core: 999,
            os_error: Some(22),
            cores: vec![0, 1, 2, 3, 8],
        };
        assert_eq!(
            many.to_string(),
            "core 999 is not available; this process may use cores 0 to 3 and 8"
        );
        let refused = PinError::Refused {
            core: 1,
            os_error: Some(1),
            cores: vec![1],
        };
        let said = refused.to_string();
        assert!(said.starts_with("core 1 was refused: "), "{said}");
        assert!(said.ends_with("; this process may use core 1"), "{said}");
    }

    #[test]
    fn a_ring_that_is_too_large_says_how_large() {
        let said = |capacity| BuildError::capacity_too_large::<[u64; 7]>(capacity).to_string();
        assert_eq!(
            said(1 << 40),
            "a ring of 1099511627776 events of 56 bytes takes at least 70368744177664 bytes of memory, more than this process can have"
        );
        let bytes = (1u128 << 64) * 64;
        assert!(said(usize::MAX).contains(&bytes.to_string()) || usize::BITS < 64);
    }

    #[test]
    fn numbers_are_said_as_one_would() {
        let few = |cores, workers| BuildError::TooFewCores { cores, workers }.to_string();
        assert_eq!(
            few(0, 1),
            "pinning: no cores are named, and 1 worker needs one"
        );
        assert_eq!(
            few(1, 2),
            "pinning: 1 core is named, and 2 workers need one each"
        );
        assert_eq!(
            few(2, 3),
            "pinning: 2 cores are named, and 3 workers need one each"
        );
        let running = |workers| BuildError::Running { workers }.to_string();
        assert_eq!(running(1), "already running, with 1 worker");
        assert_eq!(running(2), "already running, with 2 workers");
    }
}
