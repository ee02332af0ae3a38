//! How far a reader may go: by what it knows to be there, and by its window.

use crate::ring::segment::LapSegment;

/// Sequences: `cursor <= next`, and what is ready lies between `next` and `segment.end`.
#[derive(Debug)]
pub(super) struct ReadWindow {
    /// What the cursor says.
    cursor: u64,
    /// The next sequence to read.
    next: u64,
    /// What is there and in the window: the one comparison that most deliveries cost.
    ready_end: u64,
    /// The end of the last run of events that was seen, which may reach beyond the window.
    run_end: u64,
    /// To the end of the window, or of the lap. [C1 window]
    segment: LapSegment,
    /// How far a look at a slot will do: to the end of the window, or nowhere, when there is more to look after.
    fast_until: u64,
}

impl ReadWindow {
    /// Nothing read, nothing known, and on the fast path.
    pub(super) fn at(sequence: u64, window: LapSegment) -> Self {
        ReadWindow {
            cursor: sequence,
            next: sequence,
            ready_end: sequence,
            run_end: sequence,
            segment: window,
            fast_until: window.end,
        }
    }

    #[inline(always)]
    pub(super) fn segment(&self) -> LapSegment {
        self.segment
    }

    #[inline(always)]
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The next event is there, and may be borrowed.
    #[inline(always)]
    pub(super) fn is_ready(&self) -> bool {
        self.next < self.ready_end
    }

    /// Another event is known to be there behind the one that was taken last, in the window or beyond.
    pub(super) fn knows_more(&self) -> bool {
        self.next < self.run_end
    }

    /// Nothing is to be done before the next look at a slot.
    #[inline(always)]
    pub(super) fn is_fast(&self) -> bool {
        self.next < self.fast_until
    }

    /// The window is read to its end, or a run of holes led beyond it.
    pub(super) fn is_at_end(&self) -> bool {
        self.next >= self.segment.end
    }

    /// How many slots were read since the cursor moved.
    #[inline(always)]
    pub(super) fn read(&self) -> u64 {
        self.next - self.cursor
    }

    /// The next event is there, and lies in the window.
    #[inline(always)]
    pub(super) fn see_one(&mut self) {
        self.ready_end = self.next + 1;
    }

    /// So many events from the next on are there.
    #[inline(always)]
    pub(super) fn see(&mut self, run: u64) {
        self.run_end = self.next + run;
        self.ready_end = self.run_end.min(self.segment.end);
    }

    /// So many events behind the known ones are there.
    #[inline(always)]
    pub(super) fn see_more(&mut self, run: u64) {
        self.run_end += run;
        self.ready_end = self.run_end.min(self.segment.end);
    }

    /// The end of the last run of events that was seen.
    pub(super) fn run_end(&self) -> u64 {
        self.run_end
    }

    /// Takes the next event.
    #[inline(always)]
    pub(super) fn step(&mut self) -> u64 {
        let sequence = self.next;
        self.next += 1;
        sequence
    }

    /// The end of what is ready, as [`ReadWindow::is_ready`] compares it.
    pub(super) fn ready_end(&self) -> u64 {
        self.ready_end
    }

    /// Everything before `next` is taken.
    #[inline(always)]
    pub(super) fn step_to(&mut self, next: u64) {
        self.next = next;
    }

    /// There is no event from the next sequence on for so many.
    pub(super) fn skip(&mut self, run: u64) {
        self.next += run;
        self.see(0);
    }

    /// The cursor has moved to the next sequence, where `window` begins.
    #[inline(always)]
    pub(super) fn advance(&mut self, window: LapSegment) {
        self.cursor = self.next;
        self.segment = window;
        self.ready_end = self.run_end.min(self.segment.end);
        if self.fast_until != 0 {
            self.fast_until = self.segment.end;
        }
    }

    /// Every look is to look after more than the slot, until [`ReadWindow::set_fast`].
    pub(super) fn set_slow(&mut self) {
        self.fast_until = 0;
    }

    pub(super) fn set_fast(&mut self) {
        self.fast_until = self.segment.end;
    }

    /// Nothing is to be read any more.
    pub(super) fn stop(&mut self) {
        self.see(0);
        self.set_slow();
    }
}
