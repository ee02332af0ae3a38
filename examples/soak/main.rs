//! A soak: publishers and subscribers of every kind come and go, dawdle, panic, are dropped and come back, on one bus
//! after the other; and books are kept all along. What each subscriber got from each publisher comes exactly once and in
//! order, with gaps only where it was told of them; a borrowed event stays what it was; every value is dropped once; and
//! memory does not grow.
//!
//! `cargo run --release --example soak -- --minutes N [--seed S [--epoch K]]`
//!
//! An epoch is one bus, from its configuration to the balance of its books. All choices come from the seed; the
//! scheduling of threads does not, so that a violation need not show again at once: `--epoch` repeats its epoch.
//!
//! Exit codes: 0 without a violation, 1 with one, 2 for bad arguments. The report is JSON, on standard output.
#![allow(clippy::disallowed_types)] // an example is a host: the facade is the library's

mod book;
mod counts;
mod dice;
mod epoch;
mod keep;
mod ledger;
mod live;
mod memory;
mod options;
mod payload;
mod pen;
mod place;
mod plan;
mod publish;
mod pulse;
mod report;
mod subscribe;
mod verdict;
mod violation;

use std::io::{self, Write};
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use dice::Dice;
use live::Live;
use memory::Memory;
use options::Options;
use pulse::Watchdog;
use report::Report;

/// Between two looks at the run.
const GLANCE: Duration = Duration::from_millis(100);

/// More than these add nothing.
const ENOUGH_VIOLATIONS: u64 = 1_000;

/// What shells say of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// What the run and whoever watches it share.
struct Run {
    options: Options,
    over: AtomicBool,
    /// Epochs that have come to their end.
    epochs: AtomicU64,
    memory: Memory,
}

fn main() -> ExitCode {
    let options = Options::parse();
    violation::watch_panics();
    let run = Arc::new(Run {
        options,
        over: AtomicBool::new(false),
        epochs: AtomicU64::new(0),
        memory: Memory::new(),
    });
    let interrupted = Arc::clone(&run);
    let interrupt = move || {
        if interrupted.over.swap(true, SeqCst) {
            exit(INTERRUPTED); // the second time: at once
        }
    };
    if let Err(error) = ctrlc::set_handler(interrupt) {
        eprintln!("soak: Ctrl-C will end it without a report: {error}");
    }
    match watch(&run).and_then(|report| print(&report)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Watches over a run, to its end or until it is stuck.
fn watch(run: &Arc<Run>) -> io::Result<Report> {
    let (began, length) = (Instant::now(), run.options.length());
    let mut live = Live::new(length);
    let mut watchdog = Watchdog::new();
    let runs = Arc::clone(run);
    // Not scoped: one that is stuck cannot be joined.
    let epochs = thread::Builder::new()
        .name("epochs".into())
        .spawn(move || runs.epochs())?;
    while !epochs.is_finished() {
        if began.elapsed() >= length || violation::count() >= ENOUGH_VIOLATIONS {
            run.over.store(true, SeqCst);
        }
        if let Some(stuck) = watchdog.stuck() {
            violation::record(stuck);
            break;
        }
        live.show(run.epochs.load(SeqCst), run.memory.glance());
        thread::sleep(GLANCE);
    }
    live.clear();
    let epochs = run.epochs.load(SeqCst);
    Ok(Report::new(
        began.elapsed(),
        run.options.seed,
        epochs,
        &run.memory,
    ))
}

impl Run {
    fn epochs(&self) {
        let seed = self.options.seed;
        let from = self.options.epoch.unwrap_or(0);
        for epoch in from.. {
            let epoch = self.options.epoch.unwrap_or(epoch);
            violation::enter(seed, epoch);
            epoch::run(Dice::of_epoch(seed, epoch), &self.over);
            self.memory.sample();
            self.epochs.fetch_add(1, SeqCst);
            if self.over.load(SeqCst) {
                return;
            }
        }
    }
}

/// Says whether all was well.
fn print(report: &Report) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, report)?;
    writeln!(out)?;
    Ok(report.is_clean())
}
