//! What is seen of a run meanwhile: a line that changes on a terminal, a line each few seconds elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::counts::COUNTS;
use crate::violation;

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Live {
    /// `None`: standard error is no terminal.
    bar: Option<ProgressBar>,
    began: Instant,
    length: Duration,
    last: Instant,
}

impl Live {
    pub fn new(length: Duration) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(millis(length));
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            began: now,
            length,
            last: now,
        }
    }

    pub fn show(&mut self, epochs: u64, resident: Option<u64>) {
        let resident = resident.map_or("not measured".into(), |bytes| {
            format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
        });
        let line = format!(
            "epoch {epochs}  {:.1} M accepted  {:.1} M delivered  {} joins  resident {resident}  {} violations",
            millions(COUNTS.events_accepted.get()),
            millions(COUNTS.events_delivered.get()),
            COUNTS.joins.get(),
            violation::count(),
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(millis(self.began.elapsed().min(self.length)));
                bar.set_message(line);
            }
            None if self.last.elapsed() >= PAUSE => {
                self.last = Instant::now();
                eprintln!("{:>6} s  {line}", self.began.elapsed().as_secs());
            }
            None => {}
        }
    }

    pub fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millions(n: u64) -> f64 {
    n as f64 / 1e6
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
