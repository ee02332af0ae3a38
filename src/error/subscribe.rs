//! What could not be subscribed.

use super::{PinError, STOPPED, predicates};
use std::fmt;

/// Why a subscription was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The bus is stopped or closed.
    Stopped,
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
            SubscribeError::Full { worker } => {
                write!(
                    f,
                    "the ring of worker {worker} is full of subscribers: more capacity or smaller windows would fit more"
                )
            }
            SubscribeError::NoSuchWorker { worker, workers } => match workers {
                1 => write!(f, "there is no worker {worker}: the only one is 0"),
                _ => write!(
                    f,
                    "there is no worker {worker}: they are 0 to {}",
                    workers.saturating_sub(1)
                ),
            },
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

predicates!(SubscribeError {
    is_stopped Stopped "The bus is stopped or closed.",
    is_full Full "The ring has as many subscribers as it can pin.",
    is_no_such_worker NoSuchWorker "There is no such worker.",
    is_pin Pin "The handler's thread cannot be pinned as asked.",
    is_spawn Spawn "The handler's thread could not be started.",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_predicate_knows_its_own() {
        let nowhere = SubscribeError::NoSuchWorker {
            worker: 9,
            workers: 1,
        };
        assert!(nowhere.is_no_such_worker() && !nowhere.is_full());
        assert!(SubscribeError::Stopped.is_stopped());
        assert!(SubscribeError::Full { worker: 0 }.is_full());
        let pin = PinError::Refused {
            core: 7,
            os_error: None,
            cores: vec![0],
        };
        assert!(SubscribeError::Pin(pin).is_pin());
    }

    #[test]
    fn what_is_said_names_what_and_where() {
        assert!(
            SubscribeError::Full { worker: 3 }
                .to_string()
                .contains("worker 3")
        );
    }

    #[test]
    fn a_worker_that_is_not_there_names_those_that_are() {
        let said = |workers| SubscribeError::NoSuchWorker { worker: 9, workers }.to_string();
        assert_eq!(said(1), "there is no worker 9: the only one is 0");
        assert_eq!(said(4), "there is no worker 9: they are 0 to 3");
    }
}
