//! A publisher among others.

use super::fanout::{Published, in_place, reload, send, send_batch};
use super::report::{batch_error, report_all, report_error, try_report_error, wait_for_room};
use crate::engine::{CloseGuard, Engine};
use crate::error::{BatchError, ReportError, TryReportError};
use crate::ring::batch::{Batch, batch_of, goes_one_by_one, with_batch};
use crate::ring::gate::{Policy, Refusal};
use crate::sync::Arc;
use crate::worker::set::WorkerSet;
use std::collections::VecDeque;
use std::fmt;
use std::iter;
use std::time::Duration;

/// One of the publishers of a shared bus, with what it needs at hand. Clone it for each thread.
///
/// Every method is lock-free unless it says otherwise: no other thread, frozen anywhere, holds it up.
///
/// After a [`mem::forget`](std::mem::forget) of it the bus does not close by itself: see
/// [the limitations](crate::docs::limitations).
pub struct Publisher<E> {
    bus: Counted<E>,
    set: Arc<WorkerSet<E>>,
    /// Events that [`Publisher::try_report_batch`] took from its iterator, and that then did not fit: first in line.
    carried: VecDeque<E>,
}

/// Keeps the bus open, and counts as one of its publishers.
struct Counted<E>(Arc<CloseGuard<E>>);

impl<E> Counted<E> {
    fn new(guard: Arc<CloseGuard<E>>) -> Self {
        guard.engine.add_publisher();
        Counted(guard)
    }

    fn engine(&self) -> &Engine<E> {
        &self.0.engine
    }
}

impl<E> Clone for Counted<E> {
    fn clone(&self) -> Self {
        Counted::new(Arc::clone(&self.0))
    }
}

impl<E> Drop for Counted<E> {
    fn drop(&mut self) {
        self.engine().remove_publisher();
    }
}

impl<E> Clone for Publisher<E> {
    /// Another publisher of the same bus. What this one carries stays with it.
    fn clone(&self) -> Self {
        Publisher {
            bus: self.bus.clone(),
            set: Arc::clone(&self.set),
            carried: VecDeque::new(),
        }
    }
}

impl<E> fmt::Debug for Publisher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("carried", &self.carried.len())
            .finish_non_exhaustive()
    }
}

impl<E: Send + Sync + 'static> Publisher<E> {
    pub(crate) fn new(guard: Arc<CloseGuard<E>>) -> Self {
        let set = guard.engine.running.load_full();
        Publisher {
            bus: Counted::new(guard),
            set,
            carried: VecDeque::new(),
        }
    }

    #[inline(always)]
    fn report_by<R>(
        &mut self,
        policy: Policy,
        event: E,
        error: impl FnOnce((Refusal, E)) -> R,
    ) -> Result<(), R> {
        if const { goes_one_by_one::<E>() } {
            return in_place(event, |batch| self.send_in_place(batch, policy))
                .map(drop)
                .map_err(error);
        }
        if self.is_unheard() {
            return Ok(());
        }
        self.report_small(policy, event, error)
    }

    /// Reports an event to a bus that may have subscribers. A function of its own, so that a report
    /// to a bus without any costs no call.
    #[inline]
    fn report_small<R>(
        &mut self,
        policy: Policy,
        event: E,
        error: impl FnOnce((Refusal, E)) -> R,
    ) -> Result<(), R> {
        self.send_small(event, policy).map(drop).map_err(error)
    }

    /// Sends an event that is not too large to be handed from call to call.
    #[inline(always)]
    fn send_small(&mut self, event: E, policy: Policy) -> Published<E> {
        if !self.carried.is_empty() {
            if let (_, Err(refusal)) = self.send_carried(policy) {
                return Err((refusal, event));
            }
            if self.is_unheard() {
                return Ok(Some(event));
            }
        }
        send(self.bus.engine(), &mut self.set, event, policy)
    }

    /// No subscriber listens at the only worker, and no event is carried.
    #[inline(always)]
    fn is_unheard(&self) -> bool {
        let workers = self.set.workers.as_slice();
        self.carried.is_empty() && matches!(workers, [worker] if worker.ring.has_no_listeners())
    }

    /// Sends the event of a batch of one from its place, after those that are carried.
    fn send_in_place(&mut self, batch: &mut Batch<'_, E>, policy: Policy) -> Result<(), Refusal> {
        self.send_carried(policy).1?;
        self.send_batch(batch, policy)
    }

    /// Sends the events that are carried. How many were sent, and why the rest was not.
    #[inline(always)]
    fn send_carried(&mut self, policy: Policy) -> (usize, Result<(), Refusal>) {
        if self.carried.is_empty() {
            return (0, Ok(()));
        }
        self.send_each_carried(policy)
    }

    #[cold]
    fn send_each_carried(&mut self, policy: Policy) -> (usize, Result<(), Refusal>) {
        let mut sent = 0;
        let mut result = Ok(());
        while !self.carried.is_empty() && result.is_ok() {
            with_batch(|batch| {
                // One at a time, because user code runs between two events for several rings: if it
                // panics, the others are still carried.
                batch.gather(&mut iter::from_fn(|| self.carried.pop_front()), 1);
                result = self.send_batch(batch, policy);
                sent += batch.committed();
                if let Some(event) = batch.pop() {
                    self.carried.push_front(event);
                }
            });
        }
        (sent, result)
    }

    /// Reports one event. Never waits for a subscriber: whoever is in the way is dropped.
    ///
    /// Lock-free. With one worker it allocates nothing after the first scan or wake-up on each
    /// thread. With no subscriber the event is dropped here.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    #[inline(always)]
    pub fn report(&mut self, event: E) -> Result<(), ReportError<E>> {
        self.report_by(Policy::Evict, event, report_error)
    }

    /// Reports one event if nobody is in the way. Drops no subscriber. Lock-free.
    ///
    /// With several workers one exception: when this thread hangs inside the report until a reader takes its claim away in
    /// one ring, and another ring has the event already, the claim is made anew as by [`report`](Self::report).
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if a subscriber is a whole ring behind:
    /// [`Bus::slowest`](crate::Bus::slowest) names it.
    #[inline(always)]
    pub fn try_report(&mut self, event: E) -> Result<(), TryReportError<E>> {
        self.report_by(Policy::Keep, event, try_report_error)
    }

    /// Reports one event, waiting at most `timeout` for room instead of dropping anyone.
    ///
    /// Blocks, by choice: it yields and naps until there is room.
    ///
    /// # Errors
    /// [`TryReportError`], with the event; `Full` if there was no room in time.
    pub fn report_timeout(&mut self, event: E, timeout: Duration) -> Result<(), TryReportError<E>> {
        wait_for_room(event, timeout, |batch| {
            self.send_in_place(batch, Policy::Keep)
        })
    }

    /// Reports an event and gives back the value that its slot held, buffers and all: with nobody listening, the event
    /// itself. Lock-free.
    ///
    /// A value that needs no drop is gone once a [batch](Self::report_batch) was copied over it.
    ///
    /// # Errors
    /// [`ReportError`], with the event.
    #[inline]
    pub fn report_recycling(&mut self, event: E) -> Result<Option<E>, ReportError<E>> {
        if const { goes_one_by_one::<E>() } {
            return in_place(event, |batch| self.send_in_place(batch, Policy::Evict))
                .map_err(report_error);
        }
        if self.is_unheard() {
            return Ok(Some(event));
        }
        self.send_small(event, Policy::Evict).map_err(report_error)
    }

    /// Reports all events of an iterator, in order, and before them those that were
    /// [carried](Self::carried). Returns how many it reported.
    ///
    /// Up to 128 events at a time are taken from the iterator before any of them is reported: 32 of more than 64 bytes, 4 of
    /// more than 1024, because they wait on this thread's stack; events of more than 4096 bytes are taken and reported one by
    /// one. So a slow iterator delays what it gave before; and if it panics,
    /// the events that were taken and not reported yet are dropped. (An
    /// [exclusive publisher](crate::ExclusivePublisher::report_batch) takes them one by one.)
    ///
    /// Subscribers see them in runs: a run is at most what was taken at once, and at most an eighth
    /// of the ring divided by the number of publishers. In the first lap of a ring, and where
    /// another publisher hangs, they see them one by one. What a publisher costs that freezes in a
    /// run is in [the limitations](crate::docs::limitations).
    ///
    /// A batch drops whoever it laps, as so many reports in a row would: keep it well under 7/8 of the capacity, or go by
    /// [`free`](Self::free).
    ///
    /// Lock-free, but for the iterator, which runs outside of any claim.
    ///
    /// # Errors
    /// [`BatchError`]: how many were accepted, the event that was not (one that was carried, perhaps), and those already
    /// taken behind it. What the iterator did not give yet is left in it, if it was given by reference.
    pub fn report_batch(
        &mut self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<usize, BatchError<E>> {
        let (accepted, carried) = self.send_carried(Policy::Evict);
        if let Err(refusal) = carried {
            return Err(batch_error(accepted, refusal, self.carried.drain(..)));
        }
        let events = &mut events.into_iter();
        report_all(events, accepted, |batch| {
            self.send_batch(batch, Policy::Evict)
        })
    }

    /// Reports as many events of an iterator as there is room for. How many were accepted. Drops no subscriber.
    ///
    /// It takes no more events than fit. Where another publisher then takes the room first, those that were taken, up to 128,
    /// stay with this publisher ([`carried`](Self::carried)): they are first in line at its next call, and count there. A
    /// call with an empty iterator reports them alone; dropping the publisher drops them.
    ///
    /// 0 if the ring is full, and if the bus is stopped: [`is_stopped`](Self::is_stopped) tells
    /// which. Events are taken, and become visible, as by [`report_batch`](Self::report_batch).
    /// Lock-free, but for the iterator.
    ///
    /// What is left is dropped with the iterator; give it by reference to keep it:
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().capacity(64).build()?;
    /// # let _subscriber = bus.subscribe()?;
    /// let mut publisher = bus.publisher();
    /// publisher.report_batch(0..10)?;
    /// let mut numbers = 10..100;
    /// assert_eq!(publisher.try_report_batch(&mut numbers), 54);
    /// assert_eq!(numbers.next(), Some(64));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_report_batch(&mut self, events: impl IntoIterator<Item = E>) -> usize {
        let events = &mut events.into_iter();
        let (mut accepted, carried) = self.send_carried(Policy::Keep);
        if carried.is_err() {
            return accepted;
        }
        loop {
            // Nothing is taken from the iterator that has nowhere to go.
            let free = self.free_for_batch();
            let ended = with_batch(|batch| {
                let ended = batch.gather(events, free);
                let result = self.send_batch(batch, Policy::Keep);
                accepted += batch.committed();
                if !batch.is_empty() {
                    self.carried.extend(iter::from_fn(|| batch.pop()));
                }
                result.is_err() || ended
            });
            if ended {
                return accepted;
            }
        }
    }

    /// Events that [`try_report_batch`](Self::try_report_batch) took and could not place yet: at most 128.
    pub fn carried(&self) -> usize {
        self.carried.len()
    }

    /// The bus takes no events: it was stopped or closed, and not started again. Wait-free.
    pub fn is_stopped(&mut self) -> bool {
        let closed = |set: &WorkerSet<E>| set.workers.iter().all(|worker| worker.ring.is_closed());
        if closed(&self.set) {
            reload(self.bus.engine(), &mut self.set);
        }
        closed(&self.set)
    }

    fn send_batch(&mut self, batch: &mut Batch<'_, E>, policy: Policy) -> Result<(), Refusal> {
        let engine = self.bus.engine();
        let publishers = engine.publishers();
        send_batch(engine, &mut self.set, batch, publishers, policy)
    }

    /// Returns how many events fit now; or the size of a batch, if at least that many fit.
    ///
    /// It looks at cursors only where the last scan left too little room, because each look takes a
    /// cursor's cache line from the subscriber that writes it.
    fn free_for_batch(&mut self) -> usize {
        let batch = batch_of::<E>();
        match self.set.workers.as_slice() {
            [worker] if worker.ring.room_at_hand() >= batch as u64 => batch,
            _ => self.free(),
        }
    }

    /// Events that fit now without dropping anyone, in every ring that has a subscriber; the capacity if none has,
    /// and 0 of a bus that is stopped.
    ///
    /// Other publishers may take the room first; subscribers only add to it. Wait-free.
    pub fn free(&mut self) -> usize {
        if self.is_stopped() {
            return 0;
        }
        let heard = self
            .set
            .workers
            .iter()
            .filter(|worker| !worker.ring.has_no_listeners());
        let least = heard.map(|worker| worker.ring.free()).min();
        least.map_or(self.bus.engine().config.capacity, |free| free as usize)
    }
}
