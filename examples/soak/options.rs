//! The command line.

use std::time::Duration;

use clap::Parser;

/// Drives a bus through every kind of trouble for as long as it is told, and keeps books: exactly once, in order, no
/// value lost or dropped twice, no memory that grows.
///
/// Exit codes: 0 if there was no violation, 1 if there was, 2 for bad arguments.
#[derive(Debug, Parser)]
#[command(name = "soak")]
pub struct Options {
    /// How long, 0.1 for six seconds
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = minutes)]
    pub minutes: f64,

    /// Where all choices come from; by default another one each time
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value_t = fastrand::u64(..1_000_000_000), hide_default_value = true)]
    pub seed: u64,

    /// Only this epoch of the seed, over and over
    #[arg(long, value_name = "K", requires = "seed")]
    pub epoch: Option<u64>,
}

impl Options {
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    const MOST: f64 = 1e6; // two years
    match text.parse::<f64>() {
        Ok(minutes) if minutes > 0.0 && minutes <= MOST => Ok(minutes),
        Ok(_) => Err(format!("must be more than 0 and at most {MOST}")),
        Err(_) => Err("not a number".into()),
    }
}
