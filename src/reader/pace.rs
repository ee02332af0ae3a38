//! How closely a reader follows the publisher, and a short rest when it does.
//!
//! A reader that takes each event the moment it comes takes the slot's cache line with it, while the publisher is still at
//! work on it or on its neighbour: both then wait for the line, event for event. A rest lets some events gather, which
//! come over together. Whoever waits for rare events never rests, so it costs them no latency.

/// What the reader found at its last looks.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many looks found nothing since the last event.
    looks: u32,
    /// The reader rested before the events that came last.
    rested: bool,
    /// How many finds go without a rest from now on.
    pause: u32,
    /// How long the last pause was: 0 while rests pay.
    last_pause: u32,
}

impl Pace {
    /// An event that comes after fewer looks than this comes soon.
    const SOON: u32 = 4;
    /// The longest pause. A rest that takes as long as the event's own way costs a ping-pong a 64th.
    const LONGEST_PAUSE: u32 = 63;

    /// So many events came, and there is nothing more. Returns whether a rest will let more gather.
    ///
    /// A rest that brought one event does not pay, and may have hidden a long wait, because the event
    /// can have come at any time during it: so it does in a ping-pong, where the answer is under way
    /// while the reader rests. Each such rest doubles the pause before the next.
    pub(super) fn wants_a_rest(&mut self, events: u64) -> bool {
        let came_soon = std::mem::take(&mut self.looks) < Self::SOON;
        if self.rested {
            let doubled = (2 * self.last_pause + 1).min(Self::LONGEST_PAUSE);
            self.last_pause = if events > 1 { 0 } else { doubled };
            self.pause = self.last_pause;
        } else {
            self.pause = self.pause.saturating_sub(1);
        }
        self.rested = came_soon && self.pause == 0;
        self.rested
    }

    /// There is nothing.
    pub(super) fn waits(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    fn after(pace: &mut Pace, looks: u32, events: u64) -> bool {
        (0..looks).for_each(|_| pace.waits());
        pace.wants_a_rest(events)
    }

    #[test]
    fn a_reader_rests_as_long_as_rests_let_events_gather() {
        let mut pace = Pace::default();
        assert!(after(&mut pace, 0, 1));
        for _ in 0..10 {
            assert!(after(&mut pace, 0, 2));
        }
    }

    #[test]
    fn rests_that_bring_one_event_become_rare_and_come_back_where_they_pay() {
        let mut pace = Pace::default();
        let rests = (0..640).filter(|_| after(&mut pace, 0, 1)).count();
        assert_eq!(rests, 15); // one after 2 finds, 4, 8, 16, 32, and then after 64 each
        while !after(&mut pace, 0, 1) {}
        for _ in 0..10 {
            assert!(after(&mut pace, 0, 2));
        }
    }

    #[test]
    fn a_reader_of_rare_events_never_rests() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert!(!after(&mut pace, 1000, 1));
        }
    }
}
