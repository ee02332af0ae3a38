//! Handlers, and the threads that keep them: drop their guards, join them, detach them.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use ringbus::{Handler, HandlerEnd, HandlerGuard, Info};

use crate::book::Book;
use crate::counts::COUNTS;
use crate::dice::Dice;
use crate::payload::Payload;
use crate::place::{Hour, Place};
use crate::plan::{Plan, subscription};
use crate::subscribe::hold_on;
use crate::violation::{self, DELIBERATE};

/// One after the other, handlers until the epoch is over.
pub fn keep<E: Payload>(place: &Arc<Place<E>>, plan: &Plan, mut dice: Dice) {
    while !place.is(Hour::Late) {
        if let Some(guard) = employ(place, plan, &mut dice) {
            see_off(guard, place, &mut dice);
        }
        thread::sleep(dice.micros(1_000..10_000));
    }
}

fn employ<E: Payload>(place: &Arc<Place<E>>, plan: &Plan, dice: &mut Dice) -> Option<HandlerGuard> {
    let station = place.station()?;
    let (book, joining) = Book::open(&place.ledger, false);
    place.handlers.fetch_add(1, SeqCst);
    let listener = Listener {
        place: Arc::clone(place),
        book: Some(book),
        panics_in: dice.percent(50).then(|| dice.within(1..20_000)),
        dawdles: dice.pick(&[0, 0, 1]),
        dice: dice.fork(),
    };
    let guard = match station.handle(subscription(dice, plan), listener) {
        Ok(guard) => guard,
        Err(error) => {
            if error.is_full() {
                COUNTS.joins_refused.add(1);
            } else if !error.is_stopped() {
                violation::record(format_args!("a handler was refused: {error}"));
            }
            return None;
        }
    };
    joining.done();
    COUNTS.handlers.add(1);
    place.arrived(guard.id());
    Some(guard)
}

fn see_off<E: Payload>(guard: HandlerGuard, place: &Place<E>, dice: &mut Dice) {
    let id = guard.id();
    let (stays, since) = (dice.micros(1_000..1_500_000), Instant::now());
    let detaches = dice.percent(10);
    while !guard.is_finished() && !place.is(Hour::Late) && since.elapsed() < stays {
        thread::sleep(Duration::from_millis(2));
    }
    if detaches {
        guard.detach();
    } else if guard.is_finished() || place.is(Hour::Late) {
        check_end(&guard.join());
    } else {
        drop(guard);
    }
    place.left(id);
}

fn check_end(end: &HandlerEnd) {
    match end {
        HandlerEnd::Panicked(message) if message.as_deref() != Some(DELIBERATE) => {
            violation::record(format_args!("a handler panicked: {message:?}"));
        }
        HandlerEnd::Running => violation::record("a handler runs on after it was joined"),
        _ => {}
    }
}

struct Listener<E: Payload> {
    place: Arc<Place<E>>,
    book: Option<Book>,
    /// Panics over its nth event.
    panics_in: Option<u64>,
    dawdles: u64,
    dice: Dice,
}

impl<E: Payload> Handler<E> for Listener<E> {
    fn event(&mut self, event: &E, _info: Info) {
        if let Some(book) = &mut self.book {
            book.add(event);
        }
        if self.dice.below(1_000) < self.dawdles && !self.place.is(Hour::Late) {
            hold_on(event, Some(self.dice.micros(100..5_000)));
        }
        if let Some(left) = &mut self.panics_in {
            *left -= 1;
            if *left == 0 {
                self.panics_in = None;
                COUNTS.handler_panics.add(1);
                panic!("{DELIBERATE}");
            }
        }
    }

    fn lagged(&mut self, missed: u64) {
        COUNTS.rejoins_on_lap.add(1);
        self.place.learned_of_a_drop();
        if let Some(book) = &mut self.book {
            book.lost(missed, &[]);
        }
    }

    fn end(&mut self, end: HandlerEnd) {
        match (end, self.book.take()) {
            (HandlerEnd::Closed, Some(book)) => book.close(),
            (HandlerEnd::Evicted(_), _) => self.place.learned_of_a_drop(),
            _ => {}
        }
    }
}

impl<E: Payload> Drop for Listener<E> {
    fn drop(&mut self) {
        self.place.handlers.fetch_sub(1, SeqCst);
    }
}
