//! How far the run is, for the bar that shows it meanwhile.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Written by the publisher, read by the bar. Independent counters that nothing else rests on.
#[derive(Debug, Default)]
pub struct Progress {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// There is one publisher, so that no read-modify-write is needed.
    pub fn add(&self, bytes: usize) {
        self.lines.store(self.lines.load(Relaxed) + 1, Relaxed);
        self.bytes
            .store(self.bytes.load(Relaxed) + bytes as u64, Relaxed);
    }
}

/// A bar on standard error; nothing at all if that is no terminal.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    measure: Measure,
    start: Instant,
}

/// What the run's end is known by.
#[derive(Debug)]
enum Measure {
    Bytes,
    Time,
    Nothing,
}

impl Bar {
    pub fn new(size: Option<u64>, limit: Option<Duration>) -> Self {
        let (measure, length) = match (limit, size) {
            (Some(limit), _) => (Measure::Time, Some(millis(limit))),
            (None, Some(size)) => (Measure::Bytes, Some(size)),
            (None, None) => (Measure::Nothing, None),
        };
        let template = match length {
            Some(_) => "{wide_bar} {percent:>3} %  {msg}",
            None => "{spinner} {elapsed}  {msg}",
        };
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            measure,
            start: Instant::now(),
        }
    }

    pub fn show(&self, progress: &Progress) {
        let lines = progress.lines.load(Relaxed);
        self.bar.set_message(format!("{lines} lines"));
        match self.measure {
            Measure::Bytes => self.bar.set_position(progress.bytes.load(Relaxed)),
            Measure::Time => self.bar.set_position(millis(self.start.elapsed())),
            Measure::Nothing => self.bar.tick(),
        }
    }

    pub fn clear(self) {
        self.bar.finish_and_clear();
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
