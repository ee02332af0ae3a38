//! Rests that are taken only while they pay.
//!
//! A thread that follows another closely takes a cache line from it with each look. A rest lets work
//! gather, so that one look finds more. Where a rest brings nothing, as when the other thread waits
//! for this one, rests become rare by themselves.

/// When to rest, by what the rests before brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rests {
    /// How many more times to go on without a rest.
    pause: u8,
    /// How long the pause was that began last: 0 while rests pay.
    last_pause: u8,
}

impl Rests {
    /// The longest pause. One time in 64 a rest is tried all the same, to see whether rests pay
    /// again.
    const LONGEST_PAUSE: u8 = 63;

    /// Returns whether a rest is due. It is [taken](Rests::rested), or [left out](Rests::go_on).
    pub(crate) fn are_due(&self) -> bool {
        self.pause == 0
    }

    /// There was no rest.
    pub(crate) fn go_on(&mut self) {
        self.pause = self.pause.saturating_sub(1);
    }

    /// A rest was taken. Each that did not pay doubles the pause before the next.
    pub(crate) fn rested(&mut self, paid: bool) {
        let doubled = (2 * self.last_pause + 1).min(Self::LONGEST_PAUSE);
        self.last_pause = if paid { 0 } else { doubled };
        self.pause = self.last_pause;
    }
}
