//! How many events pass from one core to another in a second, and what a publisher pays for each in its cache.

mod candidates;
mod contest;
mod driver;
mod in_cache;
mod scenarios;
mod work;

use crate::error::Error;
use crate::place::Cores;
use crate::record::Scenario;
use crate::select::Only;

/// Measures what `only` asks for.
pub fn run(cores: Cores, quick: bool, only: &Only) -> Result<Vec<Scenario>, Error> {
    let mut contests = scenarios::all(cores);
    contests.extend(in_cache::all(cores));
    contests
        .into_iter()
        .filter(|contest| only.wants(contest.group, &contest.name))
        .map(|contest| contest.run(cores, quick))
        .collect()
}
