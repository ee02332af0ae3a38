//! The runs of one trial, interleaved: in every round each program has its turn, in an order that is shuffled anew.

use std::collections::BTreeMap;
use std::fs;

use super::Options;
use super::judge::{Ratios, Rounds, Verdict};
use super::program::Program;
use crate::error::Error;
use crate::place::Cores;
use crate::rounds::{self, Domain, Settled};
use crate::trial::Listed;

/// What a cell came to, or why it came to nothing.
pub type Measured = Result<Ratios, Verdict>;

/// What a trial came to.
pub struct Trialled {
    /// A cell that a run is too short for is left out.
    pub cells: Vec<(String, Measured)>,
    /// That all rounds ran in that count.
    pub domain: Option<Domain>,
    /// What the raw flag took in them, one way, in nanoseconds.
    pub flag: f64,
}

pub struct Contest {
    pub rounds: u32,
    /// Whether both programs are the same to the byte.
    pub is_same: bool,
    pub runs: u64,
    /// How often threads lost their cores in these runs.
    pub preemptions: u64,
    cores: Cores,
    now: Program,
    before: Program,
    ours: Vec<Listed>,
    theirs: Vec<Listed>,
}

#[derive(Clone, Copy)]
enum Entrant {
    Now,
    Again,
    Before,
}

impl Contest {
    pub fn new(cores: Cores, options: &Options<'_>) -> Result<Contest, Error> {
        let own = std::env::current_exe()
            .map_err(|error| format!("the path of this program: {error}"))?;
        let now = Program::new(&own, options.quick);
        let before = Program::new(options.before, options.quick);
        let list = |program: &Program| {
            let listed = program.list();
            listed.map_err(|why| format!("a program that should list its cells does not: {why}"))
        };
        let is_same = match (fs::read(&own), fs::read(options.before)) {
            (Ok(now), Ok(before)) => now == before,
            _ => false,
        };
        Ok(Contest {
            // The median of fewer rounds is outside the range of as many others too often.
            rounds: if options.quick { 15 } else { 31 },
            is_same,
            runs: 0,
            preemptions: 0,
            cores,
            ours: list(&now)?,
            theirs: list(&before)?,
            now,
            before,
        })
    }

    pub fn trials(&self) -> Vec<Listed> {
        self.ours.clone()
    }

    /// Returns every cell of `trial` with what it came to, in the cache domain that most rounds ran
    /// in.
    pub fn measure(&mut self, trial: &Listed) -> Result<Trialled, Error> {
        let cells = trial.cells.iter();
        Ok(match self.rounds_of(trial)? {
            Ok((domain, settled)) => {
                let rounds = by_cell(settled.rounds);
                let measured =
                    cells.filter_map(|cell| Some((cell.clone(), measured(rounds.get(cell)?))));
                Trialled {
                    cells: measured.collect(),
                    domain: Some(domain),
                    flag: settled.flag,
                }
            }
            Err(none) => Trialled {
                cells: cells
                    .map(|cell| (cell.clone(), Err(none.clone())))
                    .collect(),
                domain: None,
                flag: 0.0,
            },
        })
    }

    /// The inner error says why there are no rounds.
    fn rounds_of(
        &mut self,
        trial: &Listed,
    ) -> Result<Result<(Domain, Settled<Round>), Verdict>, Error> {
        let events = match self.warm_up(trial) {
            Ok(events) => events,
            Err(none) => return Ok(Err(none)),
        };
        // The same orders every time.
        let mut random = fastrand::Rng::with_seed(4);
        let mut order = [Entrant::Now, Entrant::Again, Entrant::Before];
        let (cores, count) = (self.cores, self.rounds);
        let mut none = None;
        let by_domain = rounds::run(cores, count, || {
            random.shuffle(&mut order);
            let mut round = Round::new();
            for entrant in order {
                if none.is_some() {
                    break;
                }
                match self.run(entrant, trial, events) {
                    Ok(values) => round.push((entrant, values)),
                    Err(why) => none = Some(why),
                }
            }
            Ok(round)
        })?;
        if let Some(none) = none {
            return Ok(Err(none));
        }
        let most = by_domain
            .into_iter()
            .max_by_key(|(_, settled)| settled.rounds.len());
        Ok(match most {
            Some((domain, settled)) if settled.rounds.len() > count as usize / 2 => {
                Ok((domain, settled))
            }
            _ => Err(Verdict::NotComparable(
                "the cache domain changed too often".into(),
            )),
        })
    }

    /// Returns over how many events all programs are to run.
    fn warm_up(&mut self, trial: &Listed) -> Result<Option<u64>, Verdict> {
        if !self.theirs.iter().any(|theirs| theirs.key == trial.key) {
            return Err(Verdict::NotComparable(
                "that commit has no such cell".into(),
            ));
        }
        // As many events for all, and a first run of each that does not count.
        let warm_up = self.now.sample(&trial.key, None);
        let events = warm_up.map_err(Verdict::Failed)?.events;
        self.run(Entrant::Before, trial, events)?;
        Ok(events)
    }

    fn run(
        &mut self,
        entrant: Entrant,
        trial: &Listed,
        events: Option<u64>,
    ) -> Result<Vec<(String, f64)>, Verdict> {
        let sample = match entrant {
            Entrant::Now | Entrant::Again => self
                .now
                .sample(&trial.key, events)
                .map_err(Verdict::Failed)?,
            Entrant::Before => {
                let sample = self.before.sample(&trial.key, events);
                sample.map_err(|why| Verdict::NotComparable(format!("before: {why}")))?
            }
        };
        self.runs += 1;
        self.preemptions += sample.preemptions;
        Ok(sample.values)
    }
}

/// What the runs of one round gave, each by cell.
type Round = Vec<(Entrant, Vec<(String, f64)>)>;

fn by_cell(rounds: Vec<Round>) -> BTreeMap<String, Rounds> {
    let mut cells: BTreeMap<String, Rounds> = BTreeMap::new();
    for (entrant, values) in rounds.into_iter().flatten() {
        for (cell, value) in values {
            let rounds = cells.entry(cell).or_default();
            match entrant {
                Entrant::Now => rounds.now.push(value),
                Entrant::Again => rounds.again.push(value),
                Entrant::Before => rounds.before.push(value),
            }
        }
    }
    cells
}

fn measured(rounds: &Rounds) -> Measured {
    Ratios::of(rounds)
        .ok_or_else(|| Verdict::NotComparable("a figure is zero, or one program has none".into()))
}
