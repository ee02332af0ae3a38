//! Publishers: the fast ways to report. What both kinds share is here.

mod exclusive;
mod send;
mod shared;

pub use exclusive::ExclusivePublisher;
pub(crate) use send::report_once;
pub use shared::Publisher;

use crate::error::{BatchError, ReportError, TryReportError};
use crate::ring::Refusal;
use crate::ring::batch::{BATCH, Batch, with_batch};
use crate::sync::thread;
use crate::wait::{Idler, Pause, WaitStrategy};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a publish gives: the value that a slot held, or a refusal with the event.
type Published<E> = Result<Option<E>, (Refusal, E)>;

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
fn report_all<E>(
    events: &mut impl Iterator<Item = E>,
    mut accepted: usize,
    mut send: impl FnMut(&mut Batch<'_, E>) -> Result<(), Refusal>,
) -> Result<usize, BatchError<E>> {
    loop {
        let ended = with_batch(|batch| {
            let ended = batch.gather(events, BATCH);
            let result = send(batch);
            accepted += batch.committed();
            result.map(|()| ended).map_err(|refusal| {
                let rest = std::iter::from_fn(|| batch.pop());
                batch_error(accepted, refusal, rest)
            })
        })?;
        if ended {
            return Ok(accepted);
        }
    }
}

fn batch_error<E>(
    accepted: usize,
    refusal: Refusal,
    events: impl IntoIterator<Item = E>,
) -> BatchError<E> {
    let mut rest: VecDeque<E> = events.into_iter().collect();
    match rest.pop_front() {
        Some(event) => BatchError {
            accepted,
            error: report_error((refusal, event)),
            rest: rest.into(),
        },
        None => unreachable!("a batch is refused for an event that it holds"),
    }
}

fn wait_for_room<E>(
    mut event: E,
    timeout: Duration,
    mut send: impl FnMut(E) -> Published<E>,
) -> Result<(), TryReportError<E>> {
    // A deadline beyond the clock's range is none.
    let deadline = Instant::now().checked_add(timeout);
    let mut idler = Idler::new(WaitStrategy::Backoff);
    loop {
        match send(event) {
            Ok(_) => return Ok(()),
            Err((Refusal::Full, back)) => event = back,
            Err(refused) => return Err(try_report_error(refused)),
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(TryReportError::Full(event));
        }
        if idler.pause() == Pause::Sleep {
            thread::sleep(Duration::from_micros(50));
        }
    }
}
