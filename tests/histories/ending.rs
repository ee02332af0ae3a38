//! The end of a round: all goes on, the bus closes, every reader reads to the end, and the books are checked.

use super::books::Stay;
use super::event::Event;
use super::reader::Seat;
use super::reading::Reading;
use super::round::{Hub, Round};
use super::source::Voice;
use super::tally::Tally;
use std::time::Duration;

/// Reading calls after which a reader that does not come to an end is stuck.
const MOST_CALLS: u32 = 20_000;

impl<E: Event> Round<E> {
    pub(crate) fn end(mut self) -> Tally {
        self.now += 1;
        if self.rng.bool() {
            self.expect_progress();
        }
        if self.shape.thaws_first || self.shape.exclusive {
            self.thaw_all();
            self.close();
        } else {
            self.close();
            if self.rng.bool() {
                self.read_to_the_end();
            }
            self.thaw_all();
        }
        self.now += 1;
        while self.readers.iter().any(|reader| reader.is_away()) {
            self.let_go();
        }
        if self.rng.u8(..4) == 0 {
            self.end_each_in_its_way();
        }
        self.read_to_the_end();
        while let Some(source) = self.sources.pop() {
            self.retire(source);
        }
        self.check()
    }

    /// Whatever is frozen, each reader comes to have all that was accepted.
    fn expect_progress(&mut self) {
        self.note(|| "progress is expected".into());
        for at in 0..self.readers.len() {
            let reader = &mut self.readers[at];
            if !reader.is_here() {
                continue;
            }
            for call in 0.. {
                let reader = &mut self.readers[at];
                if !reader.stays_on || call > 0 && self.books.missing(reader.stay()).is_none() {
                    break;
                }
                assert!(call < MOST_CALLS, "reader {at} is held up by a frozen call");
                self.pass_time(call);
                self.read_by(at, Reading::Drain(1_000));
            }
        }
    }

    /// Time passes. The worker takes no turn, because readers that are awake must not depend on it.
    fn pass_time(&self, call: u32) {
        if call % 40 == 39 {
            self.clock.advance(Duration::from_secs(1));
        }
    }

    fn thaw_all(&mut self) {
        while !self.flights.is_empty() {
            self.thaw();
        }
    }

    fn close(&mut self) {
        self.note(|| "the bus closes".into());
        self.closed = true;
        if let Hub::Shared(bus) = &self.hub {
            bus.close();
            return;
        }
        for source in self.sources.drain(..) {
            if let Voice::Exclusive(publisher) = source.voice {
                publisher.close();
            }
        }
    }

    fn read_to_the_end(&mut self) {
        for at in 0..self.readers.len() {
            let mut calls = 0;
            while self.readers[at].is_here() && self.readers[at].stays_on {
                assert!(calls < MOST_CALLS, "reader {at} does not come to the end");
                self.pass_time(calls);
                self.read_by(at, Reading::Drain(1_000));
                calls += 1;
            }
            self.drained.is_ready();
        }
    }

    /// Each reader reads to the end, leaves or is dropped, so that any of these is the last.
    fn end_each_in_its_way(&mut self) {
        for at in 0..self.readers.len() {
            match self.rng.u8(..4) {
                0 => self.leave(),
                1 => self.unsubscribe(),
                2 => self.release_at_the_end(at),
                _ => {}
            }
            self.drained.is_ready();
        }
    }

    /// A reader has what there is, and says so, instead of a look that finds the end.
    fn release_at_the_end(&mut self, at: usize) {
        if self.readers[at].is_here() && self.readers[at].stays_on {
            self.read_by(at, Reading::Drain(1_000));
        }
        if self.readers[at].is_here() {
            self.readers[at].subscriber().release();
        }
    }

    fn check(mut self) -> Tally {
        assert!(
            self.drained.is_ready(),
            "all was read, and the future of `drained` was not woken"
        );
        let stats = self.stats();
        let worker = &stats.workers[0];
        self.tally.rounds = 1;
        self.tally.accepted = self.books.accepted;
        self.tally.abandoned = worker.abandoned;
        self.tally.holes = worker.holes;
        self.tally.exhausted = worker.exhausted;
        for reader in &mut self.readers {
            reader.seat = Seat::Gone;
        }
        let Round {
            readers,
            books,
            hub,
            ledger,
            tally,
            drained,
            ..
        } = self;
        drop((hub, drained)); // both keep the rings
        let read: Vec<(u32, &[Stay])> = readers
            .iter()
            .map(|reader| (reader.number, &reader.stays[..]))
            .collect();
        books.check(&read);
        if let Some(fault) = ledger.fault() {
            panic!("{fault}");
        }
        tally
    }
}
