//! Candidates side by side: in every round each runs once, in an order that is shuffled anew.

use std::collections::BTreeMap;
use std::time::Duration;

use ringbus_benches::payload::Payload;

use super::driver::{self, Outcome, Plan};
use super::work::{Candidate, Work};
use crate::error::Error;
use crate::place::Cores;
use crate::record::{Bound, Scenario, Series, Target, Unit};
use crate::rounds::{self, Domain, Settled};
use crate::trial::{Listed, Sample, Trial};

/// What a run should take: long against its start and its end, short against the machine's moods.
const RUN: Duration = Duration::from_millis(15);
const EVENTS: std::ops::RangeInclusive<u64> = 10_000..=20_000_000;

/// A scenario before it is measured.
pub struct Contest {
    pub group: &'static str,
    pub name: String,
    pub unit: Unit,
    pub placement: String,
    /// Ours first.
    pub entrants: Vec<Entrant>,
    pub targets: Vec<Target>,
}

/// Runs a candidate once, over so many events.
type Run = Box<dyn Fn(u64) -> Result<Outcome, Error>>;

pub struct Entrant {
    name: String,
    run: Run,
}

impl Entrant {
    pub fn new(
        name: impl Into<String>,
        run: impl Fn(u64) -> Result<Outcome, Error> + 'static,
    ) -> Entrant {
        Entrant {
            name: name.into(),
            run: Box::new(run),
        }
    }

    /// One that the driver can run.
    pub fn of<P: Payload>(name: &str, candidate: impl Candidate<P>, work: Work) -> Entrant {
        Entrant::new(name, move |events| {
            driver::run(&candidate, Plan::new(&work, events))
        })
    }

    /// How many events take about as long as a run should. It warms up the machine, too.
    fn calibrate(&self) -> Result<u64, Error> {
        let mut events = *EVENTS.start();
        for _ in 0..4 {
            let spent = (self.run)(events)?.spent.max(Duration::from_micros(1));
            let scale = RUN.as_secs_f64() / spent.as_secs_f64();
            let wanted = (events as f64 * scale.min(30.0)) as u64;
            events = wanted.clamp(*EVENTS.start(), *EVENTS.end());
            if (0.7..1.5).contains(&scale) {
                break;
            }
        }
        Ok(events)
    }

    /// Runs once in a process of its own, which a short run warms up.
    fn run_alone(&self, cell: &str, events: Option<u64>) -> Result<Sample, Error> {
        let events = match events {
            Some(events) => {
                (self.run)(*EVENTS.start())?;
                events
            }
            None => self.calibrate()?,
        };
        let outcome = (self.run)(events)?;
        Ok(Sample {
            events: Some(events),
            values: vec![(cell.into(), outcome.value)],
            preemptions: outcome.preemptions,
        })
    }
}

impl Contest {
    pub fn target(mut self, against: &[&str], bound: Bound) -> Contest {
        self.targets.extend(against.iter().map(|against| Target {
            against: (*against).into(),
            bound,
        }));
        self
    }

    /// A scenario for each cache domain that rounds ran in.
    pub fn run(self, cores: Cores, quick: bool) -> Result<Vec<Scenario>, Error> {
        let rounds = if quick { 5 } else { 31 };
        eprintln!("{}: {} ...", self.group, self.name);
        let by_domain = self.measure(cores, rounds).map_err(|error| match error {
            Error::Failed(why) => Error::Failed(format!("{}: {}: {why}", self.group, self.name)),
            misplaced => misplaced,
        })?;
        let scenarios = by_domain.into_iter().map(|(domain, settled)| Scenario {
            group: self.group.into(),
            name: self.name.clone(),
            unit: self.unit,
            placement: self.placement.clone(),
            domain,
            flag: settled.flag,
            series: self.series(&settled.rounds),
            targets: self.targets.clone(),
        });
        Ok(scenarios.collect())
    }

    /// Returns those entrants whose names `counts` accepts, each by itself.
    pub fn trials(self, counts: fn(&str) -> bool) -> Vec<Trial> {
        let Contest {
            group, name, unit, ..
        } = self;
        let entrants = self.entrants.into_iter();
        entrants
            .filter(|entrant| counts(&entrant.name))
            .map(|entrant| {
                let cell = format!("{group}: {name}: {}", entrant.name);
                let listed = Listed {
                    key: cell.clone(),
                    unit,
                    cells: vec![cell.clone()],
                };
                Trial::new(listed, move |events| entrant.run_alone(&cell, events))
            })
            .collect()
    }

    /// What each entrant came to in each round, in the order of the entrants.
    fn measure(
        &self,
        cores: Cores,
        rounds: u32,
    ) -> Result<BTreeMap<Domain, Settled<Vec<Outcome>>>, Error> {
        // The same orders every time.
        let mut random = fastrand::Rng::with_seed(4);
        let mut runners = Vec::new();
        for entrant in &self.entrants {
            let events = entrant.calibrate().map_err(|error| named(entrant, error))?;
            runners.push((entrant, events));
        }
        let mut order: Vec<usize> = (0..runners.len()).collect();
        rounds::run(cores, rounds, || {
            random.shuffle(&mut order);
            let mut outcomes = vec![Outcome::default(); runners.len()];
            for &at in &order {
                let (entrant, events) = runners[at];
                outcomes[at] = (entrant.run)(events).map_err(|error| named(entrant, error))?;
            }
            Ok(outcomes)
        })
    }

    fn series(&self, rounds: &[Vec<Outcome>]) -> Vec<Series> {
        let entrants = self.entrants.iter().enumerate();
        let series = entrants.map(|(at, entrant)| {
            let outcomes = || rounds.iter().map(|outcomes| &outcomes[at]);
            Series {
                candidate: entrant.name.clone(),
                samples: outcomes().map(|outcome| outcome.value).collect(),
                lost: outcomes().map(|outcome| outcome.lost).sum(),
                preemptions: outcomes().map(|outcome| outcome.preemptions).sum(),
                curve: Vec::new(),
            }
        });
        series.collect()
    }
}

fn named(entrant: &Entrant, error: Error) -> Error {
    match error {
        Error::Failed(why) => Error::Failed(format!("{}: {why}", entrant.name)),
        misplaced => misplaced,
    }
}
