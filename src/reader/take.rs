//! Taking the events that a look has found.

use super::window::ReadWindow;
use super::{ReadEnd, Reader};
use crate::ring::Ring;
use crate::ring::stamp::Look;
use std::ops::ControlFlow;

impl<E> Reader<E> {
    /// The event that [`Reader::poll`] found, good until the next call of any method but this one's lookers.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (u64, *const E) {
        debug_assert!(self.window.is_ready());
        let sequence = self.window.step();
        // SAFETY: `ready_end` is beyond it, and it lies in the window: [C1 window], not idle: [C4 pin].
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
        debug_assert!(self.window.is_ready() && self.window.is_fast());
        let first = self.window.next();
        let (segment, ready) = (self.window.segment(), self.window.ready_end());
        let end = segment.end.min(first.saturating_add(most));
        let Reader {
            worker,
            window,
            held,
            ..
        } = self;
        let values = worker.ring.values_from(first);
        let mut taken = Taken {
            window,
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
        let is_full =
            |offset| offset < end && unsafe { Ring::is_full_in(&values, offset, segment) };
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
        if self.window.knows_more() {
            return true;
        }
        if self.window.is_fast()
            && let ring = &self.worker.ring
            && ring.is_full(self.window.next(), self.window.segment())
        {
            self.window.see_one();
            return true;
        }
        self.looks_for_more()
    }

    /// Looks behind holes and beyond the window.
    #[inline(never)]
    fn looks_for_more(&self) -> bool {
        let mut sequence = self.window.next();
        loop {
            match self.worker.ring.look(sequence) {
                Look::Ready { .. } => return true,
                Look::Skip { run } => sequence += run,
                _ => return false,
            }
        }
    }

    /// Moves to the newest event that is there; [`Reader::poll`] has found one.
    pub(crate) fn skip_to_newest(&mut self) -> Result<(), ReadEnd> {
        // From the head of a run on; inside of one, what is known of it.
        let newest = self.worker.ring.newest(self.window.next() + 1);
        let newest = newest.unwrap_or(self.window.run_end().saturating_sub(1));
        if newest > self.window.next() {
            // Move first, borrow after: [C1 window]. An eviction is told from where it was: it read none of them.
            let passed = self.window.read() + newest - self.window.next();
            let old = self.registration.cursor.advance(passed);
            if !old.is_active() {
                return Err(self.leave_evicted());
            }
            self.window = ReadWindow::at(newest, self.window_at(newest));
            self.window.see(1);
        }
        Ok(())
    }
}

/// How many events were taken, from `first` on. Its drop, which a panic of a closure's comes to as
/// well, writes that down.
struct Taken<'a> {
    window: &'a mut ReadWindow,
    first: u64,
    count: usize,
}

impl Drop for Taken<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.window.step_to(self.first + self.count as u64);
    }
}
