//! How closely a reader follows the publisher, and a short rest when it does.
//!
//! A reader that takes each event the moment it comes takes the slot's cache line with it, while the publisher is still at
//! work on it or on its neighbour: both then wait for the line, event for event. A rest lets some events gather, which
//! come over together. Whoever waits for rare events never rests, so it costs them no latency.

/// How many looks found nothing since the last event.
#[derive(Debug, Default)]
pub(super) struct Pace {
    looks: u32,
}

impl Pace {
    /// An event that comes after fewer looks than this comes soon.
    const SOON: u32 = 4;

    /// Events came, and there is nothing more: true if they had come soon.
    pub(super) fn follows_closely(&mut self) -> bool {
        std::mem::take(&mut self.looks) < Self::SOON
    }

    /// There is nothing.
    pub(super) fn waits(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }
}
