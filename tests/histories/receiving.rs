//! Reading steps: calls that run to their end, and calls that freeze while they borrow.

use super::books::Stay;
use super::errand::{Answer, Errand, Pauses};
use super::event::Event;
use super::reader::{Reader, Seat};
use super::reading::{End, Read, Reading, sleep};
use super::round::Round;
use ringbus::{EvictionReason, OnLap};
use std::collections::VecDeque;

impl<E: Event> Round<E> {
    /// Reads by one call of a reader.
    pub(crate) fn read(&mut self) {
        let Some(at) = self.draw_reader(Reader::is_here) else {
            return;
        };
        let many = self.rng.usize(1..=24);
        let reading = match self.rng.u8(..24) {
            0..6 => Reading::One,
            6..8 => Reading::Recv,
            8..14 => Reading::Drain(many),
            14..16 => Reading::Drain(1_000),
            16..19 => Reading::Until(many),
            19 => Reading::Newest,
            20..22 => Reading::Release,
            _ => Reading::Sleep,
        };
        match reading {
            // It would wait for good where nothing comes.
            Reading::Recv if !self.is_served(at) => {}
            Reading::Sleep => self.sleep(at),
            _ => self.read_by(at, reading),
        }
    }

    /// An event is there for a reader, and no claim hangs in front of it.
    fn is_served(&mut self, at: usize) -> bool {
        let reader = &mut self.readers[at];
        self.flights.is_empty()
            && reader.stays_on
            && !reader.down
            && self.books.missing(reader.stay()).is_some()
    }

    pub(crate) fn read_by(&mut self, at: usize, reading: Reading) {
        let read = reading.run(self.readers[at].subscriber(), &Pauses::none());
        self.enter(at, reading, read);
    }

    fn sleep(&mut self, at: usize) {
        let (alarm, end) = match sleep(self.readers[at].subscriber()) {
            Ok(alarm) => (Some(alarm), End::Empty),
            Err(end) => (None, end),
        };
        let events = Vec::new();
        self.enter(at, Reading::Sleep, Read { events, end });
        self.readers[at].asleep = alarm;
    }

    /// Has every reader read what is there, but for some that are slow.
    pub(crate) fn drain_all(&mut self) {
        for at in 0..self.readers.len() {
            if self.readers[at].is_here() && self.rng.u8(..8) > 0 {
                self.read_by(at, Reading::Drain(1_000));
                self.read_by(at, Reading::Drain(1_000));
            }
        }
    }

    /// Freezes a reader while it borrows an event.
    pub(crate) fn hold(&mut self) {
        let Some(at) = self.draw_reader(Reader::is_here) else {
            return;
        };
        let reading = if self.rng.bool() {
            Reading::Hold
        } else {
            Reading::HoldInDrain(self.rng.usize(1..=20))
        };
        let reader = &mut self.readers[at];
        reader.asleep = None;
        let Seat::Here(mut subscriber) = std::mem::replace(&mut reader.seat, Seat::Gone) else {
            return;
        };
        let errand = Errand::start(false, VecDeque::from([0]), move |pauses| {
            let read = reading.run(&mut subscriber, pauses);
            (subscriber, read)
        });
        self.borrow(at, errand, reading);
    }

    /// Lets a reader that borrows go on.
    pub(crate) fn let_go(&mut self) {
        if let Some(at) = self.draw_reader(Reader::is_away) {
            let seat = std::mem::replace(&mut self.readers[at].seat, Seat::Gone);
            let Seat::Away(errand) = seat else { return };
            errand.thaw();
            self.borrow(at, errand, Reading::Hold);
        }
    }

    fn borrow(
        &mut self,
        at: usize,
        errand: Errand<(ringbus::Subscriber<E>, Read)>,
        reading: Reading,
    ) {
        match errand.wait() {
            Answer::Frozen(_) => {
                self.note(|| format!("reader {at} borrows and freezes"));
                self.readers[at].seat = Seat::Away(errand);
                self.tally.borrows += 1;
            }
            Answer::Done((subscriber, read)) => {
                self.readers[at].seat = Seat::Here(subscriber);
                self.enter(at, reading, read);
            }
            Answer::Panicked(_) => unreachable!("a panic goes on"),
        }
    }

    pub(crate) fn rejoin(&mut self) {
        let Some(at) = self.draw_reader(|reader| reader.is_here() && reader.down) else {
            return;
        };
        match self.readers[at].subscriber().rejoin() {
            Ok(_) => self.rejoined(at),
            Err(error) => assert!(self.closed && error.is_stopped(), "{error}"),
        }
    }

    /// A reader is at the tail again.
    fn rejoined(&mut self, at: usize) {
        let from = self.sequence_of(self.readers[at].id);
        let health = self.fresh_health(self.readers[at].health.window);
        self.note(|| format!("reader {at} is at the tail again, {from}"));
        self.readers[at].unsubscribed = false;
        self.readers[at].stay_anew(self.now, from, health);
        self.tally.rejoins += 1;
    }

    /// Enters what a call gave.
    fn enter(&mut self, at: usize, reading: Reading, read: Read) {
        let Read { events, end } = read;
        self.note(|| {
            let (first, last) = (events.first(), events.last());
            let count = events.len();
            format!("reader {at} {reading:?}: {end:?}, {count} events {first:?} to {last:?}")
        });
        self.tally.delivered += events.len() as u64;
        let reader = &mut self.readers[at];
        reader.asleep = None;
        reader.health.read(events.len() as u64);
        if reading == Reading::Newest
            && let [(_, Some(sequence))] = events[..]
        {
            // It owes nothing of what it passed over.
            reader.stays.push(Stay::new(self.now, sequence));
        }
        reader.stay().events.extend(events);
        match end {
            End::Some => {}
            End::Empty => self.found_nothing(at),
            End::Lagged => {
                let expected = reader.on_lap == OnLap::Rejoin && reader.down;
                assert!(
                    expected && !reader.unsubscribed,
                    "reader {at} was told of a lag"
                );
                self.rejoined(at);
            }
            End::Evicted(reason) => {
                assert!(
                    reader.down,
                    "reader {at} was told that it was dropped: {reason:?}"
                );
                let comes_back = reader.on_lap == OnLap::Rejoin && reason == EvictionReason::Lapped;
                assert!(
                    !comes_back || self.closed || reader.unsubscribed,
                    "reader {at}, which rejoins, was dropped for good"
                );
                reader.stays_on = false;
            }
            End::Closed => {
                assert!(
                    self.closed && !reader.down,
                    "reader {at} was told of an end"
                );
                if reader.stays_on {
                    reader.stay().to_the_end = true;
                    reader.stays_on = false;
                }
            }
        }
    }

    /// A reader was told that there is nothing.
    fn found_nothing(&mut self, at: usize) {
        let reader = &mut self.readers[at];
        assert!(!reader.down, "reader {at} was not told that it was dropped");
        if self.flights.is_empty() {
            let withheld = self.books.missing(reader.stay());
            assert_eq!(withheld, None, "an event was withheld from reader {at}");
        }
        if reader.subscriber().lag() == 0 {
            let window = reader.health.window;
            self.readers[at].health = self.fresh_health(window);
        }
    }
}
