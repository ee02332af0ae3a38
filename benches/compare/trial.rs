//! What of ringbus can be measured by itself: one candidate, one run, one process.
//!
//! `compare against` starts such processes of two programs in turn. What they write and read is what two programs of
//! different days have in common, so it stays as it is, or only grows.

use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::place::Cores;
use crate::record::Unit;
use crate::{latency, throughput, trouble};

/// A run that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// One of ringbus's candidates at one work.
pub struct Trial {
    pub listed: Listed,
    run: Run,
}

/// Runs over so many events, or over as many as it takes for a run of a good length.
type Run = Box<dyn Fn(Option<u64>) -> Result<Sample, Error>>;

/// What another program has to know of a trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listed {
    pub key: String,
    pub unit: Unit,
    /// What a run gives one figure for, each.
    pub cells: Vec<String>,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// None if the number is fixed.
    pub events: Option<u64>,
    /// By cell.
    pub values: Vec<(String, f64)>,
    /// How often a thread of the run lost its core.
    pub preemptions: u64,
}

impl Trial {
    pub fn new(
        listed: Listed,
        run: impl Fn(Option<u64>) -> Result<Sample, Error> + 'static,
    ) -> Trial {
        Trial {
            listed,
            run: Box::new(run),
        }
    }
}

/// Prints which trials there are, as JSON.
pub fn print_all(cores: Cores) -> Result<(), Error> {
    let all: Vec<Listed> = all(cores, true).into_iter().map(|it| it.listed).collect();
    print(&all)
}

/// Runs the trial `key` once and prints what it came to, as JSON.
pub fn print_sample(
    cores: Cores,
    key: &str,
    events: Option<u64>,
    quick: bool,
) -> Result<(), Error> {
    let trial = all(cores, quick)
        .into_iter()
        .find(|trial| trial.listed.key == key)
        .ok_or_else(|| format!("there is no trial `{key}`: `compare cells` lists them"))?;
    end_if_it_hangs();
    print(&(trial.run)(events)?)
}

/// Returns every trial, in the order of the report.
pub fn all(cores: Cores, quick: bool) -> Vec<Trial> {
    let mut all = throughput::trials(cores);
    all.extend(latency::trials(cores, quick));
    all.extend(trouble::trials(cores, quick));
    all
}

/// Whether a candidate is ringbus's, where its peers are beside it.
pub fn is_ours(candidate: &str) -> bool {
    candidate.starts_with("ringbus") && is_first(candidate)
}

/// Whether a candidate is not there for the noise alone: a comparison with itself has its own second.
pub fn is_first(candidate: &str) -> bool {
    !candidate.ends_with("(again)")
}

fn print(what: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(what).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(())
}

/// Starts a thread that sleeps while the trial runs. A core that loses a wake-up would keep this process for ever.
fn end_if_it_hangs() {
    thread::spawn(|| {
        thread::sleep(DEADLINE);
        eprintln!("compare: the run took more than {DEADLINE:?}");
        std::process::exit(1)
    });
}
