//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use crate::failure::Failure;

/// Reads every line of real text at a steady rate and works on each.
#[derive(Debug, Parser)]
#[command(name = "fanout")]
pub struct Options {
    /// Files, directories (all text files below them), or - for standard input;
    /// without any, this project's own sources, over and over
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Lines a second; 0: as fast as it goes
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub rate: u64,

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
