//! A publisher's stint: bursts of events in every way there is, with pauses.

use std::thread;
use std::time::{Duration, Instant};

use crate::counts::COUNTS;
use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::payload::Payload;
use crate::pen::{Ending, Pen, Refused, Source, Way, check_stop};
use crate::place::{Hour, Place};
use crate::pulse;

/// Events in a row at most, between two pauses.
const LONGEST_BURST: u64 = 400;

/// One publisher, from its first event to its last.
pub struct Stint<E> {
    pub pen: Pen<E>,
    /// Its page in the ledger.
    pub publisher: usize,
    pub rude: bool,
    pub length: Duration,
    pub dice: Dice,
}

impl<E: Payload> Stint<E> {
    pub fn work(mut self, place: &Place<E>) -> Pen<E> {
        COUNTS.publishers.add(1);
        let began = Instant::now();
        let mut source = Source::new(self.publisher, self.dice.fork());
        while began.elapsed() < self.length && !place.is(Hour::Over) {
            let burst = self.dice.within(1..LONGEST_BURST);
            if self.burst(&mut source, burst, place) == Err(Refused::Stopped)
                && place.is(Hour::Late)
            {
                break;
            }
            match self.dice.below(10) {
                0..3 => {}
                3..6 => thread::yield_now(),
                6..9 => thread::sleep(self.dice.micros(1..300)),
                _ => thread::sleep(self.dice.micros(300..5_000)),
            }
        }
        self.pen
    }

    /// Ends with the burst, or when the bus has stopped: it may start again.
    fn burst(
        &mut self,
        source: &mut Source<E>,
        burst: u64,
        place: &Place<E>,
    ) -> Result<(), Refused> {
        let ledger = &place.ledger;
        ledger.begin(self.publisher, source.made() + burst);
        let end = source.gone() + burst;
        while source.gone() < end && !place.is(Hour::Over) {
            let ways = if self.rude { Way::RUDE } else { Way::POLITE };
            let left = (end - source.gone()) as usize;
            let most = left.min(self.dice.within(1..65) as usize);
            let way = self.dice.pick(&ways);
            let outcome = self.offer(source, way, most, ledger);
            match outcome {
                Ok(()) => {}
                Err(Refused::Full) => thread::sleep(Duration::from_micros(20)),
                Err(Refused::Exhausted) => {
                    COUNTS.exhausted.add(1);
                    thread::yield_now();
                }
                Err(Refused::Stopped) => {
                    thread::sleep(Duration::from_micros(200));
                    return Err(Refused::Stopped);
                }
            }
        }
        Ok(())
    }

    fn offer(
        &mut self,
        source: &mut Source<E>,
        way: Way,
        most: usize,
        ledger: &Ledger,
    ) -> Result<(), Refused> {
        let before = source.gone() - self.pen.carried();
        let outcome = self.pen.offer(way, source, most);
        let accepted = source.gone() - self.pen.carried();
        ledger.accept(self.publisher, accepted);
        COUNTS.events_accepted.add(accepted - before);
        COUNTS.events_refused.add(u64::from(outcome.is_err()));
        if accepted > before {
            pulse::beat();
        }
        outcome
    }
}

/// The end of an exclusive publisher is the end of its bus. `last` is a page for one more event.
pub fn end_exclusively<E: Payload>(pen: Pen<E>, ending: Ending, place: &Place<E>, dice: &mut Dice) {
    let Pen::Exclusive(publisher) = pen else {
        return;
    };
    match ending {
        Ending::Stop => check_stop(&publisher.stop()),
        Ending::Shutdown => last_event(place, dice, |event| {
            let report = publisher.shutdown(event);
            check_stop(&report);
            report.last_accepted
        }),
        Ending::Close => publisher.close(),
        Ending::Drop => drop(publisher),
    }
}

/// One more event, by a publisher of its own; `shut_down` says whether it was accepted.
pub fn last_event<E: Payload>(
    place: &Place<E>,
    dice: &mut Dice,
    shut_down: impl FnOnce(E) -> bool,
) {
    // Without a page it has no number that anybody could check.
    let Some(page) = place.ledger.open() else {
        return;
    };
    place.ledger.begin(page, 1);
    if shut_down(E::new(page, 0, dice)) {
        place.ledger.accept(page, 1);
        COUNTS.events_accepted.add(1);
    }
}
