//! One subscriber's way through a ring: look, borrow, move on.
//!
//! - **\[C1 window\]** It borrows from `[base, base + window)` only, where `base` is what its cursor says. It moves `base`
//!   by a read-modify-write, and goes on only if the old word was active.
//! - **\[C4 pin\]** An idle reader borrows nothing; it ends being idle, and looks whether it was evicted, before it reads.
//! - **\[C5 detach\]** It touches no slot after it has detached.

mod join;
mod park;
mod stall;
mod throttle;
mod window;

use crate::error::{Eviction, EvictionReason};
use crate::registry::registration::Registration;
use crate::ring::protocol::Protocol;
use crate::ring::segment::LapSegment;
use crate::ring::stamp::Look;
use crate::ring::{Held, Ring};
use crate::sync::{Arc, ModelArc, Ordering, fence_behind_exchange};
use crate::worker::Worker;
use stall::Patience;
use std::ops::ControlFlow;
use throttle::{Found, Pace};
use window::Span;

/// Why there is nothing more to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gone {
    Evicted(Eviction),
    Closed,
}

#[derive(Debug)]
pub(crate) struct Reader<E> {
    pub(crate) worker: ModelArc<Worker<E>>,
    pub(crate) registration: Arc<Registration>,
    span: Span,
    idle: bool,
    evicted: Option<Eviction>,
    pace: Pace,
    patience: Patience,
    /// The borrow of the event that was delivered last.
    held: Held<E>,
}

/// Looks along the runs behind what `span` knows. Returns false if it finds nothing there before
/// `end`. A single event ends it too: a window of those is seen by one look.
#[inline(always)]
fn see_runs_up_to<E>(ring: &Ring<E>, span: &mut Span, end: u64) -> bool {
    while span.known() < end {
        match ring.look(span.known()) {
            Look::Ready { run: 1 } => return true,
            Look::Ready { run } => span.see_more(run),
            _ => return false,
        }
    }
    true
}

impl<E> Reader<E> {
    /// A reader whose registration has just joined at `sequence`.
    pub(crate) fn new(
        worker: ModelArc<Worker<E>>,
        registration: Arc<Registration>,
        sequence: u64,
    ) -> Self {
        Reader {
            span: Span::at(sequence, window_at(&worker, &registration, sequence)),
            idle: false,
            evicted: None,
            pace: pace_at(&worker, sequence),
            patience: Patience::new(worker.config.grace()),
            held: Held::none(),
            worker,
            registration,
        }
    }

    pub(crate) fn next(&self) -> u64 {
        self.span.next()
    }

    /// How it was dropped, whether or not it has noticed.
    pub(crate) fn eviction(&self) -> Option<Eviction> {
        let unnoticed =
            || Registration::eviction(self.registration.cursor.glance(), self.worker.ring.tail());
        self.evicted.or_else(unnoticed)
    }

    /// Ends the last borrow and looks for the next event. True: [`Reader::take`] has one.
    #[inline(always)]
    pub(crate) fn poll(&mut self) -> Result<bool, Gone> {
        self.held.end();
        if self.span.is_ready() {
            return Ok(true);
        }
        if self.span.is_calm()
            && let ring = &self.worker.ring
            && ring.is_full(self.span.next(), self.span.window())
        {
            self.span.see_one();
            return Ok(true);
        }
        self.find()
    }

    #[inline(never)]
    fn find(&mut self) -> Result<bool, Gone> {
        if let Some(eviction) = self.evicted {
            return Err(Gone::Evicted(eviction));
        }
        loop {
            if self.span.is_at_end() {
                self.advance()?;
                if self.span.is_ready() {
                    self.see_runs();
                    return Ok(true);
                }
            }
            match self.worker.ring.look(self.span.next()) {
                Look::Ready { run } => {
                    self.span.see(run);
                    if !self.span.is_calm() {
                        self.resume()?;
                    } else if run > 1 {
                        self.see_runs();
                    } else {
                        self.see_window();
                    }
                    return Ok(true);
                }
                Look::Skip { run } => self.span.skip(run),
                Look::Lapped => return Err(self.leave_evicted()),
                look => {
                    if !self.wait_at(look)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// [T2 holes] In an exclusive ring: sees the rest of the window, if each slot there holds an
    /// event, and the last slot a single one. That takes one look at the last of them, not one look
    /// at each.
    ///
    /// The reader keeps a whole window between this one and the publisher, because a reader that is
    /// closer takes the cache lines that the publisher is about to write. So it looks at the last
    /// slot of the next window too. Where no single event is there yet, it rests a few times, while
    /// rests pay. (A run there counts as close, too; rests do not pay then, and become rare.)
    #[inline(always)]
    fn see_window(&mut self) {
        let (next, end) = (self.span.next(), self.span.window().end);
        let (ring, window) = (&self.worker.ring, self.registration.window);
        if !(ring.protocol().writes_in_order() && self.pace.is_behind(next, window)) {
            return;
        }
        let ahead = end - 1 + window;
        self.pace.notice_absence(|| ring.is_single(end - 1));
        self.pace.keep_distance(next, || ring.is_single(ahead));
        if ring.is_event_each(next, end - 1) {
            self.span.see(end - next);
        }
    }

    /// In an exclusive ring: sees the runs of this window and the next one, as far as they are
    /// there.
    ///
    /// So a caller walks a window in one loop, and not from run to run. Each end of a loop that
    /// comes where the processor does not expect it costs as much as several events. The reader
    /// keeps its distance as in [`see_window`](Self::see_window). In a shared ring, a reader would
    /// take the stamps' cache lines just before publishers write these.
    #[inline(always)]
    fn see_runs(&mut self) {
        let (next, window) = (self.span.next(), self.registration.window);
        let ring = &self.worker.ring;
        if !(ring.protocol().writes_in_order() && self.pace.is_behind(next, window)) {
            return;
        }
        let end = self.span.window().end;
        let ahead = end + window;
        // A batch comes at once, so that much is there for a reader that was not away, too.
        self.pace.notice_absence(|| false);
        let see_runs = || see_runs_up_to(ring, &mut self.span, ahead);
        self.pace.keep_distance(next, see_runs);
        ring.prefetch_stamp(self.span.known());
        ring.prefetch_events(end, self.span.known().saturating_sub(end).min(window));
    }

    /// Nothing at `next`. True if it is worth another look at once.
    #[inline(never)]
    fn wait_at(&mut self, look: Look) -> Result<bool, Gone> {
        if self.span.read() > 0 {
            self.advance()?;
        } else if !self.registration.cursor.glance().is_active() {
            return Err(self.leave_evicted());
        }
        match self.pace.found_before(self.span.next()) {
            Found::Nothing => {}
            Found::Events { rest } => {
                // SYNC drain: a close that this reader does not see, and it may not look again, is
                // followed by a look that sees the cursor, which moved past the events.
                fence_behind_exchange(Ordering::SeqCst);
                if rest {
                    self.pace.rest();
                    return Ok(true);
                }
            }
        }
        let ring = &self.worker.ring;
        if ring.is_closed() {
            if self.span.next() >= ring.tail() {
                ring.registry().drain_waiters().wake_all();
                return Err(Gone::Closed);
            }
            if !ring.is_pending(self.span.next()) {
                return Ok(true);
            }
        }
        Ok(self.rescue(look))
    }

    /// Takes a claim that hangs from its publisher, when patience is at an end. True if the slot is worth another look.
    fn rescue(&mut self, look: Look) -> bool {
        let Worker { ring, config, .. } = &*self.worker;
        let sequence = self.span.next();
        if !ring.protocol().can_abandon()
            || !self
                .patience
                .wants_the_tail(sequence, look == Look::Writing)
        {
            return false;
        }
        let tail = ring.tail();
        if !self.patience.sees(tail, sequence) {
            return false;
        }
        if !ring.is_in_flight(sequence) {
            return true;
        }
        self.span.alarm();
        let over = ring.is_far_behind(sequence, tail)
            || self.patience.is_over(sequence, config.clock.now(), config);
        if over {
            self.patience.rescued();
            self.worker.abandon(sequence);
        }
        over
    }

    /// An event is there: nothing to wait for, and the cursor pins again.
    #[cold]
    fn resume(&mut self) -> Result<(), Gone> {
        self.patience.restore(self.worker.config.grace());
        if self.idle {
            self.idle = false;
            if !self.registration.cursor.resume().is_active() {
                return Err(self.leave_evicted());
            }
        }
        self.span.calm();
        Ok(())
    }

    #[inline(always)]
    fn window_at(&self, sequence: u64) -> LapSegment {
        window_at(&self.worker, &self.registration, sequence)
    }

    /// [C1 window]
    #[inline(always)]
    fn advance(&mut self) -> Result<(), Gone> {
        let old = self.registration.cursor.advance(self.span.read());
        self.span.advance(self.window_at(self.span.next()));
        if old.is_active() {
            Ok(())
        } else {
            Err(self.leave_evicted())
        }
    }

    /// The event that [`Reader::poll`] found, good until the next call of any method but this one's lookers.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (u64, *const E) {
        debug_assert!(self.span.is_ready());
        let sequence = self.span.step();
        // SAFETY: `ready` covers it, and it lies in the window: [C1 window], not idle: [C4 pin].
        let (event, held) = unsafe { self.worker.ring.borrow(sequence) };
        self.held.begin(held);
        (sequence, event)
    }

    /// Takes the event that [`Reader::poll`] found, and those behind it that are there and in the window, at most `most`,
    /// until `each` breaks. How many, and whether it broke.
    ///
    /// The position is kept at hand, and only written down: a chain of loads and stores would cost more than the events.
    #[inline(always)]
    pub(crate) fn take_each(
        &mut self,
        most: u64,
        mut each: impl FnMut(&E) -> ControlFlow<()>,
    ) -> (u64, ControlFlow<()>) {
        debug_assert!(self.span.is_ready() && self.span.is_calm());
        let first = self.span.next();
        let (window, ready) = (self.span.window(), self.span.ready());
        let end = window.end.min(first.saturating_add(most));
        let Reader {
            worker, span, held, ..
        } = self;
        let values = worker.ring.values_from(first);
        let mut taken = Taken {
            span,
            first,
            count: 0,
        };
        let mut take_one = |offset: usize| {
            held.end();
            // SAFETY: ready or full, and in the window: [C1 window], not idle: [C4 pin].
            let (event, borrow) = unsafe { values.borrow(offset) };
            held.begin(borrow);
            // SAFETY: good until the next look, as the cursor stands still.
            each(unsafe { &*event })
        };
        let end = (end - first) as usize;
        // SAFETY: the slot lies before the end of the window.
        let is_full = |offset| offset < end && unsafe { Ring::is_full_in(&values, offset, window) };
        // As far as the last look went, no stamp is looked at.
        let known = end.min((ready - first) as usize);
        if known > 1 {
            while taken.count < known {
                taken.count += 1;
                let flow = take_one(taken.count - 1);
                if flow.is_break() {
                    return (taken.count as u64, flow);
                }
            }
            if !is_full(taken.count) {
                return (taken.count as u64, ControlFlow::Continue(()));
            }
        }
        loop {
            taken.count += 1;
            let flow = take_one(taken.count - 1);
            if flow.is_break() || !is_full(taken.count) {
                return (taken.count as u64, flow);
            }
        }
    }

    /// Returns whether another event is there behind the one that was taken last, which stays
    /// borrowed. The next [`Reader::poll`] does not look again at what this one saw.
    #[inline(always)]
    pub(crate) fn sees_more(&mut self) -> bool {
        if self.span.knows_more() {
            return true;
        }
        if self.span.is_calm()
            && let ring = &self.worker.ring
            && ring.is_full(self.span.next(), self.span.window())
        {
            self.span.see_one();
            return true;
        }
        self.looks_for_more()
    }

    /// Looks behind holes and beyond the window.
    #[inline(never)]
    fn looks_for_more(&self) -> bool {
        let mut sequence = self.span.next();
        loop {
            match self.worker.ring.look(sequence) {
                Look::Ready { .. } => return true,
                Look::Skip { run } => sequence += run,
                _ => return false,
            }
        }
    }

    /// Moves to the newest event that is there; [`Reader::poll`] has found one.
    pub(crate) fn skip_to_newest(&mut self) -> Result<(), Gone> {
        // From the head of a run on; inside of one, what is known of it.
        let newest = self.worker.ring.newest(self.span.next() + 1);
        let newest = newest.unwrap_or(self.span.known().saturating_sub(1));
        if newest > self.span.next() {
            // Move first, borrow after: [C1 window]. An eviction is told from where it was: it read none of them.
            let passed = self.span.read() + newest - self.span.next();
            let old = self.registration.cursor.advance(passed);
            if !old.is_active() {
                return Err(self.leave_evicted());
            }
            self.span = Span::at(newest, self.window_at(newest));
            self.span.see(1);
        }
        Ok(())
    }

    /// Done with everything that was delivered.
    pub(crate) fn release(&mut self) {
        self.held.end();
        if self.span.read() > 0 && self.evicted.is_none() {
            // An eviction is told by the next call.
            let _ = self.advance();
            // SYNC drain: a close that this does not see is followed by a look that sees the
            // cursor.
            fence_behind_exchange(Ordering::SeqCst);
            if self.worker.ring.is_closed() {
                self.worker.ring.registry().drain_waiters().wake_all();
            }
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        self.worker.ring.tail().saturating_sub(self.span.next())
    }

    /// [C5 detach] Evicted: remembers how, and is done with the ring.
    #[cold]
    fn leave_evicted(&mut self) -> Gone {
        let position = self.registration.cursor.detach();
        self.span.stop();
        self.idle = false;
        self.worker.ring.registry().drain_waiters().wake_all();
        let tail = self.worker.ring.tail();
        match Registration::eviction(position, tail) {
            Some(mut eviction) => {
                eviction.sequence = self.span.next();
                eviction.lag = tail.saturating_sub(self.span.next());
                self.evicted = Some(eviction);
                Gone::Evicted(eviction)
            }
            // Never: only an evicted cursor comes here. Closed is the harmless answer.
            None => {
                debug_assert!(false, "an active cursor was lapped");
                Gone::Closed
            }
        }
    }

    /// It was dropped for lag, and then unsubscribed before it could rejoin by itself (or the bus closed).
    pub(crate) fn end_as_unsubscribed(&mut self, mut eviction: Eviction) -> Eviction {
        if self.registration.is_unsubscribed() {
            eviction.reason = EvictionReason::Unsubscribed;
            self.evicted = Some(eviction);
        }
        eviction
    }
}

/// How many events were taken, from `first` on. Its drop, which a panic of a closure's comes to as
/// well, writes that down.
struct Taken<'a> {
    span: &'a mut Span,
    first: u64,
    count: usize,
}

impl Drop for Taken<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.span.step_to(self.first + self.count as u64);
    }
}

/// [C1 window] What a reader may borrow whose cursor is at `sequence`.
#[inline(always)]
fn window_at<E>(worker: &Worker<E>, registration: &Registration, sequence: u64) -> LapSegment {
    worker
        .ring
        .segment(sequence, sequence + registration.window)
}

fn pace_at<E>(worker: &Worker<E>, sequence: u64) -> Pace {
    match worker.ring.protocol() {
        Protocol::Exclusive => Pace::behind_one(sequence),
        Protocol::Shared => Pace::behind_many(sequence),
    }
}

impl<E> Drop for Reader<E> {
    fn drop(&mut self) {
        self.held.end();
        if self.evicted.is_none() && self.registration.cursor.detach().is_active() {
            self.registration.disarm_notice();
        }
        self.registration.retire();
        self.worker.ring.remove_listener();
        self.worker.ring.registry().drain_waiters().wake_all();
        // The worker prunes, and tells what is left to tell.
        self.worker.notify.notify();
        // Last, as the waker that it drops is user code, which may panic.
        self.registration.sleeper.cancel();
    }
}
