//! How many events a run sends, how fast, and what each of them is.

use std::time::Duration;

use ringbus_benches::payload::Event48;

use super::clock::Clock;
use crate::place::Cores;

/// Of every ring that is measured.
pub const CAPACITY: usize = 1024;

/// Two laps, so that every slot has been written and read before it counts.
const WARM: u64 = 2 * CAPACITY as u64;
/// Between two events of the warm-up, in nanoseconds.
pub const WARM_INTERVAL: u64 = 1_000;

/// The number of events that are not the measured publisher's.
pub const FOREIGN: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub cores: Cores,
    pub clock: Clock,
    /// Events before those that count.
    pub warm: u64,
    /// Events that count.
    pub events: u64,
    /// Between two of them, in nanoseconds.
    pub interval: u64,
}

impl Plan {
    /// `rate` events a second for as long as a round lasts.
    pub fn new(cores: Cores, rate: u64, quick: bool) -> Plan {
        let round = Duration::from_millis(if quick { 20 } else { 50 });
        Plan {
            cores,
            clock: Clock::new(),
            warm: WARM,
            events: (rate as f64 * round.as_secs_f64()) as u64,
            interval: 1_000_000_000 / rate,
        }
    }

    /// The number after the last.
    pub fn end(&self) -> u64 {
        self.warm + self.events
    }
}

/// The event with this number, which should be sent at `intended`.
#[inline(always)]
pub fn event(number: u64, intended: u64) -> Event48 {
    Event48([number, intended, number, number, number, number])
}

/// As tables name it.
pub fn rate_name(rate: u64) -> String {
    match rate {
        rate if rate >= 1_000_000 => format!("{}M/s", rate / 1_000_000),
        rate => format!("{}k/s", rate / 1_000),
    }
}
