//! The command line.

use std::path::PathBuf;

use clap::Parser;
use serde_json::{Map, Value};

use crate::filter::{self, Match};

/// Prints the events of an event daemon as they happen.
#[derive(Debug, Parser)]
#[command(name = "monitor")]
pub struct Options {
    /// The daemon's socket
    #[arg(long, value_name = "PATH")]
    pub socket: PathBuf,

    /// Only events of this type; of one of them, if given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,

    /// Only events whose field has this value, which is JSON if it can be, and text otherwise;
    /// one of them, if given several times for a field
    #[arg(long = "match", value_name = "FIELD=VALUE")]
    pub matches: Vec<Match>,

    /// Print lines of JSON on a terminal too
    #[arg(long)]
    pub json: bool,
}

impl Options {
    pub fn filter(&self) -> Map<String, Value> {
        filter::compose(&self.types, &self.matches)
    }
}
