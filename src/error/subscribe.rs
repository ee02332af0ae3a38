//! What could not be subscribed.

use super::build::PinError;
use super::words::{Count, STOPPED, Short, and};
use crate::subscriber::id::SubscriberId;
use std::fmt;

/// A subscriber whose window takes room of a ring: see [`SubscribeError::Full`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowHolder {
    /// Its id: [`Bus::unsubscribe`](crate::Bus::unsubscribe) takes it.
    pub subscriber: SubscriberId,
    /// Its name.
    pub name: Option<String>,
    /// The width of its window.
    pub slots: u64,
}

impl fmt::Display for WindowHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subscriber {}", self.subscriber)?;
        if let Some(name) = &self.name {
            write!(f, " ({})", Short(name))?;
        }
        write!(f, " holds {}", self.slots)
    }
}

/// Why a subscription was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The bus is stopped or closed.
    Stopped,
    /// The run of the bus that this subscriber belongs to has ended, and the bus was started again since: a new subscription
    /// reads the new rings.
    Restarted,
    /// The ring has no room for another subscriber's window: all windows together may take a
    /// quarter of its capacity. With default windows, 64 slots have room for 15 subscribers and
    /// 1024 for 43. With [`window(1)`](crate::SubscribeOptions::window), there is room for as many
    /// as a quarter of the capacity.
    #[non_exhaustive]
    Full {
        /// The worker whose ring is full.
        worker: usize,
        /// The slots that all windows of the ring may take together: a quarter of its capacity.
        slots: u64,
        /// Who holds them, the widest window first. A subscriber that was dropped keeps its window until it is gone.
        holders: Vec<WindowHolder>,
    },
    /// There is no such worker.
    NoSuchWorker {
        /// The worker that was asked for.
        worker: usize,
        /// How many there are.
        workers: usize,
    },
    /// The [`name`](crate::SubscribeOptions::name) has a control character: NUL, a line break, the start of an escape
    /// sequence.
    InvalidName {
        /// The byte of the name where it is, from 0.
        position: usize,
        /// Which it is.
        character: char,
    },
    /// The [`window`](crate::SubscribeOptions::window) has no slots, or more than a window has.
    WindowOutOfRange {
        /// How many were asked for.
        slots: usize,
        /// The most that would do.
        most: usize,
    },
    /// The [`lag_limit`](crate::SubscribeOptions::lag_limit) could never be exceeded: no subscriber is further behind than
    /// the ring has slots.
    LagLimitTooLarge {
        /// How many slots were asked for.
        slots: u64,
        /// How many the ring has: one less is the most that would do.
        capacity: u64,
    },
    /// The time of a limit is zero: it would drop a subscriber that is about to read.
    ZeroDuration {
        /// Which option.
        option: &'static str,
    },
    /// The handler's thread cannot be pinned as asked.
    Pin(PinError),
    /// The handler's thread could not be started.
    Spawn {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

/// A message names so many holders; the error has them all.
const NAMED: usize = 3;

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubscribeError::Stopped => f.write_str(STOPPED),
            SubscribeError::Restarted => f.write_str(
                "the bus was stopped and started again: subscribe anew to read the new run",
            ),
            SubscribeError::Full {
                worker,
                slots,
                holders,
            } => {
                write!(
                    f,
                    "all {slots} slots that the windows of worker {worker} may take are held: "
                )?;
                let (named, others) = holders.split_at(holders.len().min(NAMED));
                let mut parts: Vec<_> = named.iter().map(WindowHolder::to_string).collect();
                match others {
                    [] => {}
                    [other] => parts.push(format!("1 other holds {}", other.slots)),
                    _ => {
                        let held: u64 = others.iter().map(|other| other.slots).sum();
                        parts.push(format!("{} others hold {held}", others.len()));
                    }
                }
                write!(
                    f,
                    "{}; more capacity or narrower windows would fit more",
                    and(&parts)
                )
            }
            SubscribeError::NoSuchWorker { worker, workers } => match workers {
                1 => write!(f, "worker: there is no worker {worker}, the only one is 0"),
                _ => write!(
                    f,
                    "worker: there is no worker {worker}, they are 0 to {}",
                    workers.saturating_sub(1)
                ),
            },
            SubscribeError::InvalidName {
                position,
                character,
            } => write!(
                f,
                "name: control characters are not allowed: {character:?} at byte {position}"
            ),
            SubscribeError::WindowOutOfRange { slots, most } => {
                write!(
                    f,
                    "window: {slots} slots were asked for, 1 to {most} would do"
                )
            }
            SubscribeError::LagLimitTooLarge { slots, capacity } => write!(
                f,
                "lag_limit: {} were asked for, at most {} would do in a ring of {capacity}",
                Count(*slots, "slot"),
                capacity.saturating_sub(1)
            ),
            SubscribeError::ZeroDuration { option } => {
                write!(f, "{option}: its time must not be zero")
            }
            SubscribeError::Pin(error) => write!(f, "core: {error}"),
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

impl SubscribeError {
    /// Returns whether the bus is stopped or closed.
    pub fn is_stopped(&self) -> bool {
        matches!(self, SubscribeError::Stopped)
    }

    /// Returns whether the ring has no room for another subscriber's window.
    pub fn is_full(&self) -> bool {
        matches!(self, SubscribeError::Full { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(windows: &[(Option<&str>, u64)]) -> SubscribeError {
        let holders = (1..).zip(windows).map(|(id, &(name, slots))| WindowHolder {
            subscriber: SubscriberId(id),
            name: name.map(str::to_owned),
            slots,
        });
        SubscribeError::Full {
            worker: 3,
            slots: 16,
            holders: holders.collect(),
        }
    }

    #[test]
    fn a_predicate_knows_its_own() {
        assert!(SubscribeError::Stopped.is_stopped() && !SubscribeError::Stopped.is_full());
        assert!(full(&[]).is_full() && !full(&[]).is_stopped());
    }

    #[test]
    fn a_full_ring_says_who_holds_it() {
        let said = |windows: &[(Option<&str>, u64)]| full(windows).to_string();
        let (begins, ends) = (
            "all 16 slots that the windows of worker 3 may take are held: ",
            "; more capacity or narrower windows would fit more",
        );
        let two = [(Some("risk"), 12), (None, 4)];
        assert_eq!(
            said(&two),
            format!("{begins}subscriber 1 (risk) holds 12 and subscriber 2 holds 4{ends}")
        );
        let mut many = [(None, 2); 8];
        many[0].0 = Some("risk");
        let names = "subscriber 1 (risk) holds 2, subscriber 2 holds 2, subscriber 3 holds 2";
        assert_eq!(
            said(&many),
            format!("{begins}{names} and 5 others hold 10{ends}")
        );
        assert_eq!(
            said(&many[..4]),
            format!("{begins}{names} and 1 other holds 2{ends}")
        );
        let long = "m".repeat(1 << 20);
        assert!(said(&[(Some(&long), 16)]).len() < 300);
    }

    #[test]
    fn a_worker_that_is_not_there_names_those_that_are() {
        let said = |workers| SubscribeError::NoSuchWorker { worker: 9, workers }.to_string();
        assert_eq!(said(1), "worker: there is no worker 9, the only one is 0");
        assert_eq!(said(4), "worker: there is no worker 9, they are 0 to 3");
    }

    #[test]
    fn what_is_refused_says_what_would_do() {
        let said = |error: SubscribeError| error.to_string();
        assert_eq!(
            said(SubscribeError::WindowOutOfRange {
                slots: 0,
                most: 128
            }),
            "window: 0 slots were asked for, 1 to 128 would do"
        );
        assert_eq!(
            said(SubscribeError::LagLimitTooLarge {
                slots: 64,
                capacity: 64
            }),
            "lag_limit: 64 slots were asked for, at most 63 would do in a ring of 64"
        );
        assert_eq!(
            said(SubscribeError::InvalidName {
                position: 3,
                character: '\u{1b}'
            }),
            "name: control characters are not allowed: '\\u{1b}' at byte 3"
        );
        let option = "stall_limit";
        assert_eq!(
            said(SubscribeError::ZeroDuration { option }),
            "stall_limit: its time must not be zero"
        );
    }
}
