//! How closely a reader follows the publisher, and a short rest when it does.
//!
//! A reader that takes each event the moment it comes takes the slot's cache line with it, while the publisher is still at
//! work on it or on its neighbour: both then wait for the line, event for event. A rest lets some events gather, which
//! come over together. A reader of rare events never rests, so that it costs them no latency.
//!
//! Several readers may share a core. Each goes back to its caller where it finds nothing, and the
//! caller lets another one have the core. When it comes back, more than a window of events is
//! there. A rest would take time that the others lack, and bring events, so that the reader would
//! not go back. So a reader that was away does not rest.
//!
//! A rest may also hide a long wait, because the next event can come at any time during it. So it
//! does in a ping-pong, where the answer is under way while the reader rests. A rest after which
//! the reader finds one event is taken for that: it did not pay. (Several answers at a time are not
//! told from events that gathered. From five on, a reader of a shared ring rests four times.)

use crate::failpoint::failpoint;
use crate::rests::Rests;
use crate::sync::thread;

/// The most rests in a row.
///
/// They are taken at the start of a window, because a publisher that a close reader has slowed down
/// writes less than a window during one rest. If the reader gave up after that one, both would stay
/// slow. And they are taken where a reader of a shared ring has read everything: see
/// [`ReadThrottle::behind_many`].
const MOST_RESTS: u8 = 4;

/// What a reader found each time that it looked and there was nothing more.
#[derive(Debug)]
pub(super) struct ReadThrottle {
    /// Where it was the last time.
    seen: u64,
    /// How many times it was there already.
    looks: u8,
    /// How many rests it took when it last found events.
    rested: u8,
    rests: Rests,
    /// The most rests in a row where it has read everything.
    most_in_a_row: u8,
    /// Where it last came close to the publisher, or found nothing.
    close: u64,
    /// The rests that it takes at the start of a window, where the publisher is close: up to
    /// [`MOST_RESTS`] each time.
    window_rests: Rests,
    /// It found nothing, and has read less than a window since. As a rule it went back to its
    /// caller then.
    came_back: bool,
    /// How many more times it is to find less than two windows before it rests again.
    away: u8,
}

impl ReadThrottle {
    /// An event that comes after fewer looks than this comes soon.
    const SOON: u8 = 4;

    /// How many times a reader that was away comes back and finds less than two windows, before it
    /// rests again.
    ///
    /// A reader that shares its core looks again before it goes back, and then some events have
    /// come: up to 40 times with one other reader. One that was interrupted once does without that
    /// many rests.
    const AWAY: u8 = 64;

    /// A reader of an exclusive ring that starts at `sequence`.
    pub(super) fn behind_one(sequence: u64) -> Self {
        ReadThrottle {
            seen: sequence,
            looks: 0,
            rested: 0,
            rests: Rests::default(),
            most_in_a_row: 1,
            close: sequence,
            window_rests: Rests::default(),
            came_back: false,
            away: 0,
        }
    }

    /// A reader of a shared ring that starts at `sequence`.
    ///
    /// A shared publisher takes three locked instructions for an event, an exclusive one none. So
    /// fewer events gather during a rest. And looks may take a line from a publisher twice for one
    /// event: before it enters the slot, and before it commits. So this reader rests
    /// [`MOST_RESTS`] times in a row where it found more events than that. Where it found no more,
    /// it rests once, because so many rests would not pay.
    pub(super) fn behind_many(sequence: u64) -> Self {
        ReadThrottle {
            most_in_a_row: MOST_RESTS,
            ..ReadThrottle::behind_one(sequence)
        }
    }

    /// Returns whether a reader at `sequence` has read a `window` of events since it last came
    /// close to the publisher.
    ///
    /// So the first events after a wait are delivered without a rest.
    pub(super) fn is_behind(&self, sequence: u64, window: u64) -> bool {
        sequence - self.close >= window
    }

    /// Notices whether the reader was away: whether a whole second window `is_there` where it has
    /// read the first one since it came back from its caller. If not, the publisher was near this
    /// time.
    #[inline(always)]
    pub(super) fn notice_absence(&mut self, is_there: impl FnOnce() -> bool) {
        if std::mem::take(&mut self.came_back) {
            self.away = if is_there() {
                Self::AWAY
            } else {
                self.away.saturating_sub(1)
            };
        }
    }

    /// Rests at `sequence`, where a window begins, while rests pay, until `is_far`: until the
    /// publisher is far enough ahead.
    #[inline(always)]
    pub(super) fn keep_distance(&mut self, sequence: u64, mut is_far: impl FnMut() -> bool) {
        if is_far() {
            return;
        }
        self.close = sequence;
        if self.away > 0 {
            return;
        }
        if !self.window_rests.are_due() {
            self.window_rests.go_on();
            return;
        }
        let mut rest = || {
            failpoint!(Resting);
            thread::rest();
            is_far()
        };
        let paid = (0..MOST_RESTS).any(|_| rest());
        self.window_rests.rested(paid);
    }

    /// Returns what the reader found that has read everything before `sequence`, and finds nothing
    /// there.
    ///
    /// (A hole counts as an event.)
    pub(super) fn found_before(&mut self, sequence: u64) -> Found {
        self.close = sequence;
        let events = sequence - self.seen;
        if events == 0 {
            self.looks = self.looks.saturating_add(1);
            self.came_back = true;
            return Found::Nothing;
        }
        self.seen = sequence;
        let came_soon = self.looks < Self::SOON;
        if self.rested > 0 {
            self.rests.rested(events > u64::from(self.rested));
        } else {
            self.rests.go_on();
        }
        let rests_now = came_soon && self.away == 0 && self.rests.are_due();
        self.rested = if !rests_now {
            0
        } else if events > u64::from(self.most_in_a_row) {
            self.most_in_a_row
        } else {
            1
        };
        self.notice_absence(|| false);
        self.came_back = !rests_now;
        // Without a rest this very look is the first that finds nothing.
        self.looks = u8::from(!rests_now);
        Found::Events { rest: rests_now }
    }

    /// Lets events gather, as [`found_before`](Self::found_before) asked for.
    pub(super) fn rest(&self) {
        for _ in 0..self.rested {
            failpoint!(Resting);
            thread::rest();
        }
    }
}

/// What a reader found since it last looked and there was nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Events {
        /// A rest will let more of them gather.
        rest: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::{Found, ReadThrottle};

    /// A reader, and where it is.
    struct Reader(ReadThrottle, u64);

    impl Reader {
        fn new() -> Reader {
            Reader(ReadThrottle::behind_one(7), 7)
        }

        /// So many looks find nothing, then so many events are read. Returns whether it rests then.
        fn rests_after(&mut self, looks: u32, events: u64) -> bool {
            for _ in 0..looks {
                assert_eq!(self.0.found_before(self.1), Found::Nothing);
            }
            self.1 += events;
            self.0.found_before(self.1) == Found::Events { rest: true }
        }
    }

    #[test]
    fn a_reader_rests_as_long_as_rests_let_events_gather() {
        let mut reader = Reader::new();
        assert!(reader.rests_after(0, 1));
        for events in 2..100 {
            assert!(reader.rests_after(1, events));
        }
    }

    #[test]
    fn rests_that_bring_one_event_become_rare_and_come_back_where_they_pay() {
        let mut reader = Reader::new();
        let rests = (0..640).filter(|_| reader.rests_after(1, 1)).count();
        assert_eq!(rests, 15); // one after 2 events, 4, 8, 16, 32, and then after 64 each
        while !reader.rests_after(1, 1) {}
        for _ in 0..10 {
            assert!(reader.rests_after(1, 2));
        }
    }

    #[test]
    fn a_reader_of_a_shared_ring_rests_longer_where_each_rest_brings_more_than_one_event() {
        let mut reader = Reader(ReadThrottle::behind_many(7), 7);
        assert!(reader.rests_after(0, 1));
        for (events, rests) in [(2, 1), (4, 1), (5, 4), (9, 4), (5, 4)] {
            assert!(reader.rests_after(1, events));
            assert_eq!(reader.0.rested, rests, "after {events} events");
        }
        assert!(!reader.rests_after(1, 4), "four rests were too many");
        assert!(reader.rests_after(1, 1));
        assert_eq!(reader.0.rested, 1);
    }

    #[test]
    fn a_reader_that_was_away_does_not_rest_until_it_has_been_near_for_long() {
        let mut reader = Reader::new();
        let read_a_window = |reader: &mut Reader, is_there| {
            assert_eq!(reader.0.found_before(reader.1), Found::Nothing);
            reader.1 += 64;
            reader.0.notice_absence(|| is_there);
        };
        assert!(reader.rests_after(0, 2));
        read_a_window(&mut reader, false);
        assert!(reader.rests_after(0, 64), "the publisher was near");
        for _ in 0..1000 {
            read_a_window(&mut reader, true);
            assert!(!reader.rests_after(0, 64));
        }
        let mut looks = 0;
        let far = || {
            looks += 1;
            looks > 1
        };
        reader.0.keep_distance(reader.1, far);
        assert_eq!(looks, 1, "it did not rest");
        for _ in 0..64 {
            assert!(!reader.rests_after(0, 2));
        }
        assert!(reader.rests_after(0, 2));
    }

    #[test]
    fn a_reader_that_was_away_once_rests_again_where_it_finds_more_than_a_window_each_time() {
        let mut reader = Reader::new();
        let read_two_windows = |reader: &mut Reader, is_there| {
            assert_eq!(reader.0.found_before(reader.1), Found::Nothing);
            reader.1 += 64;
            reader.0.notice_absence(|| is_there);
            reader.rests_after(0, 32)
        };
        assert!(!read_two_windows(&mut reader, true));
        for _ in 0..63 {
            assert!(!read_two_windows(&mut reader, false));
        }
        assert!(read_two_windows(&mut reader, false));
    }

    #[test]
    fn a_reader_of_rare_events_never_rests() {
        let mut reader = Reader::new();
        assert!(!reader.rests_after(0, 0), "nothing has come");
        for _ in 0..10 {
            assert!(!reader.rests_after(1000, 1));
        }
    }
}
