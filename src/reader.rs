//! One subscriber's way through a ring: look, borrow, move on, sleep.
//!
//! - **\[C1 window\]** It borrows from `[base, base + window)` only, where `base` is what its cursor says. It moves `base`
//!   by a read-modify-write, and goes on only if the old word was active.
//! - **\[C4 pin\]** An idle reader borrows nothing; it ends being idle, and looks whether it was evicted, before it reads.
//! - **\[C5 detach\]** It touches no slot after it has detached.

use crate::error::{Eviction, EvictionReason};
use crate::member::Member;
use crate::ring::Held;
use crate::ring::shared::Armed;
use crate::ring::stamp::Look;
use crate::sync::{Arc, Ordering, PlainArc, fence, limits};
use crate::wait::Sleeper;
use crate::worker::{QUIET_NAP, Worker};
use std::time::Duration;

/// Why there is nothing more to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gone {
    Evicted(Eviction),
    Closed,
}

#[derive(Debug)]
pub(crate) struct Reader<E> {
    pub(crate) worker: Arc<Worker<E>>,
    pub(crate) member: PlainArc<Member>,
    /// What the cursor says.
    base: u64,
    /// The next sequence to read: in `[base, base + window]`.
    next: u64,
    /// Everything from `next` to here is known to be there.
    ready: u64,
    window: u64,
    idle: bool,
    evicted: Option<Eviction>,
    patience: Patience,
    /// The borrow of the event that was delivered last.
    held: Option<Held<E>>,
}

/// How long a reader waits for a claim that is not committed before it takes it away.
#[derive(Debug)]
struct Patience {
    tries: u32,
    /// The tail when it was looked at last.
    seen_tail: u64,
    waiting: Option<Waiting>,
    /// A claim was taken away since the last event.
    rescued: bool,
    /// Doubles with each run of rescues until an event comes, so that rescuers and publishers cannot starve each other.
    grace: Duration,
}

impl Patience {
    fn is_tried(&self) -> bool {
        self.waiting.is_some() || self.rescued
    }
}

/// A run of claims that is waited for: one grace covers it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Duration,
    /// The tail when the wait began: claims beyond it are younger.
    until: u64,
}

impl<E> Reader<E> {
    /// A reader whose member has just joined at `sequence`.
    pub(crate) fn new(worker: Arc<Worker<E>>, member: PlainArc<Member>, sequence: u64) -> Self {
        Reader {
            base: sequence,
            next: sequence,
            ready: sequence,
            window: member.window,
            idle: false,
            evicted: None,
            patience: Patience {
                tries: 0,
                seen_tail: 0,
                waiting: None,
                rescued: false,
                grace: worker.settings.grace(),
            },
            held: None,
            worker,
            member,
        }
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How it was dropped, whether or not it has noticed.
    pub(crate) fn eviction(&self) -> Option<Eviction> {
        let unnoticed = || Member::eviction(self.member.cursor.glance(), self.worker.ring.tail());
        self.evicted.or_else(unnoticed)
    }

    /// Ends the last borrow and looks for the next event. True: [`Reader::take`] has one.
    #[inline(always)]
    pub(crate) fn poll(&mut self) -> Result<bool, Gone> {
        self.held = None;
        if self.next < self.ready && self.next < self.base + self.window {
            return Ok(true);
        }
        self.find()
    }

    #[inline]
    fn find(&mut self) -> Result<bool, Gone> {
        if let Some(eviction) = self.evicted {
            return Err(Gone::Evicted(eviction));
        }
        loop {
            if self.next == self.base + self.window {
                self.advance()?;
                if self.next < self.ready {
                    return Ok(true);
                }
            }
            match self.worker.ring.look(self.next) {
                Look::Ready { run } => {
                    self.ready = self.next + run;
                    if self.idle || self.patience.is_tried() {
                        self.resume()?;
                    }
                    return Ok(true);
                }
                Look::Skip => {
                    self.next += 1;
                    self.ready = self.next;
                }
                Look::Lapped => return Err(self.leave_evicted()),
                look => {
                    if !self.wait_at(look)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Nothing at `next`. True if it is worth another look at once.
    #[inline(never)]
    fn wait_at(&mut self, look: Look) -> Result<bool, Gone> {
        if self.next != self.base {
            self.advance()?;
        } else if !self.member.cursor.glance().is_active() {
            return Err(self.leave_evicted());
        }
        let ring = &self.worker.ring;
        if ring.is_closed() {
            if self.next >= ring.tail() {
                return Err(Gone::Closed);
            }
            if !ring.is_pending(self.next) {
                return Ok(true);
            }
        }
        Ok(self.rescue(look))
    }

    /// Takes a claim that hangs from its publisher, when patience is at an end. True if the slot is worth another look.
    fn rescue(&mut self, look: Look) -> bool {
        let ring = &self.worker.ring;
        let patience = &mut self.patience;
        patience.tries = patience.tries.wrapping_add(1);
        // The tail is the publishers' line: do not pull at it with every look, unless something is known to come.
        let known = look == Look::Writing || self.next < patience.seen_tail;
        if !known && !patience.tries.is_multiple_of(limits::TRIES_A_LOOK) {
            return false;
        }
        let tail = ring.tail();
        patience.seen_tail = tail;
        if self.next >= tail {
            patience.waiting = None;
            return false;
        }
        if !ring.is_in_flight(self.next) {
            return true;
        }
        if !ring.is_quarter_behind(self.next, tail) {
            let now = self.worker.settings.clock.now();
            let waiting = match patience.waiting {
                Some(waiting) if self.next < waiting.until => waiting,
                _ => {
                    if patience.rescued {
                        patience.rescued = false;
                        patience.grace = self.worker.settings.longer_grace(patience.grace);
                    }
                    Waiting {
                        since: now,
                        until: tail,
                    }
                }
            };
            patience.waiting = Some(waiting);
            if now.saturating_sub(waiting.since) < patience.grace {
                return false;
            }
        }
        patience.rescued = true;
        self.worker.abandon(self.next);
        true
    }

    /// An event is there: nothing to wait for, and the cursor pins again.
    #[cold]
    fn resume(&mut self) -> Result<(), Gone> {
        self.patience.waiting = None;
        self.patience.rescued = false;
        self.patience.grace = self.worker.settings.grace();
        if self.idle {
            self.idle = false;
            if !self.member.cursor.resume().is_active() {
                return Err(self.leave_evicted());
            }
        }
        Ok(())
    }

    /// [C1 window]
    #[inline(always)]
    fn advance(&mut self) -> Result<(), Gone> {
        let old = self.member.cursor.advance(self.next - self.base);
        self.base = self.next;
        if old.is_active() {
            Ok(())
        } else {
            Err(self.leave_evicted())
        }
    }

    /// The event that [`Reader::poll`] found, good until the next call of any method but this one's lookers.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (u64, *const E) {
        debug_assert!(self.next < self.ready && self.next < self.base + self.window);
        let sequence = self.next;
        // SAFETY: `ready` covers it, and it lies in the window: [C1 window], not idle: [C4 pin].
        let (event, held) = unsafe { self.worker.ring.borrow(sequence) };
        self.held = Some(held);
        self.next += 1;
        (sequence, event)
    }

    /// Another event is there behind the one that was taken last.
    pub(crate) fn has_more(&self) -> bool {
        if self.next < self.ready {
            return true;
        }
        let mut sequence = self.next;
        loop {
            match self.worker.ring.look(sequence) {
                Look::Ready { .. } => return true,
                Look::Skip => sequence += 1,
                _ => return false,
            }
        }
    }

    /// Moves to the newest event that is there; [`Reader::poll`] has found one.
    pub(crate) fn skip_to_newest(&mut self) -> Result<(), Gone> {
        let ring = &self.worker.ring;
        let newest = (self.next + 1..ring.tail())
            .rev()
            .find(|sequence| matches!(ring.look_behind(*sequence), Look::Ready { .. }));
        if let Some(newest) = newest {
            // Move first, borrow after: [C1 window]. An eviction is told from where it was: it read none of them.
            let old = self.member.cursor.advance(newest - self.base);
            if !old.is_active() {
                return Err(self.leave_evicted());
            }
            (self.base, self.next, self.ready) = (newest, newest, newest + 1);
        }
        Ok(())
    }

    /// Done with everything that was delivered.
    pub(crate) fn release(&mut self) {
        self.held = None;
        if self.next != self.base && self.evicted.is_none() {
            // An eviction is told by the next call.
            let _ = self.advance();
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        self.worker.ring.tail().saturating_sub(self.next)
    }

    /// [C5 detach] Evicted: remembers how, and is done with the ring.
    #[cold]
    fn leave_evicted(&mut self) -> Gone {
        let position = self.member.cursor.detach();
        self.ready = self.next;
        self.idle = false;
        let tail = self.worker.ring.tail();
        match Member::eviction(position, tail) {
            Some(mut eviction) => {
                eviction.sequence = self.next;
                eviction.lag = tail.saturating_sub(self.next);
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
        if self.member.is_unwanted() {
            eviction.reason = EvictionReason::Unsubscribed;
            self.evicted = Some(eviction);
        }
        eviction
    }

    /// [C6 join] At the tail again. How many sequences were missed, or `None` if the ring is closed.
    pub(crate) fn rejoin(&mut self) -> Option<u64> {
        self.held = None;
        if self.worker.ring.is_closed() {
            return None;
        }
        if self.evicted.is_none() && !self.member.cursor.glance().is_active() {
            self.leave_evicted();
        }
        if self.evicted.is_none() {
            // Of its own will: there is nothing to tell, unless an eviction comes just now.
            if self.member.cursor.detach().is_active() {
                self.member.disarm_notice();
            }
        }
        self.worker.tell(&self.member);
        let tail = self.worker.join_again(&self.member);
        let missed = tail.saturating_sub(self.next);
        self.member.arm_notice();
        if self.member.is_unwanted() {
            // Looked at after the join: an unsubscription that did not see this cursor active is seen here.
            self.member.evict(EvictionReason::Unsubscribed);
        }
        (self.base, self.next, self.ready) = (tail, tail, tail);
        self.idle = false;
        self.evicted = None;
        self.patience.waiting = None;
        Some(missed)
    }

    /// Says that `sleeper` is to be woken when [`Reader::poll`] would find something. False: it would already.
    ///
    /// `fresh`: the first sleep of a wait, which a worker that naps for longer than this sleeper may is told of.
    ///
    /// [`Reader::poll`] has just found nothing.
    pub(crate) fn fall_asleep(&mut self, sleeper: Sleeper, fresh: bool) -> bool {
        let ring = &self.worker.ring;
        let cell = &self.member.sleeper;
        if !cell.register(sleeper) {
            return false;
        }
        if !self.idle {
            // [C4 pin] Nothing is borrowed while it sleeps. If it was evicted, the look below says so.
            debug_assert_eq!(self.base, self.next, "the look that found nothing advanced");
            self.member.cursor.rest();
            self.idle = true;
        }
        if ring.is_exclusive() {
            // No stamp can be marked. The publisher is asked, and should it miss that, the worker looks after us.
            ring.ask_for_wake_up();
            if fresh {
                self.worker.signal.raise();
            }
        } else {
            match ring.arm(self.next) {
                // Claimed and not entered, perhaps for good; or a worker that naps longer than this sleeper may.
                Armed::Yes => {
                    let hasty = fresh && self.worker.settings.max_nap < QUIET_NAP;
                    if hasty || self.next < ring.tail() {
                        self.worker.signal.raise();
                    }
                }
                // A publisher is inside, perhaps for good: the worker keeps an eye on it.
                Armed::Inside => {
                    self.worker.signal.raise();
                }
                Armed::Ready => {
                    cell.cancel();
                    return false;
                }
            }
        }
        // SYNC sleep: whoever evicts, closes or publishes after this sees the sleeper; what came before is seen here.
        fence(Ordering::SeqCst);
        let sleeps = ring.is_pending(self.next)
            && !ring.is_closed()
            && self.member.cursor.glance().is_active();
        if !sleeps {
            cell.cancel();
        }
        sleeps
    }

    /// Awake, for whatever reason.
    pub(crate) fn wake_up(&mut self) {
        self.member.sleeper.cancel();
    }
}

impl<E> Drop for Reader<E> {
    fn drop(&mut self) {
        self.held = None;
        if self.evicted.is_none() && self.member.cursor.detach().is_active() {
            self.member.disarm_notice();
        }
        self.member.retire();
        self.worker.ring.unlisten();
        // The worker prunes, and tells what is left to tell.
        self.worker.signal.raise();
        // Last, as the waker that it drops is user code, which may panic.
        self.member.sleeper.cancel();
    }
}
