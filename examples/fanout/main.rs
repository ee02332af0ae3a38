//! The main job on real input: every line of some text is reported on a bus, at a steady
//! rate; healthy subscribers do real work on each line and must see them all, slow ones
//! dawdle and get dropped, and the publisher waits for nobody.
//!
//! `cargo run --release --example fanout -- --help` lists the options.
//!
//! Exit codes: 0 if every healthy subscriber saw every line, 1 if not, 2 for bad input.
#![allow(clippy::disallowed_types)] // an example is a host: the facade is the library's

mod failure;
mod input;
mod line;
mod listen;
mod options;
mod pace;
mod progress;
mod publish;
mod summary;
mod verify;
mod work;

use std::io::{self, Write};
use std::panic::resume_unwind;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use ringbus::Bus;

use failure::Failure;
use input::Input;
use line::Line;
use listen::{Heard, Role};
use options::{Options, Request};
use progress::{Bar, Progress};
use publish::{Assignment, Published};

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// At most a whole ring is left to read when the input ends.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// What shells say of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

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
    let interrupt = move || {
        if on_interrupt.swap(true, Relaxed) {
            exit(INTERRUPTED); // the second time: at once
        }
    };
    ctrlc::set_handler(interrupt).map_err(Failure::input)?;

    let bus = Bus::builder()
        .capacity(options.capacity)
        .stop_timeout(STOP_TIMEOUT)
        .build()
        .map_err(Failure::input)?;
    bus.start().map_err(Failure::input)?;

    let (published, heard) = fan_out(options, input, &bus, &interrupted)?;
    print(&format!("{}\n", summary::publisher(&published)))?;
    print(&format!("{}\n", summary::subscribers(&heard)))?;
    if let Some(reader) = heard.iter().find(|heard| !heard.role.slow) {
        print(&format!("{}\n", summary::text(&reader.work)))?;
    }
    verify::verify(published.tally, &heard)?;
    published
        .broken
        .map_or(Ok(()), |reason| Err(Failure::Input(reason)))
}

/// The whole run: the publisher and every subscriber on a thread each, the bar on this one.
fn fan_out(
    options: &Options,
    input: Input,
    bus: &Bus<Line>,
    interrupted: &AtomicBool,
) -> Result<(Published, Vec<Heard>), Failure> {
    let over = AtomicBool::new(false);
    let progress = Progress::default();
    let bar = Bar::new(input.size(), options.limit());
    let assignment = Assignment {
        input,
        rate: options.rate,
        limit: options.limit(),
        core: options.core_for(0),
        interrupted,
        progress: &progress,
    };
    thread::scope(|scope| {
        let outcome = roles(options)
            .map(|role| listen::spawn(scope, bus, role, &over))
            .collect::<Result<Vec<_>, _>>()
            .and_then(|subscribers| {
                let publisher = bus.publisher();
                let published = publish(
                    scope,
                    move || assignment.publish(publisher),
                    || {
                        bar.show(&progress);
                    },
                )?;
                Ok((published, subscribers))
            });
        // Whatever happened: everybody must come to an end, or the scope never does.
        over.store(true, Relaxed);
        let _ = bus.stop();
        bar.clear();
        let (published, subscribers) = outcome?;
        Ok((published, subscribers.into_iter().map(joined).collect()))
    })
}

/// The healthy subscribers, then the slow ones.
fn roles(options: &Options) -> impl Iterator<Item = Role> {
    let healthy = (1..=options.subscribers).map(|n| (format!("healthy-{n}"), false));
    let slow = (1..=options.slow).map(|n| (format!("slow-{n}"), true));
    healthy
        .chain(slow)
        .zip(1..)
        .map(|((name, slow), thread)| Role {
            name,
            core: options.core_for(thread),
            slow,
            // At a rate it will be lapped; without one, nobody ever is.
            stall_limit: (slow && options.rate == 0).then_some(listen::DAWDLE / 2),
        })
}

/// Runs the publisher on a thread of its own, and `meanwhile` now and then on this one.
fn publish<'scope>(
    scope: &'scope Scope<'scope, '_>,
    publisher: impl FnOnce() -> Result<Published, Failure> + Send + 'scope,
    meanwhile: impl Fn(),
) -> Result<Published, Failure> {
    let (done, outcome) = mpsc::channel();
    thread::Builder::new()
        .name("publisher".into())
        .spawn_scoped(scope, move || {
            let _ = done.send(publisher());
        })
        .map_err(Failure::input)?;
    loop {
        match outcome.recv_timeout(REDRAW) {
            Ok(published) => return published,
            Err(RecvTimeoutError::Timeout) => meanwhile(),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::check("the publisher panicked"));
            }
        }
    }
}

fn joined(subscriber: ScopedJoinHandle<'_, Heard>) -> Heard {
    subscriber
        .join()
        .unwrap_or_else(|panic| resume_unwind(panic))
}

/// To standard output; whoever closed it wants no more.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::input(error)),
        _ => Ok(()),
    }
}
