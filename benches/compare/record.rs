//! Raw results, as they are kept beside the report.

use serde::{Deserialize, Serialize};

use crate::rounds::Domain;

/// One build of the comparison, run once on one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// What the compiler was to make code for: `default` or `native`.
    pub target: String,
    /// The shorter form: fewer rounds.
    pub quick: bool,
    pub machine: crate::machine::Machine,
    pub scenarios: Vec<Scenario>,
}

/// Candidates that did the same work, interleaved, round by round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// Scenarios of one group share a table: `throughput, exclusive`, `latency`, `trouble`, ...
    pub group: String,
    /// Within its group: `8 B, one by one, ring 1024`.
    pub name: String,
    pub unit: Unit,
    /// Which thread had which core.
    pub placement: String,
    /// That all rounds ran in.
    pub domain: Domain,
    /// What the raw flag ping-pong took in these rounds, one way, in nanoseconds: the median.
    pub flag: f64,
    /// Ours first; every other is compared with it.
    pub series: Vec<Series>,
    /// What is to be reached.
    pub targets: Vec<Target>,
}

/// What the samples count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// More is better.
    EventsPerSecond,
    /// Less is better.
    Nanoseconds,
}

/// One candidate's samples, one a round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    pub candidate: String,
    pub samples: Vec<f64>,
    /// Events that were accepted and not delivered, over all rounds.
    pub lost: u64,
    /// Times that one of its threads lost its core while it was measured, over all rounds.
    pub preemptions: u64,
    /// For latencies: the merged histogram, as pairs of a quantile and nanoseconds.
    pub curve: Vec<(f64, f64)>,
}

/// A ratio, ours to another's, that is to be reached: where both cores lie in one cache domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The candidate that ours is compared with.
    pub against: String,
    pub bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}
