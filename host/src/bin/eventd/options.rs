//! The command line.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Tells clients of a Unix socket what happens on this machine, and what they tell each other.
#[derive(Debug, Parser)]
#[command(name = "eventd", version)]
pub(crate) struct Options {
    /// Where the socket is made, with mode 0600; a file with `.lock` behind its name is beside it.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,

    /// How many rings events are spread over. Default: one for each 32 cores, at least 2.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,

    /// How many events a ring keeps, at least 1; rounded up to a power of two and to 64.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    pub(crate) capacity: usize,

    /// Lets in one user more, beside root and the own one; the socket's mode is to be changed by hand.
    #[arg(long, value_name = "UID")]
    pub(crate) allow_uid: Vec<u32>,

    /// How many clients may be connected.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) max_clients: usize,

    /// Disconnects a client that takes nothing for so long.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub(crate) write_deadline: Duration,

    /// How long clients may take for the last events when it ends.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub(crate) drain_deadline: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "x", "-1", "NaN", "inf", "1e300"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let options = Options::try_parse_from(["eventd", "--socket", "s"]).unwrap();
        assert_eq!(options.socket, PathBuf::from("s"));
        assert_eq!((options.workers, options.capacity), (None, 8192));
        assert_eq!((options.allow_uid.len(), options.max_clients), (0, 256));
        let five = Duration::from_secs(5);
        assert_eq!(
            (options.write_deadline, options.drain_deadline),
            (five, five)
        );
        assert!(Options::try_parse_from(["eventd"]).is_err());
    }
}
