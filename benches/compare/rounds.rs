//! Rounds, each with the cache domain that it ran in: figures of two domains never come into one
//! ratio.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ping;
use crate::place::Cores;
use crate::stats::median;

/// How the two cores lie to each other while something is measured, as a flag between them tells.
/// The cores of a virtual machine may move meanwhile, whatever the system says of its caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Domain {
    /// Two threads of one core.
    SameCore,
    /// Two cores with a last-level cache in common.
    Shared,
    Separate,
}

/// In nanoseconds. A flag that stays in one core's cache took up to 12 one way where it was seen,
/// one that goes by way of a common cache 24 to 80, and one to another cache 180 and more: the
/// bounds lie far from each.
const BETWEEN_CORES: f64 = 17.0;
const BETWEEN_DOMAINS: f64 = 125.0;

impl Domain {
    fn of(one_way: f64) -> Domain {
        match () {
            () if one_way < BETWEEN_CORES => Domain::SameCore,
            () if one_way < BETWEEN_DOMAINS => Domain::Shared,
            () => Domain::Separate,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Domain::SameCore => "one core",
            Domain::Shared => "one domain",
            Domain::Separate => "two domains",
        })
    }
}

/// The rounds of one domain.
#[derive(Debug)]
pub struct Settled<R> {
    /// What the flag took, one way, in nanoseconds: the median over the rounds.
    pub flag: f64,
    /// In the order in which they ran.
    pub rounds: Vec<R>,
}

/// Runs `round` so many times, and returns what came of it by the domain that it ran in. A round in
/// which the domain changed is in none.
pub fn run<R>(
    cores: Cores,
    count: u32,
    mut round: impl FnMut() -> Result<R, Error>,
) -> Result<BTreeMap<Domain, Settled<R>>, Error> {
    let mut flags = vec![ping::one_way(cores)?];
    let mut rounds = Vec::new();
    for _ in 0..count {
        rounds.push(round()?);
        flags.push(ping::one_way(cores)?);
    }
    let by_domain = settle(&flags, rounds);
    let counted: usize = by_domain.values().map(|settled| settled.rounds.len()).sum();
    if counted < count as usize {
        let changed = count as usize - counted;
        eprintln!("  the cache domain changed in {changed} of {count} rounds: they do not count");
    }
    Ok(by_domain)
}

/// Sorts rounds by domain, from what the flag took before the first and after each.
fn settle<R>(flags: &[f64], rounds: Vec<R>) -> BTreeMap<Domain, Settled<R>> {
    let mut sorted: BTreeMap<Domain, (Vec<f64>, Vec<R>)> = BTreeMap::new();
    for (flags, round) in flags.windows(2).zip(rounds) {
        let domain = Domain::of(flags[0]);
        if domain == Domain::of(flags[1]) {
            let (all_flags, rounds) = sorted.entry(domain).or_default();
            all_flags.extend(flags);
            rounds.push(round);
        }
    }
    let settled = sorted.into_iter().map(|(domain, (flags, rounds))| {
        let flag = median(&flags);
        (domain, Settled { flag, rounds })
    });
    settled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_sorted_by_domain_and_those_of_a_change_are_left_out() {
        let flags = [30.0, 40.0, 200.0, 250.0, 8.0, 9.0, 50.0];
        let by_domain = settle(&flags, vec!['a', 'b', 'c', 'd', 'e', 'f']);
        let rounds = |domain| by_domain.get(&domain).map(|settled| &*settled.rounds);
        assert_eq!(rounds(Domain::Shared), Some(&['a'][..]));
        assert_eq!(rounds(Domain::Separate), Some(&['c'][..]));
        assert_eq!(rounds(Domain::SameCore), Some(&['e'][..]));
        assert_eq!(by_domain[&Domain::Shared].flag, 35.0);
    }
}
