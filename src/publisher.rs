//! Publishers: the fast ways to report, shared and exclusive, and what both can do.

mod exclusive;
mod fanout;
mod report;
mod shared;

pub use exclusive::ExclusivePublisher;
pub(crate) use fanout::report_once;
pub(crate) use report::{report_error, try_report_error};
pub use shared::Publisher;

use crate::error::{BatchError, ReportError, TryReportError};
use std::time::Duration;

/// What every publisher can do, a [`Publisher`] as well as an [`ExclusivePublisher`].
///
/// Write a function over this trait, and it takes either. The methods are those that both publishers
/// have themselves, so that a call on one of them needs no import. What each costs, and how it
/// progresses, is in the docs of the two types. No other type can implement it.
///
/// ```
/// use ringbus::{Bus, Publish};
///
/// fn count_to(n: u64, publisher: &mut impl Publish<u64>) {
///     let accepted = publisher.report_batch(0..n).unwrap_or_else(|error| error.accepted);
///     assert_eq!(accepted as u64, n);
/// }
///
/// let bus = Bus::builder().build()?;
/// count_to(10, &mut bus.publisher());
///
/// let (mut publisher, _bus) = Bus::builder().build_exclusive()?;
/// count_to(10, &mut publisher);
/// # Ok::<(), ringbus::BuildError>(())
/// ```
///
/// Not even for events of a type of its own:
/// ```compile_fail
/// # use ringbus::{BatchError, Publish, Publisher, ReportError, TryReportError};
/// # use std::time::Duration;
/// struct Mine;
///
/// impl Publish<Mine> for Publisher<u64> {
///     fn report(&mut self, _: Mine) -> Result<(), ReportError<Mine>> {
///         Ok(()) // and the same of the other methods
///     }
/// #   fn try_report(&mut self, _: Mine) -> Result<(), TryReportError<Mine>> { Ok(()) }
/// #   fn report_timeout(&mut self, _: Mine, _: Duration) -> Result<(), TryReportError<Mine>> { Ok(()) }
/// #   fn report_recycling(&mut self, _: Mine) -> Result<Option<Mine>, ReportError<Mine>> { Ok(None) }
/// #   fn report_batch(&mut self, _: impl IntoIterator<Item = Mine>) -> Result<usize, BatchError<Mine>> { Ok(0) }
/// #   fn try_report_batch(&mut self, _: impl IntoIterator<Item = Mine>) -> usize { 0 }
/// #   fn free(&mut self) -> usize { 0 }
/// }
/// ```
pub trait Publish<E>: sealed::Sealed<E> {
    /// Reports one event. Evicts each subscriber that is in the way.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    fn report(&mut self, event: E) -> Result<(), ReportError<E>>;

    /// Reports one event if no subscriber is in the way. Evicts no subscriber.
    ///
    /// # Errors
    /// [`TryReportError`], with the event.
    fn try_report(&mut self, event: E) -> Result<(), TryReportError<E>>;

    /// Reports one event. Waits at most `timeout` for room, instead of evicting a subscriber.
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if there was no room in time.
    fn report_timeout(&mut self, event: E, timeout: Duration) -> Result<(), TryReportError<E>>;

    /// Reports one event, and returns the value that its slot held: with no subscriber, the event
    /// itself.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    fn report_recycling(&mut self, event: E) -> Result<Option<E>, ReportError<E>>;

    /// Reports all events of an iterator, in order. Returns how many it reported.
    ///
    /// # Errors
    /// [`BatchError`]: how many were accepted, and the events that were taken and not accepted.
    fn report_batch(&mut self, events: impl IntoIterator<Item = E>) -> Result<usize, BatchError<E>>
    where
        Self: Sized;

    /// Reports as many events of an iterator as there is room for. Returns how many were accepted.
    /// Evicts no subscriber.
    fn try_report_batch(&mut self, events: impl IntoIterator<Item = E>) -> usize
    where
        Self: Sized;

    /// Returns how many events fit now without an eviction.
    fn free(&mut self) -> usize;
}

mod sealed {
    /// Only this crate's publishers, each of its own events: the rules of a ring are theirs to keep.
    pub trait Sealed<E> {}
}

/// Implements [`Publish`] by a publisher's own methods, which come first where both have a name.
macro_rules! publish_by_own_methods {
    ($($publisher:ident),*) => {$(
        impl<E> sealed::Sealed<E> for $publisher<E> {}

        impl<E: Send + Sync + 'static> Publish<E> for $publisher<E> {
            #[inline(always)]
            fn report(&mut self, event: E) -> Result<(), ReportError<E>> {
                $publisher::report(self, event)
            }

            #[inline(always)]
            fn try_report(&mut self, event: E) -> Result<(), TryReportError<E>> {
                $publisher::try_report(self, event)
            }

            fn report_timeout(&mut self, event: E, timeout: Duration) -> Result<(), TryReportError<E>> {
                $publisher::report_timeout(self, event, timeout)
            }

            #[inline(always)]
            fn report_recycling(&mut self, event: E) -> Result<Option<E>, ReportError<E>> {
                $publisher::report_recycling(self, event)
            }

            #[inline(always)]
            fn report_batch(&mut self, events: impl IntoIterator<Item = E>) -> Result<usize, BatchError<E>> {
                $publisher::report_batch(self, events)
            }

            #[inline(always)]
            fn try_report_batch(&mut self, events: impl IntoIterator<Item = E>) -> usize {
                $publisher::try_report_batch(self, events)
            }

            fn free(&mut self) -> usize {
                $publisher::free(self)
            }
        }
    )*};
}

publish_by_own_methods!(Publisher, ExclusivePublisher);
