//! Prints the events of an event daemon as they happen: for eyes on a terminal, as lines of JSON otherwise.
//!
//! `cargo run --package ringbus-host --example monitor -- --help` lists the options.
//!
//! Exit codes: 0 after SIGINT, SIGTERM or when nobody reads the output any more, 1 if the server refused the filter or
//! the output cannot be written, 2 for bad arguments.
#![allow(clippy::disallowed_types)] // an example is a host: the facade is the library's

mod backoff;
mod connection;
mod filter;
mod options;
mod print;

use std::io::{self, Write};
use std::process::{ExitCode, exit};
use std::thread;
use std::time::Instant;

use clap::Parser;
use jiff::Timestamp;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use backoff::Backoff;
use connection::{Connection, Failure};
use options::Options;
use print::{Printer, clean};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(error) = end_on_signals() {
        tell(&format!("no signals: {error}"));
        return ExitCode::FAILURE;
    }
    match Monitor::new(options).run() {
        Ending::Quiet => ExitCode::SUCCESS,
        Ending::Failed(why) => {
            tell(&why);
            ExitCode::FAILURE
        }
    }
}

/// Nothing needs to be tidied up, and each line of output is written whole.
fn end_on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            signals.forever().next();
            exit(0)
        })?;
    Ok(())
}

enum Ending {
    Quiet,
    Failed(String),
}

struct Monitor {
    options: Options,
    printer: Printer,
    backoff: Backoff,
    /// The last moment until which nothing was missed; none before the first subscription.
    complete_until: Option<Timestamp>,
    /// What was told last, so that each failure to connect is told once.
    told: Option<String>,
}

impl Monitor {
    fn new(options: Options) -> Self {
        Monitor {
            printer: Printer::new(options.json),
            options,
            backoff: Backoff::new(),
            complete_until: None,
            told: None,
        }
    }

    fn run(mut self) -> Ending {
        loop {
            let failure = match self.subscribe() {
                Ok(connection) => match self.follow(connection) {
                    Ok(failure) => failure,
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return Ending::Quiet;
                    }
                    Err(error) => return Ending::Failed(format!("standard output: {error}")),
                },
                // A filter that was good once is not to blame later.
                Err(Failure::Refused(message)) if self.complete_until.is_none() => {
                    return Ending::Failed(format!("the server refused the filter: {message}"));
                }
                Err(failure) => failure,
            };
            self.tell_once(format!("{failure}; trying again"));
            thread::sleep(self.backoff.next_delay());
        }
    }

    fn subscribe(&mut self) -> Result<Connection, Failure> {
        let connection =
            Connection::open(&self.options.socket)?.subscribe(self.options.filter())?;
        let now = Timestamp::now();
        if let Some(since) = self.complete_until.replace(now) {
            tell(&format!(
                "subscribed again: events between {since:.3} and {now:.3} may have been missed"
            ));
        }
        self.told = None;
        Ok(connection)
    }

    /// Prints events until there are no more to be had.
    ///
    /// # Errors
    /// The output's.
    fn follow(&mut self, mut connection: Connection) -> io::Result<Failure> {
        let start = Instant::now();
        loop {
            match connection.next_event() {
                Ok(event) => {
                    let now = Timestamp::now();
                    self.complete_until = Some(now);
                    self.printer.event(&event, now)?;
                }
                Err(failure) => {
                    self.backoff.lasted(start.elapsed());
                    return Ok(failure);
                }
            }
        }
    }

    fn tell_once(&mut self, what: String) {
        if self.told.as_ref() != Some(&what) {
            tell(&what);
            self.told = Some(what);
        }
    }
}

/// To standard error, if anybody reads that.
fn tell(what: &str) {
    let _ = writeln!(io::stderr(), "monitor: {}", clean(what));
}
