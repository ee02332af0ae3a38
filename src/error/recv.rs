//! Why there is no event.

use super::eviction::Eviction;
use super::words::Count;
use std::fmt;

/// Why [`Subscriber::try_recv`](crate::Subscriber::try_recv) has no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Nothing yet.
    Empty,
    /// So many sequences were missed, at most so many events; reading goes on at the tail.
    Lagged(u64),
    /// Dropped, and why. Final until [`Subscriber::rejoin`](crate::Subscriber::rejoin).
    Evicted(Eviction),
    /// The bus has ended, and everything before its end was read.
    Closed,
}

/// Why [`Subscriber::recv`](crate::Subscriber::recv) has no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// So many sequences were missed, at most so many events; reading goes on at the tail.
    Lagged(u64),
    /// Dropped, and why. Final until [`Subscriber::rejoin`](crate::Subscriber::rejoin).
    Evicted(Eviction),
    /// The bus has ended, and everything before its end was read.
    Closed,
}

/// Why [`Subscriber::recv_timeout`](crate::Subscriber::recv_timeout) has no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// Nothing came in time.
    Timeout,
    /// So many sequences were missed, at most so many events; reading goes on at the tail.
    Lagged(u64),
    /// Dropped, and why. Final until [`Subscriber::rejoin`](crate::Subscriber::rejoin).
    Evicted(Eviction),
    /// The bus has ended, and everything before its end was read.
    Closed,
}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
            RecvError::Evicted(eviction) => TryRecvError::Evicted(eviction),
            RecvError::Closed => TryRecvError::Closed,
        }
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(missed) => RecvTimeoutError::Lagged(missed),
            RecvError::Evicted(eviction) => RecvTimeoutError::Evicted(eviction),
            RecvError::Closed => RecvTimeoutError::Closed,
        }
    }
}

macro_rules! receive_error {
    ($name:ident $(, $nothing:ident $is_nothing:ident $says:literal)?) => {
        impl $name {
            $(
                #[doc = concat!("It is [`", stringify!($name), "::", stringify!($nothing), "`].")]
                pub fn $is_nothing(&self) -> bool {
                    matches!(self, $name::$nothing)
                }
            )?

            /// Events were missed, and reading goes on.
            pub fn is_lagged(&self) -> bool {
                matches!(self, $name::Lagged(_))
            }

            /// The subscriber was dropped.
            pub fn is_evicted(&self) -> bool {
                matches!(self, $name::Evicted(_))
            }

            /// The bus has ended.
            pub fn is_closed(&self) -> bool {
                matches!(self, $name::Closed)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($name::$nothing => f.write_str($says),)?
                    $name::Lagged(missed) => write!(f, "missed up to {}", Count(*missed, "event")),
                    $name::Evicted(eviction) => write!(f, "dropped: {eviction}"),
                    $name::Closed => f.write_str("the bus has ended"),
                }
            }
        }

        impl std::error::Error for $name {}
    };
}

receive_error!(TryRecvError, Empty is_empty "nothing yet");
receive_error!(RecvError);
receive_error!(RecvTimeoutError, Timeout is_timeout "nothing came in time");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_missed_is_said_as_one() {
        let said = |missed| RecvError::Lagged(missed).to_string();
        assert_eq!(said(1), "missed up to 1 event");
        assert_eq!(said(9), "missed up to 9 events");
    }
}
