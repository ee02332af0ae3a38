//! What a subscriber saw: exactly once, in order, and without a gap that it was not told of.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::counts::COUNTS;
use crate::ledger::{End, Ledger};
use crate::payload::Payload;
use crate::violation;

/// One subscription's side of the books.
#[derive(Debug)]
pub struct Book {
    ledger: Arc<Ledger>,
    joined: Arc<Joined>,
    settled: bool,
    expected: Vec<Expected>,
    /// Reads the newest only: gaps are its own doing.
    skips: bool,
    /// Sequences that it was told it missed, and events that it found to have missed.
    told: u64,
    missed: u64,
    uncounted: u64,
}

/// Deliveries are counted so many at a time: the counter is everybody's.
const COUNT_AT_ONCE: u64 = 64;

/// The next number of a publisher lies in `from..=until`.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    from: u64,
    until: u64,
    /// It had everything below this before it was told of a loss.
    before_loss: Option<u64>,
}

/// What is known only once the subscription was handed out: a handler may be reading by then.
#[derive(Debug, Default)]
pub struct Joined(OnceLock<(Vec<u64>, Option<usize>)>);

/// A subscription that is being made.
#[derive(Debug)]
pub struct Joining {
    ledger: Arc<Ledger>,
    joined: Arc<Joined>,
    run: Option<usize>,
}

impl Joining {
    /// It has been made: whatever is offered from now on it must see.
    pub fn done(self) {
        let run = self.run.filter(|_| self.run == self.ledger.run());
        let _ = self.joined.0.set((self.ledger.begun(), run));
    }
}

impl Book {
    /// For a subscription that is about to be made: whatever is accepted by now it must not see.
    pub fn open(ledger: &Arc<Ledger>, skips: bool) -> (Self, Joining) {
        let joined = Arc::<Joined>::default();
        let run = ledger.run();
        let expected = ledger.accepted().into_iter().map(|from| Expected {
            from,
            until: u64::MAX,
            before_loss: None,
        });
        let book = Self {
            ledger: Arc::clone(ledger),
            joined: Arc::clone(&joined),
            settled: false,
            expected: expected.collect(),
            skips,
            told: 0,
            missed: 0,
            uncounted: 0,
        };
        let joining = Joining {
            ledger: Arc::clone(ledger),
            joined,
            run,
        };
        (book, joining)
    }

    /// An event was delivered. Which, if it was in order.
    pub fn add<E: Payload>(&mut self, event: &E) -> Option<(usize, u64)> {
        self.uncounted += 1;
        if self.uncounted == COUNT_AT_ONCE {
            self.count();
        }
        let Some((publisher, number)) = event.read() else {
            violation::record("a delivered event does not match its checksum");
            return None;
        };
        self.settle();
        let settled = self.settled;
        let expected = self.of(publisher, settled);
        let Expected {
            from,
            until,
            before_loss,
        } = *expected;
        *expected = Expected {
            from: number + 1,
            until: number + 1,
            before_loss: None,
        };
        if number < from {
            violation::record(format_args!(
                "event {number} of publisher {publisher} came twice, late or too early: {from} was next"
            ));
        } else if number > until && !self.skips {
            violation::record(format_args!(
                "event {number} of publisher {publisher} came where {until} was next at the latest"
            ));
        } else if let Some(had) = before_loss
            && !self.skips
        {
            self.missed += number - had;
            if self.missed > self.told {
                violation::record(format_args!(
                    "{} events were missed, and at most {} were told",
                    self.missed, self.told
                ));
            }
        }
        Some((publisher, number))
    }

    /// It was told that it missed so many sequences; of those `accepted` before it will see none.
    pub fn lost(&mut self, sequences: u64, accepted: &[u64]) {
        self.wait_for_join();
        self.told = self.told.saturating_add(sequences);
        let begun = self.ledger.begun();
        self.expected
            .resize(begun.len().max(self.expected.len()), Expected::default());
        for (publisher, expected) in self.expected.iter_mut().enumerate() {
            if expected.from == expected.until {
                expected.before_loss.get_or_insert(expected.from);
            }
            let accepted = accepted.get(publisher).copied().unwrap_or(0);
            expected.from = expected.from.max(accepted);
            expected.until = begun
                .get(publisher)
                .copied()
                .unwrap_or(0)
                .max(expected.from);
        }
    }

    /// It read to the end of the bus's run.
    pub fn close(mut self) {
        self.wait_for_join();
        let run = self.joined.0.get().and_then(|(_, run)| *run);
        if let (Some(run), false) = (run, self.skips) {
            let until = self
                .expected
                .iter()
                .map(|expected| expected.until)
                .collect();
            self.ledger.ended(End { run, until });
        }
    }

    fn of(&mut self, publisher: usize, settled: bool) -> &mut Expected {
        if publisher >= self.expected.len() {
            // Whoever comes after the join is seen from the first event on.
            let until = if settled { 0 } else { u64::MAX };
            let unseen = Expected {
                from: 0,
                until,
                before_loss: None,
            };
            self.expected.resize(publisher + 1, unseen);
        }
        &mut self.expected[publisher]
    }

    /// Fills in what became known with the join.
    fn settle(&mut self) {
        if self.settled {
            return;
        }
        let Some((begun, _)) = self.joined.0.get() else {
            return;
        };
        self.settled = true;
        self.expected
            .resize(begun.len().max(self.expected.len()), Expected::default());
        for (publisher, expected) in self.expected.iter_mut().enumerate() {
            let begun = begun.get(publisher).copied().unwrap_or(0);
            if expected.until == u64::MAX || expected.from == 0 {
                expected.until = begun.max(expected.from);
            }
        }
    }

    fn count(&mut self) {
        COUNTS.events_delivered.add(self.uncounted);
        self.uncounted = 0;
    }

    fn wait_for_join(&mut self) {
        let since = Instant::now();
        while self.joined.0.get().is_none() && since.elapsed() < Duration::from_secs(5) {
            thread::yield_now();
        }
        self.settle();
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.count();
    }
}
