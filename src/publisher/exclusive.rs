//! The only publisher of its bus.

mod in_place;

use super::fanout::{Published, in_place};
use super::report::{batch_error, batch_refused, report_error, try_report_error, wait_for_room};
use crate::engine::Engine;
use crate::engine::shutdown::StopReport;
use crate::error::{BatchError, ReportError, TryReportError};
use crate::ring::batch::{Batch, goes_one_by_one, with_batch, with_olds};
use crate::ring::gate::{Policy, Refusal};
use crate::ring::write_cursor::WriteCursor;
use crate::sync::{Arc, ModelArc};
use crate::worker::Worker;
use std::fmt;
use std::time::Duration;

/// The only publisher of its bus: one writer by type, so no compare-and-swap. Dropping it closes the bus.
///
/// Every method is lock-free unless it says otherwise: no other thread, frozen anywhere, holds it up.
///
/// After a [`mem::forget`](std::mem::forget) of it the stream has no end: see [the limitations](crate::docs::limitations).
///
/// It cannot be cloned:
/// ```compile_fail
/// let (publisher, _bus) = ringbus::Bus::<u64>::builder().build_exclusive().unwrap();
/// let other = publisher.clone();
/// ```
/// where a shared one can:
/// ```
/// let bus = ringbus::Bus::<u64>::builder().build().unwrap();
/// let other = bus.publisher().clone();
/// ```
pub struct ExclusivePublisher<E> {
    engine: Arc<Engine<E>>,
    worker: ModelArc<Worker<E>>,
    cursor: WriteCursor,
}

impl<E> fmt::Debug for ExclusivePublisher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExclusivePublisher")
            .field("next", &self.cursor.next())
            .finish_non_exhaustive()
    }
}

impl<E: Send + Sync + 'static> ExclusivePublisher<E> {
    pub(crate) fn new(engine: Arc<Engine<E>>) -> Self {
        let worker = ModelArc::clone(&engine.running.load_full().workers[0]);
        let cursor = worker.ring.write_cursor();
        ExclusivePublisher {
            engine,
            worker,
            cursor,
        }
    }

    #[inline(always)]
    fn send(&mut self, event: E, policy: Policy) -> Published<E> {
        if const { goes_one_by_one::<E>() } {
            return in_place(event, |batch| self.send_in_place(batch, policy));
        }
        let listeners = self.worker.ring.listeners();
        if listeners.is_awake() {
            self.send_heard(event, policy)
        } else if listeners.has_none() {
            Ok(Some(event))
        } else {
            self.send_to_sleepers(event, policy)
        }
    }

    #[inline(always)]
    fn send_heard(&mut self, event: E, policy: Policy) -> Published<E> {
        let worker = &*self.worker;
        if !self.cursor.is_prepared()
            && let Err(refusal) = worker.find_exclusive_room(&mut self.cursor, policy)
        {
            return Err((refusal, event));
        }
        // SAFETY: there was room, or it was found, in the worker's ring.
        Ok(unsafe { worker.ring.publish_exclusive(&mut self.cursor, event) })
    }

    #[cold]
    #[inline(never)]
    fn send_to_sleepers(&mut self, event: E, policy: Policy) -> Published<E> {
        let sent = self.send_heard(event, policy);
        self.worker.wake_sleepers();
        sent
    }

    /// Sends the event of a batch of one from where it lies.
    fn send_in_place(&mut self, batch: &mut Batch<'_, E>, policy: Policy) -> Result<(), Refusal> {
        let worker = &*self.worker;
        if worker.ring.has_no_listeners() {
            batch.unheard();
            return Ok(());
        }
        let _waker = Waker(worker);
        if !self.cursor.has_room() {
            worker.find_exclusive_room(&mut self.cursor, policy)?;
        }
        // SAFETY: there was room, or it was found, in the worker's ring.
        unsafe {
            worker
                .ring
                .publish_exclusive_in_place(&mut self.cursor, batch)
        };
        Ok(())
    }

    /// Reports one event. Never waits for a subscriber: whoever is in the way is dropped.
    ///
    /// Wait-free but for a look at all subscribers, a few times a lap and where one sleeps. The
    /// first such look on each thread allocates once, and nothing does after it. With no subscriber
    /// the event is dropped here.
    ///
    /// # Errors
    /// [`ReportError::Exhausted`], with the event.
    #[inline]
    pub fn report(&mut self, event: E) -> Result<(), ReportError<E>> {
        self.send(event, Policy::Evict)
            .map(drop)
            .map_err(report_error)
    }

    /// Reports one event if nobody is in the way. Drops no subscriber.
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if a subscriber is a whole ring behind:
    /// [`Bus::slowest`](crate::Bus::slowest) names it.
    #[inline]
    pub fn try_report(&mut self, event: E) -> Result<(), TryReportError<E>> {
        self.send(event, Policy::Keep)
            .map(drop)
            .map_err(try_report_error)
    }

    /// Reports one event, waiting at most `timeout` for room instead of dropping anyone. Blocks, by choice.
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if there was no room in time.
    pub fn report_timeout(&mut self, event: E, timeout: Duration) -> Result<(), TryReportError<E>> {
        wait_for_room(event, timeout, |batch| {
            self.send_in_place(batch, Policy::Keep)
        })
    }

    /// Reports an event and gives back the value that its slot held, buffers and all: with nobody listening, the event
    /// itself.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    #[inline]
    pub fn report_recycling(&mut self, event: E) -> Result<Option<E>, ReportError<E>> {
        self.send(event, Policy::Evict).map_err(report_error)
    }

    /// Reports all events of an iterator, in order, with one stamp for up to 128: 32 of more than 64 bytes, 4 of more
    /// than 1024, one of more than 4096. How many there were.
    ///
    /// The events go straight from the iterator into the ring. Those of one stamp become visible together, once the
    /// iterator has given them: if it panics, what it gave before is published.
    ///
    /// # Errors
    /// [`BatchError`]: how many were accepted, and the event that was not. What the iterator did not give yet is left in it,
    /// if it was given by reference.
    pub fn report_batch(
        &mut self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<usize, BatchError<E>> {
        let events = &mut events.into_iter();
        let mut accepted = 0;
        loop {
            let (some, ended) = self.send_some(events);
            accepted += some;
            if ended {
                return Ok(accepted);
            }
            if !self.cursor.has_room() {
                if !self.report_next(events, accepted)? {
                    return Ok(accepted);
                }
                accepted += 1;
            }
        }
    }

    /// Reports the next event of an iterator where room is still to be found. Returns false if the
    /// iterator ended. It is asked first, because no subscriber is to be dropped for an event that
    /// does not come.
    fn report_next(
        &mut self,
        events: &mut impl Iterator<Item = E>,
        accepted: usize,
    ) -> Result<bool, BatchError<E>> {
        if const { goes_one_by_one::<E>() } {
            return with_batch(|batch| {
                self.send_next(events, batch, Policy::Evict)
                    .map_err(|refusal| batch_refused(accepted, refusal, batch))
            });
        }
        let Some(event) = events.next() else {
            return Ok(false);
        };
        match self.send(event, Policy::Evict) {
            Ok(_) => Ok(true),
            Err((refusal, event)) => Err(batch_error(accepted, refusal, [event])),
        }
    }

    /// Reports as many events of an iterator as there is room for, and takes no more. Drops no subscriber.
    ///
    /// What is left is dropped with the iterator; give it by reference to keep it, as
    /// [`Publisher::try_report_batch`](crate::Publisher::try_report_batch) shows.
    pub fn try_report_batch(&mut self, events: impl IntoIterator<Item = E>) -> usize {
        let events = &mut events.into_iter();
        let mut accepted = 0;
        loop {
            let (some, ended) = self.send_some(events);
            accepted += some;
            let has_room = |cursor: &mut WriteCursor| {
                cursor.has_room()
                    || self
                        .worker
                        .find_exclusive_room(cursor, Policy::Keep)
                        .is_ok()
            };
            if ended || !has_room(&mut self.cursor) {
                return accepted;
            }
        }
    }

    /// Sends some events, as many as there is room for without a scan: how many, and whether the iterator ended.
    #[inline(always)]
    fn send_some(&mut self, events: &mut impl Iterator<Item = E>) -> (usize, bool) {
        if !self.cursor.is_prepared() {
            if !self.cursor.has_room() {
                return (0, false);
            }
            self.worker.ring.ask_ahead(&mut self.cursor);
        }
        if const { goes_one_by_one::<E>() } {
            let sent = with_batch(|batch| self.send_next(events, batch, Policy::Keep));
            debug_assert!(sent.is_ok(), "there is room");
            let some = sent.unwrap_or(false);
            return (usize::from(some), !some);
        }
        if self.worker.ring.has_no_listeners() {
            let Some(event) = events.next() else {
                return (0, true);
            };
            // Looks again: somebody may have joined while the iterator made it.
            let sent = self.send(event, Policy::Keep);
            debug_assert!(sent.is_ok(), "there is room");
            return (1, false);
        }
        // They are dropped last: that is user code.
        with_olds(|olds| {
            let _waker = Waker(&self.worker);
            let ring = &self.worker.ring;
            // SAFETY: there is room, as was seen above.
            unsafe { ring.publish_exclusive_batch(&mut self.cursor, events, olds) }
        })
    }

    /// Takes the next event of an iterator, and sends it. Returns false if the iterator ended.
    ///
    /// Looks for listeners and for room only after the iterator gave the event.
    #[cold]
    fn send_next(
        &mut self,
        events: &mut impl Iterator<Item = E>,
        batch: &mut Batch<'_, E>,
        policy: Policy,
    ) -> Result<bool, Refusal> {
        if batch.gather(events, 1) {
            return Ok(false);
        }
        self.send_in_place(batch, policy).map(|()| true)
    }

    /// Events that fit now without dropping anyone. Subscribers only add to it, but for one that joins just then.
    /// Wait-free.
    pub fn free(&mut self) -> usize {
        self.worker.ring.free() as usize
    }

    /// Wakes the worker, and by it the sleepers that have something to read, before the worker's
    /// nap is over. A report does so itself; this is for a subscriber that fell asleep while the
    /// report was under way.
    pub fn wake(&self) {
        self.worker.notify_worker();
    }

    /// Ends the stream and waits for nobody: subscribers read on to the end.
    pub fn close(self) {}

    /// Ends the stream: closes, lets subscribers drain, joins the threads. See [`Bus::stop`](crate::Bus::stop).
    pub fn stop(self) -> StopReport {
        let timeout = self.engine.config.stop_timeout;
        self.stop_timeout(timeout)
    }

    /// As [`stop`](Self::stop), with a timeout of its own.
    pub fn stop_timeout(self, timeout: Duration) -> StopReport {
        self.engine.stop(timeout)
    }

    /// Reports `last`, then stops. Says in [`StopReport::last_accepted`] whether it was accepted.
    pub fn shutdown(mut self, last: E) -> StopReport {
        let last_accepted = self.report(last).is_ok();
        let mut report = self.stop();
        report.last_accepted = last_accepted;
        report
    }
}

/// Wakes who asked for it while a batch was under way, also where its iterator panics.
struct Waker<'a, E>(&'a Worker<E>);

impl<E> Drop for Waker<'_, E> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.0.ring.listeners().is_awake() {
            self.0.wake_sleepers();
        }
    }
}

impl<E> Drop for ExclusivePublisher<E> {
    fn drop(&mut self) {
        self.worker.close();
    }
}
