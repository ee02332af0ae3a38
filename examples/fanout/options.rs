//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;

use crate::failure::Failure;

/// Reports every line of real text on a bus, to subscribers that work on each and to some that dawdle.
#[derive(Debug, Parser)]
#[command(name = "fanout")]
pub struct Options {
    /// Files, directories (all text files below them), or - for standard input;
    /// without any, this project's own sources, over and over
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Lines a second; 0: as fast as the healthy subscribers read
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub rate: u64,

    /// Slots in the ring, rounded up to a power of two and to 64: more than the rate
    /// times the longest time that a healthy subscriber may be kept from its core
    #[arg(long, value_name = "N", default_value_t = 65_536)]
    pub capacity: usize,

    /// Healthy subscribers, which do the work on each line
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_most_1024())]
    pub subscribers: usize,

    /// Slow subscribers, which dawdle over each line and get dropped
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_most_1024())]
    pub slow: usize,

    /// Cores to pin to, such as 0,1: the publisher first, then the subscribers in turn
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cores: Vec<usize>,

    /// End after so many seconds, 0: never; by default 3 for the project's own
    /// sources, and the end of the input otherwise
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<f64>,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    Run(Options),
    /// Print this and be done.
    Help(String),
}

/// How long the project's own sources are replayed.
const REPLAY_SECONDS: f64 = 3.0;

impl Options {
    pub fn from_arguments() -> Result<Request, Failure> {
        match Self::try_parse() {
            Ok(options) => Ok(Request::Run(options)),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Request::Help(error.to_string()))
            }
            Err(error) => Err(Failure::input(one_line(&error.to_string()))),
        }
    }

    /// How long the run may take; `None` for as long as there is input.
    pub fn limit(&self) -> Option<Duration> {
        let by_default = self.files.is_empty().then_some(REPLAY_SECONDS);
        self.seconds
            .or(by_default)
            .filter(|&seconds| seconds > 0.0)
            .map(Duration::from_secs_f64)
    }

    /// The core of the publisher (0) or of the nth subscriber (from 1), if cores were given.
    pub fn core_for(&self, thread: usize) -> Option<usize> {
        let turn = thread.checked_rem(self.cores.len())?;
        Some(self.cores[turn])
    }
}

/// A thread each: a slip of the finger must not ask for a million.
fn at_most_1024() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=1024)
}

fn seconds(text: &str) -> Result<f64, String> {
    const LONGEST: f64 = 1e9;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(seconds),
        Ok(_) => Err(format!("not between 0 and {LONGEST}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The first paragraph of clap's complaint, on one line.
fn one_line(complaint: &str) -> String {
    let paragraph: Vec<&str> = complaint
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    let paragraph = paragraph.join(" ");
    let what = paragraph.strip_prefix("error: ").unwrap_or(&paragraph);
    format!("{what} (--help lists the options)")
}
