//! The publisher: reports every line, at the rate asked for.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringbus::{Publisher, TryReportError, affinity};

use crate::failure::Failure;
use crate::input::{Input, Next};
use crate::line::Line;
use crate::pace::Pacer;
use crate::progress::Progress;
use crate::work::Tally;

/// What to publish, how, and until when.
#[derive(Debug)]
pub struct Assignment<'a> {
    pub input: Input,
    /// Lines a second; 0 for as many as there is room for.
    pub rate: u64,
    pub limit: Option<Duration>,
    pub core: Option<usize>,
    pub interrupted: &'a AtomicBool,
    pub progress: &'a Progress,
}

/// What the publisher has to say afterwards.
#[derive(Debug)]
pub struct Published {
    pub core: Option<usize>,
    pub tally: Tally,
    pub elapsed: Duration,
    /// How long each report took, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Why the input broke off, if it did.
    pub broken: Option<String>,
}

/// The longest that anything waits before it looks whether it is time to end.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long the publisher leaves a full ring to the readers.
const BREATH: Duration = Duration::from_micros(50);

impl Assignment<'_> {
    /// Reports line after line until there are no more, or until it is time to end.
    pub fn publish(mut self, mut publisher: Publisher<Line>) -> Result<Published, Failure> {
        if let Some(core) = self.core {
            affinity::pin_current(core)
                .map_err(|error| Failure::input(format_args!("publisher: {error}")))?;
        }
        let mut published = Published::new(self.core)?;
        let start = Instant::now();
        let mut pacer = Pacer::new(self.rate, start);
        while !self.is_over(start) {
            let wait = pacer.wait(Instant::now());
            if !wait.is_zero() {
                thread::sleep(wait.min(PATIENCE));
                continue;
            }
            match self.input.next(PATIENCE) {
                Next::Line(line) => {
                    self.report(line, start, &mut publisher, &mut published)?;
                    pacer.sent();
                }
                Next::Pending => {}
                Next::End => break,
                Next::Broken(reason) => {
                    published.broken = Some(reason);
                    break;
                }
            }
        }
        published.elapsed = start.elapsed();
        Ok(published)
    }

    /// Reports one line. If it must wait for room, and it is time to end meanwhile, the line
    /// stays unreported.
    fn report(
        &self,
        line: Line,
        start: Instant,
        publisher: &mut Publisher<Line>,
        published: &mut Published,
    ) -> Result<(), Failure> {
        let bytes = line.text().len();
        let tally = published.tally.with(&line);
        let took = if self.rate == 0 {
            self.report_gently(line, start, publisher)?
        } else {
            Some(report_at_once(line, publisher)?)
        };
        if let Some(took) = took {
            published.tally = tally;
            published.latency.saturating_record(took.as_nanos() as u64);
            self.progress.add(bytes);
        }
        Ok(())
    }

    /// Waits until there is room, so that nobody is dropped for being a whole ring behind: a
    /// slow subscriber has a limit of its own.
    fn report_gently(
        &self,
        mut line: Line,
        start: Instant,
        publisher: &mut Publisher<Line>,
    ) -> Result<Option<Duration>, Failure> {
        loop {
            let before = Instant::now();
            match publisher.try_report(line) {
                Ok(()) => return Ok(Some(before.elapsed())),
                Err(TryReportError::Full(refused)) => line = refused,
                Err(error) => return Err(cannot_report(&error)),
            }
            if self.is_over(start) {
                return Ok(None);
            }
            thread::sleep(BREATH);
        }
    }

    fn is_over(&self, start: Instant) -> bool {
        self.interrupted.load(Relaxed) || self.limit.is_some_and(|limit| start.elapsed() >= limit)
    }
}

/// Never waits; drops whoever is a whole ring behind.
fn report_at_once(line: Line, publisher: &mut Publisher<Line>) -> Result<Duration, Failure> {
    let before = Instant::now();
    publisher
        .report(line)
        .map_err(|error| cannot_report(&error))?;
    Ok(before.elapsed())
}

fn cannot_report(error: &dyn Error) -> Failure {
    Failure::check(format_args!("publisher: {error}"))
}

impl Published {
    fn new(core: Option<usize>) -> Result<Self, Failure> {
        const A_MINUTE_IN_NANOS: u64 = 60_000_000_000;
        const DIGITS: u8 = 3;
        let latency = Histogram::new_with_max(A_MINUTE_IN_NANOS, DIGITS).map_err(Failure::input)?;
        Ok(Self {
            core,
            tally: Tally::default(),
            elapsed: Duration::ZERO,
            latency,
            broken: None,
        })
    }
}
