//! The closing report.

use std::time::Duration;

use serde::Serialize;

use crate::counts::{COUNTS, Counts};
use crate::memory::{Memory, MemoryReport};
use crate::violation;

/// Resident memory may not grow by more than this factor after the first minute.
const MOST_GROWTH: f64 = 1.05;

/// Shorter runs say nothing about growth.
const LONG_ENOUGH: Duration = Duration::from_secs(120);

#[derive(Debug, Serialize)]
pub struct Report {
    minutes: f64,
    seed: u64,
    epochs: u64,
    #[serde(flatten)]
    counts: &'static Counts,
    memory: MemoryReport,
    violations: Vec<String>,
}

impl Report {
    /// Adds the last of the violations: memory that has grown.
    pub fn new(took: Duration, seed: u64, epochs: u64, memory: &Memory) -> Self {
        let memory = memory.report();
        if took >= LONG_ENOUGH {
            judge("resident", memory.resident_bytes.growth());
            judge("allocated", memory.allocated_bytes.ratio);
        }
        Self {
            minutes: (took.as_secs_f64() / 60.0 * 100.0).round() / 100.0,
            seed,
            epochs,
            counts: &COUNTS,
            memory,
            violations: violation::list(),
        }
    }

    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

fn judge(what: &str, growth: Option<f64>) {
    if let Some(growth) = growth.filter(|growth| *growth > MOST_GROWTH) {
        violation::record(format_args!(
            "{what} memory is {growth:.3} times what it was after the first minute"
        ));
    }
}
