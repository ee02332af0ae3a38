//! What both publishers do around a ring: refusals become errors, iterators become batches, and a call
//! waits for room.

use super::fanout::in_place;
use crate::config::ROOM_PAUSE;
use crate::error::{BatchError, ReportError, TryReportError};
use crate::limits::BATCH;
use crate::ring::batch::{Batch, with_batch};
use crate::ring::gate::Refusal;
use crate::sync::thread;
use crate::wait::deadline::Deadline;
use crate::wait::{Backoff, Step, WaitStrategy};
use std::time::Duration;

pub(crate) fn report_error<E>((refusal, event): (Refusal, E)) -> ReportError<E> {
    match refusal {
        Refusal::Stopped => ReportError::Stopped(event),
        // Full is never said to a publisher that evicts; too much in the way is what it would mean.
        Refusal::Exhausted | Refusal::Full => ReportError::Exhausted(event),
    }
}

pub(crate) fn try_report_error<E>((refusal, event): (Refusal, E)) -> TryReportError<E> {
    match refusal {
        Refusal::Full => TryReportError::Full(event),
        Refusal::Stopped => TryReportError::Stopped(event),
        Refusal::Exhausted => TryReportError::Exhausted(event),
    }
}

/// Gathers and sends until the iterator ends, or an event is refused.
pub(super) fn report_all<E>(
    events: &mut impl Iterator<Item = E>,
    mut accepted: usize,
    mut send: impl FnMut(&mut Batch<'_, E>) -> Result<(), Refusal>,
) -> Result<usize, BatchError<E>> {
    loop {
        let step = with_batch(|batch| {
            let ended = batch.gather(events, BATCH);
            let result = send(batch);
            accepted += batch.committed();
            match result {
                Ok(()) => Ok(ended),
                Err(refusal) => Err(batch_refused(accepted, refusal, batch)),
            }
        });
        match step {
            Ok(false) => {}
            Ok(true) => return Ok(accepted),
            Err(error) => return Err(error),
        }
    }
}

#[cold]
pub(super) fn batch_refused<E>(
    accepted: usize,
    refusal: Refusal,
    batch: &mut Batch<'_, E>,
) -> BatchError<E> {
    batch_error(accepted, refusal, std::iter::from_fn(|| batch.pop()))
}

#[cold]
pub(super) fn batch_error<E>(
    accepted: usize,
    refusal: Refusal,
    events: impl IntoIterator<Item = E>,
) -> BatchError<E> {
    let mut events = events.into_iter();
    match events.next() {
        Some(event) => BatchError {
            accepted,
            error: report_error((refusal, event)),
            rest: events.collect(),
        },
        None => unreachable!("a batch is refused for an event that it holds"),
    }
}

pub(super) fn wait_for_room<E>(
    event: E,
    timeout: Duration,
    mut send: impl FnMut(&mut Batch<'_, E>) -> Result<(), Refusal>,
) -> Result<(), TryReportError<E>> {
    let deadline = Deadline::after(timeout);
    let mut backoff = Backoff::new(WaitStrategy::Backoff);
    let sent = in_place(event, |batch| {
        loop {
            let sent = send(batch);
            if sent != Err(Refusal::Full) || deadline.is_over() {
                return sent;
            }
            if backoff.step() == Step::Park {
                thread::sleep(ROOM_PAUSE);
            }
        }
    });
    sent.map(drop).map_err(try_report_error)
}
