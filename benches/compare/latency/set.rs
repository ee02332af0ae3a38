//! Candidates under one load, side by side: in every round each runs once, in an order that is shuffled anew.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::quantiles::{ALONE, Latencies, QUANTILES, Quantile};
use super::round::Outcome;
use crate::error::Error;
use crate::place::Cores;
use crate::record::{Bound, Scenario, Series, Target, Unit};
use crate::rounds::{self, Domain, Settled};
use crate::trial::{Listed, Sample, Trial};

/// Scenarios that come out of the same runs.
pub struct Set {
    pub group: &'static str,
    pub placement: String,
    /// Ours first.
    pub candidates: Vec<Candidate>,
    pub views: Vec<View>,
}

pub struct Candidate {
    name: &'static str,
    run: Box<dyn Fn() -> Result<Outcome, Error>>,
    may_lose: bool,
}

/// What of a run is looked at.
pub struct View {
    /// `one way, spinning, 100k/s`; the quantile comes after it.
    pub name: String,
    pub of: Of,
    /// By the name of the quantile.
    pub targets: Vec<(&'static str, Target)>,
}

#[derive(Clone, Copy, Debug)]
pub enum Of {
    OneWay,
    Calls,
}

impl Candidate {
    /// A loss ends the comparison.
    pub fn new(
        name: &'static str,
        run: impl Fn() -> Result<Outcome, Error> + 'static,
    ) -> Candidate {
        Candidate {
            name,
            run: Box::new(run),
            may_lose: false,
        }
    }

    /// Losses are counted.
    pub fn lossy(
        name: &'static str,
        run: impl Fn() -> Result<Outcome, Error> + 'static,
    ) -> Candidate {
        Candidate {
            may_lose: true,
            ..Candidate::new(name, run)
        }
    }

    fn run(&self) -> Result<Outcome, Error> {
        let outcome = (self.run)().map_err(|error| match error {
            Error::Failed(why) => Error::Failed(format!("{}: {why}", self.name)),
            misplaced => misplaced,
        })?;
        if outcome.lost > 0 && !self.may_lose {
            return Err(format!("{}: {} events were lost", self.name, outcome.lost).into());
        }
        Ok(outcome)
    }
}

impl View {
    pub fn new(name: String, of: Of) -> View {
        View {
            name,
            of,
            targets: Vec::new(),
        }
    }

    /// What is to be reached at one quantile.
    pub fn target(mut self, quantile: &'static str, against: &str, bound: Bound) -> View {
        let against = against.into();
        self.targets.push((quantile, Target { against, bound }));
        self
    }

    fn samples<'a>(&self, outcome: &'a Outcome) -> &'a [u64] {
        match self.of {
            Of::OneWay => &outcome.one_way,
            Of::Calls => &outcome.calls,
        }
    }
}

/// A cell of a candidate that runs by itself.
fn cell(group: &str, view: &View, quantile: Quantile, candidate: &str) -> String {
    format!("{group}: {}, {}: {candidate}", view.name, quantile.name)
}

/// The figures of a candidate that ran by itself.
fn sample(
    group: &str,
    views: &[View],
    candidate: &str,
    outcome: &Outcome,
) -> Result<Sample, Error> {
    let mut values = Vec::new();
    for view in views {
        let samples = view.samples(outcome);
        let latencies = Latencies::of(samples)?;
        let told = ALONE.iter().filter(|it| it.is_in(samples.len() as u64));
        values.extend(told.map(|quantile| {
            let cell = cell(group, view, *quantile, candidate);
            (cell, latencies.at(*quantile))
        }));
    }
    Ok(Sample {
        events: None,
        values,
        preemptions: outcome.preemptions,
    })
}

/// One candidate's rounds, as one view has them.
struct Track {
    /// In the order of [`QUANTILES`].
    rounds: Vec<[f64; QUANTILES.len()]>,
    merged: Latencies,
    /// Of its shortest round.
    samples: u64,
    lost: u64,
    preemptions: u64,
}

impl Track {
    fn new() -> Result<Track, Error> {
        Ok(Track {
            rounds: Vec::new(),
            merged: Latencies::new()?,
            samples: u64::MAX,
            lost: 0,
            preemptions: 0,
        })
    }

    fn add(&mut self, samples: &[u64], outcome: &Outcome) -> Result<(), Error> {
        let latencies = Latencies::of(samples)?;
        self.merged.merge(&latencies)?;
        self.rounds
            .push(QUANTILES.map(|quantile| latencies.at(quantile)));
        self.samples = self.samples.min(samples.len() as u64);
        self.lost += outcome.lost;
        self.preemptions += outcome.preemptions;
        Ok(())
    }

    /// The curve goes with the first quantile.
    fn series(&self, candidate: &str, quantile: usize) -> Series {
        Series {
            candidate: candidate.into(),
            samples: self.rounds.iter().map(|round| round[quantile]).collect(),
            lost: self.lost,
            preemptions: self.preemptions,
            curve: match quantile {
                0 => self.merged.curve(),
                _ => Vec::new(),
            },
        }
    }
}

impl Set {
    pub fn measure(self, cores: Cores, quick: bool) -> Result<Vec<Scenario>, Error> {
        let rounds = if quick { 5 } else { 21 };
        if let Some(view) = self.views.first() {
            eprintln!("{}: {} ...", self.group, view.name);
        }
        let mut scenarios = Vec::new();
        for (domain, settled) in self.rounds(cores, rounds)? {
            for (view, tracks) in self.views.iter().zip(&self.tracks(&settled)?) {
                let samples = tracks.iter().map(|track| track.samples).max();
                for (at, quantile) in QUANTILES.iter().enumerate() {
                    if quantile.is_in(samples.unwrap_or(0)) {
                        scenarios.push(self.scenario(view, tracks, at, (domain, settled.flag)));
                    }
                }
            }
        }
        Ok(scenarios)
    }

    /// Returns those candidates whose names `counts` accepts, each by itself.
    pub fn trials(self, counts: fn(&str) -> bool) -> Vec<Trial> {
        let (group, views) = (self.group, Rc::<[View]>::from(self.views));
        let candidates = self.candidates.into_iter();
        candidates
            .filter(|candidate| counts(candidate.name))
            .map(|candidate| {
                let views = Rc::clone(&views);
                let name = candidate.name;
                let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
                let cells = views
                    .iter()
                    .flat_map(|view| ALONE.map(|quantile| cell(group, view, quantile, name)));
                let listed = Listed {
                    key: format!("{group}: {}: {name}", names.join("; ")),
                    unit: Unit::Nanoseconds,
                    cells: cells.collect(),
                };
                Trial::new(listed, move |_| {
                    sample(group, &views, name, &candidate.run()?)
                })
            })
            .collect()
    }

    /// What each candidate came to in each round, in the order of the candidates.
    fn rounds(
        &self,
        cores: Cores,
        rounds: u32,
    ) -> Result<BTreeMap<Domain, Settled<Vec<Outcome>>>, Error> {
        // The same orders every time.
        let mut random = fastrand::Rng::with_seed(4);
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        for candidate in &self.candidates {
            candidate.run()?; // warms up the machine
        }
        rounds::run(cores, rounds, || {
            random.shuffle(&mut order);
            let mut outcomes = vec![Outcome::default(); order.len()];
            for &at in &order {
                outcomes[at] = self.candidates[at].run()?;
            }
            Ok(outcomes)
        })
    }

    /// For each view, each candidate's.
    fn tracks(&self, settled: &Settled<Vec<Outcome>>) -> Result<Vec<Vec<Track>>, Error> {
        let of_one = |view: &View, at: usize| {
            let mut track = Track::new()?;
            for outcomes in &settled.rounds {
                track.add(view.samples(&outcomes[at]), &outcomes[at])?;
            }
            Ok(track)
        };
        let of_all = |view| {
            (0..self.candidates.len())
                .map(|at| of_one(view, at))
                .collect()
        };
        self.views.iter().map(of_all).collect()
    }

    fn scenario(
        &self,
        view: &View,
        tracks: &[Track],
        quantile: usize,
        (domain, flag): (Domain, f64),
    ) -> Scenario {
        let Quantile { name, .. } = QUANTILES[quantile];
        let targets = view.targets.iter();
        Scenario {
            group: self.group.into(),
            name: format!("{}, {name}", view.name),
            unit: Unit::Nanoseconds,
            placement: self.placement.clone(),
            domain,
            flag,
            series: self
                .candidates
                .iter()
                .zip(tracks)
                .map(|(candidate, track)| track.series(candidate.name, quantile))
                .collect(),
            targets: targets
                .filter(|(at, _)| *at == name)
                .map(|(_, target)| target.clone())
                .collect(),
        }
    }
}
