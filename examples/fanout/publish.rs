//! The publisher: reports every line, at the rate asked for.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::failure::Failure;
use crate::input::{Input, Next};
use crate::line::Line;
use crate::pace::Pacer;
use crate::progress::Progress;
use crate::work::Tally;

/// What to publish, and until when.
#[derive(Debug)]
pub struct Assignment<'a> {
    pub input: Input,
    pub rate: u64,
    pub limit: Option<Duration>,
    pub interrupted: &'a AtomicBool,
    pub progress: &'a Progress,
}

/// What the publisher has to say afterwards.
#[derive(Debug)]
pub struct Published {
    pub tally: Tally,
    pub elapsed: Duration,
    /// How long each report took, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Why the input broke off, if it did.
    pub broken: Option<String>,
}

/// The longest that anything waits before it looks whether it is time to end.
const PATIENCE: Duration = Duration::from_millis(20);

impl Assignment<'_> {
    pub fn publish(mut self, mut report: impl FnMut(Line)) -> Result<Published, Failure> {
        const THREE_DIGITS: u8 = 3;
        const A_MINUTE_IN_NANOS: u64 = 60_000_000_000;
        let mut latency =
            Histogram::new_with_max(A_MINUTE_IN_NANOS, THREE_DIGITS).map_err(Failure::input)?;
        let mut tally = Tally::default();
        let mut broken = None;
        let start = Instant::now();
        let mut pacer = Pacer::new(self.rate, start);
        let mut now = start;
        while !self.is_over(now - start) {
            let wait = pacer.wait(now);
            if !wait.is_zero() {
                thread::sleep(wait.min(PATIENCE));
                now = Instant::now();
                continue;
            }
            match self.input.next(PATIENCE) {
                Next::Line(line) => {
                    tally.add(&line);
                    self.progress.add(line.text().len());
                    let before = Instant::now();
                    report(line);
                    now = Instant::now();
                    latency.saturating_record((now - before).as_nanos() as u64);
                    pacer.sent();
                }
                Next::Pending => now = Instant::now(),
                Next::End => break,
                Next::Broken(reason) => {
                    broken = Some(reason);
                    break;
                }
            }
        }
        Ok(Published {
            tally,
            elapsed: start.elapsed(),
            latency,
            broken,
        })
    }

    fn is_over(&self, elapsed: Duration) -> bool {
        self.interrupted.load(Relaxed) || self.limit.is_some_and(|limit| elapsed >= limit)
    }
}
