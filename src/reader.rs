//! One subscriber's way through a ring: look, borrow, move on.
//!
//! - **\[C1 window\]** It borrows from `[c, c + window)` only, where `c` is what its cursor says. It moves the cursor
//!   by a read-modify-write, and goes on only if the old word was active.
//! - **\[C4 pin\]** An idle reader borrows nothing; it ends being idle, and looks whether it was evicted, before it reads.
//! - **\[C5 detach\]** It touches no slot after it has detached.

mod join;
mod park;
mod stall;
mod take;
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
use stall::StallTimer;
use throttle::{Found, ReadThrottle};
use window::ReadWindow;

/// Why there is nothing more to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadEnd {
    Evicted(Eviction),
    Closed,
}

#[derive(Debug)]
pub(crate) struct Reader<E> {
    pub(crate) worker: ModelArc<Worker<E>>,
    pub(crate) registration: Arc<Registration>,
    window: ReadWindow,
    idle: bool,
    evicted: Option<Eviction>,
    throttle: ReadThrottle,
    stall: StallTimer,
    /// The borrow of the event that was delivered last.
    held: Held<E>,
}

/// Looks along the runs behind what `window` knows. Returns false if it finds nothing there before
/// `end`. A single event ends it too: a window of those is seen by one look.
#[inline(always)]
fn see_runs_up_to<E>(ring: &Ring<E>, window: &mut ReadWindow, end: u64) -> bool {
    while window.run_end() < end {
        match ring.look(window.run_end()) {
            Look::Ready { run: 1 } => return true,
            Look::Ready { run } => window.see_more(run),
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
            window: ReadWindow::at(sequence, window_at(&worker, &registration, sequence)),
            idle: false,
            evicted: None,
            throttle: throttle_at(&worker, sequence),
            stall: StallTimer::new(worker.config.grace()),
            held: Held::none(),
            worker,
            registration,
        }
    }

    pub(crate) fn next(&self) -> u64 {
        self.window.next()
    }

    /// How it was dropped, whether or not it has noticed.
    pub(crate) fn eviction(&self) -> Option<Eviction> {
        let unnoticed =
            || Registration::eviction(self.registration.cursor.glance(), self.worker.ring.tail());
        self.evicted.or_else(unnoticed)
    }

    /// Ends the last borrow and looks for the next event. True: [`Reader::take`] has one.
    #[inline(always)]
    pub(crate) fn poll(&mut self) -> Result<bool, ReadEnd> {
        self.held.end();
        if self.window.is_ready() {
            return Ok(true);
        }
        if self.window.is_fast()
            && let ring = &self.worker.ring
            && ring.is_full(self.window.next(), self.window.segment())
        {
            self.window.see_one();
            return Ok(true);
        }
        self.find()
    }

    #[inline(never)]
    fn find(&mut self) -> Result<bool, ReadEnd> {
        if let Some(eviction) = self.evicted {
            return Err(ReadEnd::Evicted(eviction));
        }
        loop {
            if self.window.is_at_end() {
                self.advance()?;
                if self.window.is_ready() {
                    self.see_runs();
                    return Ok(true);
                }
            }
            match self.worker.ring.look(self.window.next()) {
                Look::Ready { run } => {
                    self.window.see(run);
                    if !self.window.is_fast() {
                        self.resume()?;
                    } else if run > 1 {
                        self.see_runs();
                    } else {
                        self.see_window();
                    }
                    return Ok(true);
                }
                Look::Skip { run } => self.window.skip(run),
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
        let (next, end) = (self.window.next(), self.window.segment().end);
        let (ring, window) = (&self.worker.ring, self.registration.window);
        if !(ring.protocol().writes_in_order() && self.throttle.is_behind(next, window)) {
            return;
        }
        let ahead = end - 1 + window;
        self.throttle.notice_absence(|| ring.is_single(end - 1));
        self.throttle.keep_distance(next, || ring.is_single(ahead));
        if ring.is_event_each(next, end - 1) {
            self.window.see(end - next);
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
        let (next, window) = (self.window.next(), self.registration.window);
        let ring = &self.worker.ring;
        if !(ring.protocol().writes_in_order() && self.throttle.is_behind(next, window)) {
            return;
        }
        let end = self.window.segment().end;
        let ahead = end + window;
        // A batch comes at once, so that much is there for a reader that was not away, too.
        self.throttle.notice_absence(|| false);
        let see_runs = || see_runs_up_to(ring, &mut self.window, ahead);
        self.throttle.keep_distance(next, see_runs);
        ring.prefetch_stamp(self.window.run_end());
        ring.prefetch_events(end, self.window.run_end().saturating_sub(end).min(window));
    }

    /// Nothing at `next`. True if it is worth another look at once.
    #[inline(never)]
    fn wait_at(&mut self, look: Look) -> Result<bool, ReadEnd> {
        if self.window.read() > 0 {
            self.advance()?;
        } else if !self.registration.cursor.glance().is_active() {
            return Err(self.leave_evicted());
        }
        match self.throttle.found_before(self.window.next()) {
            Found::Nothing => {}
            Found::Events { rest } => {
                // SYNC drain: a close that this reader does not see, and it may not look again, is
                // followed by a look that sees the cursor, which moved past the events.
                fence_behind_exchange(Ordering::SeqCst);
                if rest {
                    self.throttle.rest();
                    return Ok(true);
                }
            }
        }
        let ring = &self.worker.ring;
        if ring.is_closed() {
            if self.window.next() >= ring.tail() {
                ring.registry().drain_waiters().wake_all();
                return Err(ReadEnd::Closed);
            }
            if !ring.is_pending(self.window.next()) {
                return Ok(true);
            }
        }
        Ok(self.abandon_stalled(look))
    }

    /// Takes a claim that hangs away from its publisher, when its time is over. True if the slot is worth another look.
    fn abandon_stalled(&mut self, look: Look) -> bool {
        let Worker { ring, config, .. } = &*self.worker;
        let sequence = self.window.next();
        if !ring.protocol().can_abandon()
            || !self.stall.wants_the_tail(sequence, look == Look::Writing)
        {
            return false;
        }
        let tail = ring.tail();
        if !self.stall.sees(tail, sequence) {
            return false;
        }
        if !ring.is_in_flight(sequence) {
            return true;
        }
        self.window.set_slow();
        let over = ring.is_far_behind(sequence, tail)
            || self.stall.is_over(sequence, config.clock.now(), config);
        if over {
            self.stall.rescued();
            self.worker.abandon(sequence);
        }
        over
    }

    /// An event is there: nothing to wait for, and the cursor pins again.
    #[cold]
    fn resume(&mut self) -> Result<(), ReadEnd> {
        self.stall.restore(self.worker.config.grace());
        if self.idle {
            self.idle = false;
            if !self.registration.cursor.resume().is_active() {
                return Err(self.leave_evicted());
            }
        }
        self.window.set_fast();
        Ok(())
    }

    #[inline(always)]
    fn window_at(&self, sequence: u64) -> LapSegment {
        window_at(&self.worker, &self.registration, sequence)
    }

    /// [C1 window]
    #[inline(always)]
    fn advance(&mut self) -> Result<(), ReadEnd> {
        let old = self.registration.cursor.advance(self.window.read());
        self.window.advance(self.window_at(self.window.next()));
        if old.is_active() {
            Ok(())
        } else {
            Err(self.leave_evicted())
        }
    }

    /// Done with everything that was delivered.
    pub(crate) fn release(&mut self) {
        self.held.end();
        if self.window.read() > 0 && self.evicted.is_none() {
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
        self.worker.ring.lag(self.window.next())
    }

    /// [C5 detach] Evicted: remembers how, and is done with the ring.
    #[cold]
    fn leave_evicted(&mut self) -> ReadEnd {
        let position = self.registration.cursor.detach();
        self.window.stop();
        self.idle = false;
        self.worker.ring.registry().drain_waiters().wake_all();
        let tail = self.worker.ring.tail();
        match Registration::eviction(position, tail) {
            Some(mut eviction) => {
                eviction.sequence = self.window.next();
                eviction.lag = tail.saturating_sub(self.window.next());
                self.evicted = Some(eviction);
                ReadEnd::Evicted(eviction)
            }
            // Never: only an evicted cursor comes here. Closed is the harmless answer.
            None => {
                debug_assert!(false, "an active cursor was lapped");
                ReadEnd::Closed
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

/// [C1 window] What a reader may borrow whose cursor is at `sequence`.
#[inline(always)]
fn window_at<E>(worker: &Worker<E>, registration: &Registration, sequence: u64) -> LapSegment {
    worker
        .ring
        .segment(sequence, sequence + registration.window)
}

fn throttle_at<E>(worker: &Worker<E>, sequence: u64) -> ReadThrottle {
    match worker.ring.protocol() {
        Protocol::Exclusive => ReadThrottle::behind_one(sequence),
        Protocol::Shared => ReadThrottle::behind_many(sequence),
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
