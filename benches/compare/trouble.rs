//! What others who are slow, or come and go, or freeze, do to a publisher and to a subscriber that is healthy.
//!
//! A publisher that freezes inside its claim takes a hook in the publish path, which slows every publish. It is measured
//! with nothing else, against its own baseline, in a build that has the hook:
//!
//! ```text
//! cargo run --release -p ringbus-benches --features frozen --bin compare -- \
//!     measure --only trouble --target-name default --out frozen.json
//! ```

#[cfg(feature = "frozen")]
mod frozen;
mod run;
#[cfg_attr(feature = "frozen", allow(dead_code))] // the hook would be in these figures
mod visitors;

use crate::error::Error;
use crate::latency::set::Set;
use crate::place::Cores;
use crate::record::Scenario;
use crate::trial::{Trial, is_first};

pub fn run(cores: Cores, quick: bool) -> Result<Vec<Scenario>, Error> {
    let mut all = Vec::new();
    for set in sets(cores, quick) {
        all.extend(set.measure(cores, quick)?);
    }
    Ok(all)
}

/// Returns what can be measured by itself: every candidate here is ringbus.
pub fn trials(cores: Cores, quick: bool) -> Vec<Trial> {
    let sets = sets(cores, quick).into_iter();
    sets.flat_map(|set| set.trials(is_first)).collect()
}

fn sets(cores: Cores, quick: bool) -> Vec<Set> {
    #[cfg(feature = "frozen")]
    let sets = vec![frozen::set(cores, quick)];
    #[cfg(not(feature = "frozen"))]
    let sets = visitors::sets(cores, quick);
    sets
}
