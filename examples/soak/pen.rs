//! Publishers of either kind, and the events they draw from.

use std::collections::VecDeque;
use std::time::Duration;

use ringbus::{ExclusivePublisher, Publish, Publisher, ReportError, StopReport, TryReportError};

use crate::dice::Dice;
use crate::payload::Payload;
use crate::violation;

pub enum Pen<E> {
    Shared(Publisher<E>),
    Exclusive(ExclusivePublisher<E>),
}

/// A way to report.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Report,
    Recycle,
    Batch,
    Try,
    TryBatch,
    Timeout,
}

impl Way {
    /// These drop who is in the way.
    pub const RUDE: [Way; 3] = [Way::Report, Way::Recycle, Way::Batch];
    /// These do not.
    pub const POLITE: [Way; 3] = [Way::Try, Way::TryBatch, Way::Timeout];
}

/// Why an event came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Full,
    Stopped,
    Exhausted,
}

impl<E: Payload> Pen<E> {
    /// Offers up to `most` events; a batch takes as many of them as it likes.
    pub fn offer(&mut self, way: Way, source: &mut Source<E>, most: usize) -> Result<(), Refused> {
        match self {
            Pen::Shared(publisher) => offer(publisher, way, source, most),
            Pen::Exclusive(publisher) => offer(publisher, way, source, most),
        }
    }

    /// Events that it took and could not place yet.
    pub fn carried(&self) -> u64 {
        match self {
            Pen::Shared(publisher) => publisher.carried() as u64,
            Pen::Exclusive(_) => 0,
        }
    }
}

fn offer<E: Payload>(
    publisher: &mut impl Publish<E>,
    way: Way,
    source: &mut Source<E>,
    most: usize,
) -> Result<(), Refused> {
    match way {
        Way::Batch => {
            source.allow(most);
            let Err(error) = publisher.report_batch(&mut *source) else {
                return Ok(());
            };
            let refused = match error.is_stopped() {
                true => Refused::Stopped,
                false => Refused::Exhausted,
            };
            source.take_back(error.into_events());
            Err(refused)
        }
        Way::TryBatch => {
            source.allow(most);
            publisher.try_report_batch(&mut *source);
            match source.is_spent() {
                true => Ok(()),
                false => Err(Refused::Full),
            }
        }
        Way::Report | Way::Recycle | Way::Try | Way::Timeout => (0..most).try_for_each(|_| {
            let event = source.draw();
            offer_one(publisher, way, event).map_err(|(refused, event)| {
                source.take_back([event]);
                refused
            })
        }),
    }
}

fn offer_one<E: Payload>(
    publisher: &mut impl Publish<E>,
    way: Way,
    event: E,
) -> Result<(), (Refused, E)> {
    const PATIENCE: Duration = Duration::from_millis(1);
    match way {
        Way::Try => publisher.try_report(event).map_err(try_refused),
        Way::Timeout => publisher
            .report_timeout(event, PATIENCE)
            .map_err(try_refused),
        Way::Recycle => {
            let old = publisher.report_recycling(event).map_err(refused)?;
            if old.is_some_and(|old| old.read().is_none()) {
                violation::record("a value given back does not match its checksum");
            }
            Ok(())
        }
        _ => publisher.report(event).map_err(refused),
    }
}

fn refused<E>(error: ReportError<E>) -> (Refused, E) {
    let refused = match error.is_stopped() {
        true => Refused::Stopped,
        false => Refused::Exhausted,
    };
    (refused, error.into_inner())
}

fn try_refused<E>(error: TryReportError<E>) -> (Refused, E) {
    let refused = match (error.is_full(), error.is_stopped()) {
        (true, _) => Refused::Full,
        (_, true) => Refused::Stopped,
        _ => Refused::Exhausted,
    };
    (refused, error.into_inner())
}

/// The numbered events of one publisher. What was refused is drawn again first.
pub struct Source<E> {
    publisher: usize,
    dice: Dice,
    made: u64,
    refused: VecDeque<E>,
    allowance: usize,
}

impl<E: Payload> Source<E> {
    pub fn new(publisher: usize, dice: Dice) -> Self {
        Self {
            publisher,
            dice,
            made: 0,
            refused: VecDeque::new(),
            allowance: 0,
        }
    }

    pub fn draw(&mut self) -> E {
        self.refused.pop_front().unwrap_or_else(|| {
            self.made += 1;
            E::new(self.publisher, self.made - 1, &mut self.dice)
        })
    }

    /// How many numbers there are so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// How many events have gone and did not come back.
    pub fn gone(&self) -> u64 {
        self.made - self.refused.len() as u64
    }

    /// As an iterator, it is to give so many.
    fn allow(&mut self, events: usize) {
        self.allowance = events;
    }

    fn is_spent(&self) -> bool {
        self.allowance == 0
    }

    /// In their order, before those that came back earlier.
    fn take_back(&mut self, events: impl IntoIterator<Item = E>) {
        let mut events: VecDeque<E> = events.into_iter().collect();
        events.append(&mut self.refused);
        self.refused = events;
    }
}

impl<E: Payload> Iterator for Source<E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        self.allowance = self.allowance.checked_sub(1)?;
        Some(self.draw())
    }
}

/// How a bus comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Stop,
    Shutdown,
    Close,
    Drop,
}

impl Ending {
    pub const ALL: [Ending; 4] = [Ending::Stop, Ending::Shutdown, Ending::Close, Ending::Drop];
}

/// A stop that had time enough must have found everybody at the end.
pub fn check_stop(report: &StopReport) {
    if !report.undrained.is_empty() || !report.running.is_empty() {
        violation::record(format_args!("a stop was not clean: {report:?}"));
    }
}
