//! The closing report.

use std::time::Duration;

use serde::Serialize;

use crate::counts::{COUNTS, Counts};
use crate::memory::{Course, Measured, Memory, MemoryReport};
use crate::verdict;
use crate::violation;

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
                judge(resident, verdict::resident);
            }
            judge(&memory.allocated_bytes, verdict::allocated);
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

fn judge(course: &Course, verdict: fn(u64, u64) -> Option<String>) {
    if let Some((first, last)) = course.ends()
        && let Some(told) = verdict(first, last)
    {
        violation::record(format_args!("memory has grown: {told}"));
    }
}
