//! Subscribers that come, read in every way there is, dawdle, are dropped, come back, and go.

use std::thread;
use std::time::{Duration, Instant};

use ringbus::{Delivery, RecvTimeoutError, Subscriber, TryRecvError};

use crate::book::Book;
use crate::counts::COUNTS;
use crate::dice::Dice;
use crate::payload::Payload;
use crate::place::{Hour, Place};
use crate::plan::{Plan, subscription};
use crate::violation;

/// A way to receive.
#[derive(Clone, Copy, Debug)]
enum Way {
    Recv,
    TryRecv,
    Timeout,
    Matching,
    Drain,
    Many,
    Iter,
    TryIter,
    Async,
    Latest,
}

const WAYS: [Way; 9] = [
    Way::Recv,
    Way::TryRecv,
    Way::Timeout,
    Way::Matching,
    Way::Drain,
    Way::Many,
    Way::Iter,
    Way::TryIter,
    Way::Async,
];

/// One after the other, subscriptions until the epoch is over.
pub fn visit<E: Payload>(place: &Place<E>, plan: &Plan, mut dice: Dice) {
    while !place.is(Hour::Late) {
        stay(place, plan, &mut dice);
        thread::sleep(dice.micros(1..5_000));
    }
}

/// One subscription. It ends by its own will, by the end of the bus, or by a drop that is not made good.
fn stay<E: Payload>(place: &Place<E>, plan: &Plan, dice: &mut Dice) {
    let Some(station) = place.station() else {
        return;
    };
    let skips = dice.percent(10);
    let (book, joining) = Book::open(&place.ledger, skips);
    let subscriber = match station.subscribe(subscription(dice, plan)) {
        Ok(subscriber) => subscriber,
        Err(error) if error.is_stopped() => return,
        Err(error) if error.is_full() => return COUNTS.joins_refused.add(1),
        Err(error) => return violation::record(format_args!("a subscription failed: {error}")),
    };
    joining.done();
    drop(station); // an epoch may end with the last handle
    let id = subscriber.id();
    place.arrived(id);
    let mut guest = Guest {
        place,
        subscriber,
        book,
        skips,
        dawdles: dice.pick(&[0, 0, 1, 5]),
        stays: dice.micros(1_000..2_000_000),
        since: Instant::now(),
        dice: dice.fork(),
    };
    let end = guest.read();
    place.left(id);
    let Guest {
        subscriber, book, ..
    } = guest;
    if end == End::Closed {
        book.close();
    }
    drop(subscriber);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Dropped,
    Left,
}

struct Guest<'a, E: Payload> {
    place: &'a Place<E>,
    subscriber: Subscriber<E>,
    book: Book,
    skips: bool,
    /// How often it takes its time over an event, of a hundred.
    dawdles: u64,
    stays: Duration,
    since: Instant,
    dice: Dice,
}

impl<E: Payload> Guest<'_, E> {
    fn read(&mut self) -> End {
        loop {
            match self.step() {
                Ok(()) => {}
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Lagged(missed)) => {
                    COUNTS.rejoins_on_lap.add(1);
                    self.place.learned_of_a_drop();
                    self.book.lost(missed, &[]);
                }
                Err(TryRecvError::Evicted(_)) => {
                    self.place.learned_of_a_drop();
                    if self.dice.percent(20) || !self.rejoin() {
                        return End::Dropped;
                    }
                }
                Err(_) => return End::Closed,
            }
            // Who is there when it gets late stays to the end: somebody must see all of it.
            if !self.place.is(Hour::Late) {
                if self.since.elapsed() > self.stays {
                    return End::Left;
                }
                if self.dice.below(20_000) == 0 {
                    self.rejoin(); // of its own will
                }
            }
        }
    }

    fn rejoin(&mut self) -> bool {
        let accepted = self.place.ledger.accepted();
        let Ok(missed) = self.subscriber.rejoin() else {
            return false;
        };
        COUNTS.rejoins_by_hand.add(1);
        self.book.lost(missed, &accepted);
        true
    }

    /// Up to a few dozen events.
    fn step(&mut self) -> Result<(), TryRecvError> {
        let way = match self.skips {
            true => Way::Latest,
            false => self.dice.pick(&WAYS),
        };
        let hold = self.dice.percent(5);
        let dawdle = !self.place.is(Hour::Late) && self.dice.percent(self.dawdles);
        let pause = (hold || dawdle).then(|| match dawdle {
            true => self.dice.micros(1_000..20_000),
            false => self.dice.micros(1..100),
        });
        let most = self.dice.within(1..65) as usize;
        let (subscriber, book) = (&mut self.subscriber, &mut self.book);
        match way {
            Way::Recv => take(&subscriber.recv()?, book, pause),
            Way::TryRecv => take(&subscriber.try_recv()?, book, pause),
            Way::Async => take(&pollster::block_on(subscriber.recv_async())?, book, pause),
            Way::Latest => take(&subscriber.latest()?, book, pause),
            Way::Timeout => {
                let timeout = Duration::from_millis(2);
                take(
                    &subscriber.recv_timeout(timeout).map_err(no_event)?,
                    book,
                    pause,
                );
            }
            Way::Matching => {
                // It sees every event, and borrows the one that it asked for.
                let mut last = None;
                let found = subscriber.recv_matching(|event| {
                    last = book.add(event);
                    last.is_none_or(|(_, number)| number % 7 == 0)
                })?;
                hold_on(&*found, pause);
                if found.read() != last {
                    violation::record("the event delivered is not the one that matched");
                }
            }
            Way::Drain => {
                subscriber.drain(most, |event| _ = book.add(event))?;
                // Held from here on is what the drain delivered last, if the cursor has not moved: let go of it.
                if hold {
                    subscriber.release();
                }
            }
            Way::Many => {
                let mut pause = pause;
                subscriber.recv_many(most, |event| {
                    book.add(event);
                    hold_on(event, pause.take());
                })?;
            }
            Way::Iter => {
                for event in subscriber.iter().take(most.min(8)) {
                    book.add(&event?);
                }
            }
            Way::TryIter => {
                for event in subscriber.try_iter().take(most) {
                    book.add(&event?);
                }
            }
        }
        Ok(())
    }
}

fn no_event(error: RecvTimeoutError) -> TryRecvError {
    match error {
        RecvTimeoutError::Lagged(missed) => TryRecvError::Lagged(missed),
        RecvTimeoutError::Evicted(eviction) => TryRecvError::Evicted(eviction),
        RecvTimeoutError::Closed => TryRecvError::Closed,
        _ => TryRecvError::Empty,
    }
}

fn take<E: Payload>(delivery: &Delivery<'_, E>, book: &mut Book, pause: Option<Duration>) {
    book.add(&**delivery);
    hold_on(&**delivery, pause);
}

/// Keeps a borrow for a while: it must be what it was, whatever became of its subscriber meanwhile.
pub fn hold_on<E: Payload>(event: &E, pause: Option<Duration>) {
    let Some(pause) = pause else {
        return;
    };
    COUNTS.borrows_held.add(1);
    let before = event.read();
    thread::sleep(pause);
    if event.read().is_none() || event.read() != before {
        violation::record("an event changed while it was borrowed");
    }
}
