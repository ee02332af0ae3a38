//! How many events pass from one core to another in a second, and what a publisher pays for each in its cache.

mod candidates;
mod contest;
mod driver;
mod in_cache;
mod late;
mod ping_pong;
mod scenarios;
mod work;

use crate::error::Error;
use crate::place::Cores;
use crate::record::Scenario;
use crate::select::Only;
use crate::trial::{Trial, is_ours};

/// Measures what `only` asks for.
pub fn run(cores: Cores, quick: bool, only: &Only) -> Result<Vec<Scenario>, Error> {
    let mut contests = scenarios::all(cores);
    contests.extend(in_cache::all(cores));
    contests.push(late::contest(cores));
    contests.extend(ping_pong::all(cores));
    let mut all = Vec::new();
    for contest in contests {
        if only.wants(contest.group, &contest.name) {
            all.extend(contest.run(cores, quick)?);
        }
    }
    Ok(all)
}

/// Returns what of ringbus can be measured by itself. What one more subscriber costs is left out: it is a difference of
/// two costs, and may be less than nothing.
pub fn trials(cores: Cores) -> Vec<Trial> {
    let between_cores = scenarios::all(cores).into_iter();
    let mut all: Vec<Trial> = between_cores
        .chain(ping_pong::all(cores))
        .flat_map(|contest| contest.trials(is_ours))
        .collect();
    all.extend(in_cache::trials(cores));
    all.extend(late::trials(cores));
    all
}
