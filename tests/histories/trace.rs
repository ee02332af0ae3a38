//! The steps of a round, kept for the case that it fails.

use std::sync::{Arc, Mutex};

/// The steps that a failure shows.
const SHOWN: usize = 60;

/// The steps so far, shared with the test that looks after the round.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        let what = what();
        self.0.lock().unwrap().push(what);
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Prints what the round is like, and its last steps.
    pub(crate) fn print(&self) {
        let steps = self.steps();
        let skipped = steps.len().saturating_sub(SHOWN);
        for (at, step) in steps.iter().enumerate() {
            if at == 0 || at >= skipped {
                eprintln!("{step}");
            }
        }
    }
}
