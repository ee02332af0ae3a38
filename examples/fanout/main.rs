//! The main job on real input: every line of some text, at a steady rate.
//!
//! `cargo run --release --example fanout -- --help` lists the options.
#![allow(clippy::disallowed_types)] // an example is a host: the facade is the library's

mod failure;
mod input;
mod line;
mod options;
mod pace;
mod progress;
mod publish;
mod summary;
mod work;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use failure::Failure;
use input::Input;
use options::{Options, Request};
use progress::{Bar, Progress};
use publish::Assignment;
use work::Work;

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let outcome = match Options::from_arguments() {
        Ok(Request::Help(help)) => print(&help),
        Ok(Request::Run(options)) => run(&options),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("fanout: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let input = Input::open(&options.files)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let on_interrupt = Arc::clone(&interrupted);
    ctrlc::set_handler(move || on_interrupt.store(true, Relaxed)).map_err(Failure::input)?;
    let progress = Progress::default();
    let bar = Bar::new(input.size(), options.limit());
    let assignment = Assignment {
        input,
        rate: options.rate,
        limit: options.limit(),
        interrupted: &interrupted,
        progress: &progress,
    };
    let (published, work) = thread::scope(|scope| {
        let (done, ending) = mpsc::channel();
        scope.spawn(move || {
            let mut work = Work::default();
            let published = assignment.publish(|line| work.add(&line));
            let _ = done.send(published.map(|published| (published, work)));
        });
        loop {
            match ending.recv_timeout(REDRAW) {
                Ok(end) => break end,
                Err(RecvTimeoutError::Timeout) => bar.show(&progress),
                Err(RecvTimeoutError::Disconnected) => {
                    break Err(Failure::input("the publisher panicked"));
                }
            }
        }
    })?;
    bar.clear();
    print(&format!(
        "{}\n{}\n",
        summary::publisher(&published),
        summary::text(&work)
    ))?;
    published
        .broken
        .map_or(Ok(()), |reason| Err(Failure::Input(reason)))
}

/// To standard output; whoever closed it wants no more.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::input(error)),
        _ => Ok(()),
    }
}
