//! Reporting in place: a closure changes what a slot holds.

use super::{ExclusivePublisher, Waker};
use crate::error::{BatchError, ReportError, TryReportError};
use crate::publisher::report::{batch_error, report_error, try_report_error};
use crate::ring::gate::{Policy, Refusal};
use crate::ring::in_place::SlotsMut;
use crate::ring::write_cursor::WriteCursor;
use crate::worker::Worker;

/// Writing in place, for events with a [`Default`].
impl<E: Default + Send + Sync + 'static> ExclusivePublisher<E> {
    /// Reports one event that `write` makes of the value in its slot. So an event with a `String`
    /// or a `Vec` keeps its buffers, and need not allocate.
    ///
    /// The value is what was reported a lap ago, so `write` has to set everything that a subscriber
    /// is to read. On the first lap it is a [`Default`] one: the first call makes one for each slot
    /// that holds nothing yet, and takes as long as that takes.
    ///
    /// ```
    /// # #[derive(Default)]
    /// # struct Line { text: String }
    /// # let (mut publisher, bus) = ringbus::Bus::<Line>::builder().build_exclusive()?;
    /// # let mut subscriber = bus.subscribe()?;
    /// publisher.report_with(|line| {
    ///     line.text.clear();
    ///     line.text.push_str("ready");
    /// })?;
    /// assert_eq!(subscriber.recv()?.text, "ready");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Never waits for a subscriber: one that is in the way is dropped. With no subscriber, `write`
    /// is not called. As wait-free as [`report`](Self::report), but for `write` itself. The event
    /// is there for subscribers when `write` has returned; nothing else waits for it.
    ///
    /// # Errors
    /// [`ReportError::Exhausted`]; `write` was not called.
    ///
    /// # Panics
    /// If `write` panics, or `default` does. Nothing is published then, and the slot keeps what
    /// `write` left in it.
    #[inline]
    pub fn report_with(&mut self, write: impl FnOnce(&mut E)) -> Result<(), ReportError<()>> {
        self.send_with(write, Policy::Evict)
            .map_err(|refusal| report_error((refusal, ())))
    }

    /// Reports one event as [`report_with`](Self::report_with) does, if no subscriber is in the
    /// way. Drops no subscriber.
    ///
    /// # Errors
    /// [`TryReportError`]; `write` was not called. `Full` if a subscriber is a whole ring behind:
    /// [`Bus::slowest`](crate::Bus::slowest) names it.
    ///
    /// # Panics
    /// As [`report_with`](Self::report_with).
    #[inline]
    pub fn try_report_with(
        &mut self,
        write: impl FnOnce(&mut E),
    ) -> Result<(), TryReportError<()>> {
        self.send_with(write, Policy::Keep)
            .map_err(|refusal| try_report_error((refusal, ())))
    }

    /// Reports `count` events that `write` makes of the values in their slots. Returns how many
    /// were reported, which is `count`.
    ///
    /// `write` is called for up to 128 slots at a time, as many as lie side by side and are free,
    /// until `count` are written. Those of one call become visible together when it returns. All of
    /// them are published, so `write` has to take each: a slot that it leaves out is reported once
    /// more with the event of a lap before. With no subscriber, `write` is not called.
    ///
    /// ```
    /// # let (mut publisher, bus) = ringbus::Bus::<u64>::builder().build_exclusive()?;
    /// # let mut subscriber = bus.subscribe()?;
    /// let mut numbers = 0..;
    /// publisher.report_batch_with(10, |slots| {
    ///     for (slot, number) in slots.zip(&mut numbers) {
    ///         *slot = number;
    ///     }
    /// })?;
    /// assert_eq!(subscriber.drain(usize::MAX, |_| {})?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BatchError`], of which only [`accepted`](BatchError::accepted) and
    /// [`error`](BatchError::error) say something. Its other parts give events back, and here there
    /// are none: `write` is not called where there is no room.
    ///
    /// # Panics
    /// If `write` panics, or `default` does. Of that call nothing is published, and the slots keep
    /// what it left in them.
    pub fn report_batch_with(
        &mut self,
        count: usize,
        mut write: impl FnMut(SlotsMut<'_, E>),
    ) -> Result<usize, BatchError<()>> {
        let mut accepted = 0;
        while accepted < count {
            match self.send_some_with(count - accepted, &mut write, Policy::Evict) {
                Ok(some) => accepted += some,
                Err(refusal) => return Err(batch_error(accepted, refusal, [()])),
            }
        }
        Ok(accepted)
    }

    /// Reports as many of `count` events as there is room for, as
    /// [`report_batch_with`](Self::report_batch_with) does. Drops no subscriber. Returns how many
    /// were reported.
    ///
    /// # Panics
    /// As [`report_batch_with`](Self::report_batch_with).
    pub fn try_report_batch_with(
        &mut self,
        count: usize,
        mut write: impl FnMut(SlotsMut<'_, E>),
    ) -> usize {
        let mut accepted = 0;
        while accepted < count {
            match self.send_some_with(count - accepted, &mut write, Policy::Keep) {
                Ok(some) => accepted += some,
                Err(_) => break,
            }
        }
        accepted
    }

    #[inline(always)]
    fn send_with(&mut self, write: impl FnOnce(&mut E), policy: Policy) -> Result<(), Refusal> {
        if self.worker.ring.listeners().has_none_left() {
            return Ok(());
        }
        // It looks for sleepers at the end, because `write` may take long enough for one to fall
        // asleep.
        let _waker = Waker(&self.worker);
        find_filled_room(&self.worker, &mut self.cursor, policy)?;
        let ring = &self.worker.ring;
        // SAFETY: filled room was found in the worker's ring.
        unsafe { ring.publish_exclusive_with(&mut self.cursor, write) };
        Ok(())
    }

    /// Reports up to `most` events by one call of `write`. Returns how many.
    #[inline(always)]
    fn send_some_with(
        &mut self,
        most: usize,
        write: impl FnOnce(SlotsMut<'_, E>),
        policy: Policy,
    ) -> Result<usize, Refusal> {
        if self.worker.ring.listeners().has_none_left() {
            return Ok(most);
        }
        let _waker = Waker(&self.worker);
        find_filled_room(&self.worker, &mut self.cursor, policy)?;
        let ring = &self.worker.ring;
        // SAFETY: filled room was found in the worker's ring.
        Ok(unsafe { ring.publish_exclusive_batch_with(&mut self.cursor, most, write) })
    }
}

/// Finds room for an event among slots that hold a value.
#[inline(always)]
fn find_filled_room<E: Default>(
    worker: &Worker<E>,
    cursor: &mut WriteCursor,
    policy: Policy,
) -> Result<(), Refusal> {
    if !cursor.is_filled() {
        worker.ring.fill(cursor, E::default);
    }
    if !cursor.is_prepared() {
        worker.find_exclusive_room(cursor, policy)?;
    }
    Ok(())
}
