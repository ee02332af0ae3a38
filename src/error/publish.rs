//! Events that were refused.

use super::words::STOPPED;
use std::fmt;

/// [`Bus::report`](crate::Bus::report) refused an event, and gives it back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportError<E> {
    /// The bus is stopped or closed.
    Stopped(E),
    /// Frozen threads hold more than half of the ring: subscribers that were dropped and have not
    /// noticed, or publishers that hang inside a report. Or this report lost as many claims in a
    /// row as the ring has slots.
    Exhausted(E),
}

/// [`Bus::try_report`](crate::Bus::try_report) refused an event, and gives it back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryReportError<E> {
    /// A subscriber is a whole ring behind: [`Bus::slowest`](crate::Bus::slowest) names it.
    Full(E),
    /// See [`ReportError::Stopped`].
    Stopped(E),
    /// See [`ReportError::Exhausted`].
    Exhausted(E),
}

impl<E> ReportError<E> {
    /// The event that was refused.
    pub fn into_inner(self) -> E {
        match self {
            ReportError::Stopped(event) | ReportError::Exhausted(event) => event,
        }
    }

    /// The bus is stopped or closed.
    pub fn is_stopped(&self) -> bool {
        matches!(self, ReportError::Stopped(_))
    }

    /// Too much of the ring is frozen.
    pub fn is_exhausted(&self) -> bool {
        matches!(self, ReportError::Exhausted(_))
    }
}

impl<E> TryReportError<E> {
    /// The event that was refused.
    pub fn into_inner(self) -> E {
        match self {
            TryReportError::Full(event)
            | TryReportError::Stopped(event)
            | TryReportError::Exhausted(event) => event,
        }
    }

    /// A subscriber is a whole ring behind.
    pub fn is_full(&self) -> bool {
        matches!(self, TryReportError::Full(_))
    }

    /// The bus is stopped or closed.
    pub fn is_stopped(&self) -> bool {
        matches!(self, TryReportError::Stopped(_))
    }

    /// Too much of the ring is frozen.
    pub fn is_exhausted(&self) -> bool {
        matches!(self, TryReportError::Exhausted(_))
    }
}

// By hand, so that events need not be `Debug` for their errors to be.
impl<E> fmt::Debug for ReportError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReportError::Stopped(_) => "Stopped(..)",
            ReportError::Exhausted(_) => "Exhausted(..)",
        })
    }
}

impl<E> fmt::Debug for TryReportError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryReportError::Full(_) => "Full(..)",
            TryReportError::Stopped(_) => "Stopped(..)",
            TryReportError::Exhausted(_) => "Exhausted(..)",
        })
    }
}

const EXHAUSTED: &str = "too much of the ring is frozen";

impl<E> fmt::Display for ReportError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReportError::Stopped(_) => STOPPED,
            ReportError::Exhausted(_) => EXHAUSTED,
        })
    }
}

impl<E> fmt::Display for TryReportError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryReportError::Full(_) => "a subscriber is a whole ring behind",
            TryReportError::Stopped(_) => STOPPED,
            TryReportError::Exhausted(_) => EXHAUSTED,
        })
    }
}

impl<E> std::error::Error for ReportError<E> {}
impl<E> std::error::Error for TryReportError<E> {}

/// A batch that ended early.
///
/// It holds every event that was taken from the iterator and not accepted: up to 128 of them. Dropping it drops them, so
/// their destructors run on the thread that reported, one after the other; keep it, or send it to another thread, where
/// they cost too much.
#[non_exhaustive]
pub struct BatchError<E> {
    /// How many events were accepted before.
    pub accepted: usize,
    /// The event that was not, and why.
    pub error: ReportError<E>,
    /// Events that were already taken from the iterator behind it, in order: at most 127.
    pub rest: Vec<E>,
}

impl<E> BatchError<E> {
    /// Returns the event that was refused.
    ///
    /// Drops [`rest`](Self::rest) before it returns: up to 127 destructors run on this thread, and take what they take.
    /// [`into_events`](Self::into_events) gives those events back instead. (A drop of the whole error drops the refused
    /// event too.)
    #[must_use]
    pub fn into_inner(self) -> E {
        self.error.into_inner()
    }

    /// Returns everything that was taken from the iterator and not accepted, in order.
    ///
    /// What is left of the returned iterator when it is dropped is dropped then.
    pub fn into_events(self) -> impl Iterator<Item = E> {
        std::iter::once(self.error.into_inner()).chain(self.rest)
    }

    /// See [`ReportError::is_stopped`].
    pub fn is_stopped(&self) -> bool {
        self.error.is_stopped()
    }

    /// See [`ReportError::is_exhausted`].
    pub fn is_exhausted(&self) -> bool {
        self.error.is_exhausted()
    }
}

impl<E> fmt::Debug for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchError")
            .field("accepted", &self.accepted)
            .field("error", &self.error)
            .field("rest", &self.rest.len())
            .finish()
    }
}

impl<E> fmt::Display for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.accepted {
            0 => write!(f, "{}: no event of the batch was accepted", self.error),
            1 => write!(f, "{}: 1 event was accepted before", self.error),
            n => write!(f, "{}: {n} events were accepted before", self.error),
        }
    }
}

impl<E> std::error::Error for BatchError<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_says_how_many_events_were_accepted() {
        let said = |accepted| {
            let error = ReportError::Stopped(7);
            let rest = Vec::new();
            BatchError {
                accepted,
                error,
                rest,
            }
            .to_string()
        };
        assert_eq!(
            said(0),
            "the bus is not running: no event of the batch was accepted"
        );
        assert_eq!(
            said(1),
            "the bus is not running: 1 event was accepted before"
        );
        assert_eq!(
            said(5),
            "the bus is not running: 5 events were accepted before"
        );
    }
}
