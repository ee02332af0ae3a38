//! The closing report.

use std::time::Duration;

use serde::Serialize;

use crate::counts::{COUNTS, Counts};
use crate::memory::{Course, Measured, Memory, MemoryReport};
use crate::violation;

/// Resident memory may not grow by more than this factor after the first minute.
const MOST_GROWTH: f64 = 1.05;

/// Between epochs next to nothing is allocated: a few nodes more, for as many threads as there were at once, are no leak.
const SMALL_CHANGE: u64 = 4096;

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
            if let Measured::Course(resident) = &memory.resident_bytes {
                judge("resident", resident, 0);
            }
            judge("allocated", &memory.allocated_bytes, SMALL_CHANGE);
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

fn judge(what: &str, course: &Course, slack: u64) {
    if let Some(growth) = course.growth_beyond(slack)
        && growth > MOST_GROWTH
    {
        violation::record(format_args!(
            "{what} memory is {growth:.3} times what it was after the first minute"
        ));
    }
}
