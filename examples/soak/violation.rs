//! What went wrong: told by whoever sees it, from any thread, a panicking one included.

use std::fmt;
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a deliberate panic says.
pub const DELIBERATE: &str = "a deliberate panic";

/// So many are kept word by word; one fault often shows a thousand times.
const KEPT: usize = 50;

struct Violations {
    seed: u64,
    epoch: u64,
    count: u64,
    first: Vec<String>,
}

static VIOLATIONS: Mutex<Violations> = Mutex::new(Violations {
    seed: 0,
    epoch: 0,
    count: 0,
    first: Vec::new(),
});

fn violations() -> MutexGuard<'static, Violations> {
    VIOLATIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on violations are of this epoch.
pub fn enter(seed: u64, epoch: u64) {
    let mut violations = violations();
    (violations.seed, violations.epoch) = (seed, epoch);
}

pub fn record(what: impl fmt::Display) {
    let mut violations = violations();
    violations.count += 1;
    if violations.first.len() < KEPT {
        let told = format!(
            "seed {}, epoch {}: {what}",
            violations.seed, violations.epoch
        );
        eprintln!("soak: {told}");
        violations.first.push(told);
    }
}

pub fn count() -> u64 {
    violations().count
}

/// The first of them, and how many more there were.
pub fn list() -> Vec<String> {
    let violations = violations();
    let mut list = violations.first.clone();
    let more = violations.count - list.len() as u64;
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    list
}

/// Any panic is a violation, but for those that are part of the soak: they go unseen.
pub fn watch_panics() {
    panic::set_hook(Box::new(|info| {
        let message = message(info);
        if message != DELIBERATE {
            let place = info.location().map(ToString::to_string);
            record(format_args!(
                "a thread panicked at {}: {message}",
                place.as_deref().unwrap_or("an unknown place")
            ));
        }
    }));
}

fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
