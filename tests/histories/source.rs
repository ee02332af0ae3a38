//! What a round publishes with, and what comes of one call.

use super::errand::Pauses;
use super::event::{Event, Ledger};
use ringbus::{
    BatchError, Bus, ExclusivePublisher, Publish, Publisher, ReportError, TryReportError,
};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A way to publish.
pub(crate) enum Voice<E> {
    Shared(Publisher<E>),
    Exclusive(ExclusivePublisher<E>),
    Bus(Bus<E>),
}

/// One that publishes in order.
pub(crate) struct Source<E> {
    /// Its number in the books.
    pub(crate) number: u32,
    pub(crate) voice: Voice<E>,
    /// Events that an earlier `try_report_batch` took and could not place.
    pub(crate) carried: VecDeque<u64>,
}

/// One call of a publishing method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Report,
    TryReport,
    Recycle,
    Batch,
    TryBatch,
}

impl Call {
    /// The call must not drop a subscriber.
    pub(crate) fn keeps_all(self) -> bool {
        matches!(self, Call::TryReport | Call::TryBatch)
    }

    pub(crate) fn is_batch(self) -> bool {
        matches!(self, Call::Batch | Call::TryBatch)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Stopped,
    Exhausted,
}

/// What came of a call, by the numbers of the events.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) accepted: Vec<u64>,
    pub(crate) refused: Vec<u64>,
    /// Events that the publisher took and keeps.
    pub(crate) carried: Vec<u64>,
    pub(crate) refusal: Option<Refusal>,
}

impl<E: Event> Source<E> {
    pub(crate) fn new(number: u32, voice: Voice<E>) -> Self {
        Source {
            number,
            voice,
            carried: VecDeque::new(),
        }
    }

    /// Publishes the events with these numbers: one, unless it is a batch.
    pub(crate) fn publish(
        &mut self,
        call: Call,
        numbers: Range<u64>,
        ledger: &Arc<Ledger>,
        pauses: &Pauses,
    ) -> Outcome {
        if call.is_batch() {
            self.publish_batch(call, numbers, ledger, pauses)
        } else {
            self.publish_one(call, numbers.start, ledger)
        }
    }

    fn publish_one(&mut self, call: Call, number: u64, ledger: &Arc<Ledger>) -> Outcome {
        let event = E::make(ledger, number);
        let result = match &mut self.voice {
            Voice::Bus(bus) if call == Call::TryReport => {
                bus.try_report(event).map_err(try_refused)
            }
            Voice::Bus(bus) => bus.report(event).map_err(refused),
            Voice::Shared(publisher) => send(publisher, call, event),
            Voice::Exclusive(publisher) => send(publisher, call, event),
        };
        let mut outcome = Outcome::default();
        let kept = self.kept();
        let sent = self.carried.len() - kept;
        outcome.accepted.extend(self.carried.drain(..sent));
        match result {
            Ok(()) => {
                assert_eq!(kept, 0, "an event overtook one that was carried");
                outcome.accepted.push(number);
            }
            Err((refusal, back)) => {
                assert_eq!(back.read(), number, "another event came back");
                outcome.refused.push(number);
                outcome.refusal = Some(refusal);
            }
        }
        outcome
    }

    fn publish_batch(
        &mut self,
        call: Call,
        numbers: Range<u64>,
        ledger: &Arc<Ledger>,
        pauses: &Pauses,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut queue: VecDeque<u64> = std::mem::take(&mut self.carried);
        let carried_before = queue.len();
        let length = (numbers.end - numbers.start) as usize;
        let mut taken = 0;
        let mut events = numbers.map(|number| {
            pauses.give();
            queue.push_back(number);
            taken += 1;
            E::make(ledger, number)
        });
        let result = match &mut self.voice {
            Voice::Shared(publisher) => send_batch(publisher, call, &mut events),
            Voice::Exclusive(publisher) => send_batch(publisher, call, &mut events),
            Voice::Bus(_) => unreachable!("a bus reports no batches"),
        };
        match result {
            Ok(accepted) if call == Call::TryBatch => {
                outcome.accepted.extend(queue.drain(..accepted));
                assert_eq!(self.kept(), queue.len(), "events taken and gone");
                outcome.refusal = (taken < length).then_some(Refusal::Full);
                outcome.carried.extend(queue.iter());
                self.carried = queue;
                return outcome;
            }
            Ok(accepted) => {
                assert_eq!(accepted, carried_before + length, "accepted of a batch");
                outcome.accepted.extend(queue);
            }
            Err(error) => {
                outcome.refusal = Some(batch_refused(&error));
                outcome.accepted.extend(queue.drain(..error.accepted));
                let back = error.into_events().map(|event| event.read());
                assert!(back.eq(queue.iter().copied()), "a batch came back changed");
                outcome.refused.extend(queue);
            }
        }
        assert_eq!(self.kept(), 0, "a batch that evicts keeps no event back");
        outcome
    }

    /// Returns how many events the publisher says that it carries.
    fn kept(&self) -> usize {
        match &self.voice {
            Voice::Shared(publisher) => publisher.carried(),
            Voice::Exclusive(_) | Voice::Bus(_) => 0,
        }
    }
}

fn send<E: Event>(
    publisher: &mut impl Publish<E>,
    call: Call,
    event: E,
) -> Result<(), (Refusal, E)> {
    match call {
        Call::TryReport => publisher.try_report(event).map_err(try_refused),
        Call::Recycle => publisher.report_recycling(event).map(look).map_err(refused),
        _ => publisher.report(event).map_err(refused),
    }
}

/// Returns how many events were accepted.
fn send_batch<E: Event>(
    publisher: &mut impl Publish<E>,
    call: Call,
    events: &mut impl Iterator<Item = E>,
) -> Result<usize, BatchError<E>> {
    match call {
        Call::TryBatch => Ok(publisher.try_report_batch(events)),
        _ => publisher.report_batch(events),
    }
}

/// Checks a value that a slot gave back, and drops it.
fn look<E: Event>(old: Option<E>) {
    if let Some(old) = old {
        old.read();
    }
}

fn refused<E>(error: ReportError<E>) -> (Refusal, E) {
    let refusal = if error.is_stopped() {
        Refusal::Stopped
    } else {
        Refusal::Exhausted
    };
    (refusal, error.into_inner())
}

fn try_refused<E>(error: TryReportError<E>) -> (Refusal, E) {
    let refusal = match &error {
        TryReportError::Full(_) => Refusal::Full,
        TryReportError::Stopped(_) => Refusal::Stopped,
        _ => Refusal::Exhausted,
    };
    (refusal, error.into_inner())
}

fn batch_refused<E>(error: &BatchError<E>) -> Refusal {
    if error.is_stopped() {
        Refusal::Stopped
    } else {
        Refusal::Exhausted
    }
}
