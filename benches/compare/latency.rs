//! How long an event takes from one core to another at a fixed rate, and how long a publisher's call takes.
//!
//! Each event carries the time at which it *should* have been sent. A publisher that is held up sends late, and the time
//! until then counts: no wait is left out because nothing could be sent during it.
//!
//! The raw flag and other candidates that may lose events have no latency for those that they lost, so that their tails look
//! better than they are where their receiver was held up: see how many were lost. A call takes whole steps of the
//! processor's counter, 10 ns on some, and one look at the clock more than it would alone: see the clock alone.

mod candidates;
pub mod clock;
pub mod ear;
pub mod pace;
pub mod plan;
mod quantiles;
pub mod round;
mod scenarios;
pub mod set;

use crate::error::Error;
use crate::place::Cores;
use crate::record::Scenario;
use crate::trial::{Trial, is_ours};

pub use candidates::ringbus;

pub fn run(cores: Cores, quick: bool) -> Result<Vec<Scenario>, Error> {
    let mut all = Vec::new();
    for set in scenarios::all(cores, quick) {
        all.extend(set.measure(cores, quick)?);
    }
    Ok(all)
}

/// Returns what of ringbus can be measured by itself.
pub fn trials(cores: Cores, quick: bool) -> Vec<Trial> {
    let sets = scenarios::all(cores, quick).into_iter();
    sets.flat_map(|set| set.trials(is_ours)).collect()
}
