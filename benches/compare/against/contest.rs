//! The runs of one trial, interleaved: in every round each program has its turn, in an order that is shuffled anew.

use std::collections::BTreeMap;
use std::fs;

use super::Options;
use super::judge::{Ratios, Rounds, Verdict};
use super::program::Program;
use crate::error::Error;
use crate::trial::Listed;

/// What a cell came to, or why it came to nothing.
pub type Measured = Result<Ratios, Verdict>;

pub struct Contest {
    pub rounds: u32,
    /// Whether both programs are the same to the byte.
    pub is_same: bool,
    pub runs: u64,
    /// How often threads lost their cores in these runs.
    pub preemptions: u64,
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
    pub fn new(options: &Options<'_>) -> Result<Contest, Error> {
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
            ours: list(&now)?,
            theirs: list(&before)?,
            now,
            before,
        })
    }

    pub fn trials(&self) -> Vec<Listed> {
        self.ours.clone()
    }

    /// Returns every cell of `trial` with what it came to. A cell that a run is too short for is left out.
    pub fn measure(&mut self, trial: &Listed) -> Vec<(String, Measured)> {
        let cells = trial.cells.iter();
        match self.rounds_of(trial) {
            Ok(rounds) => cells
                .filter_map(|cell| Some((cell.clone(), measured(rounds.get(cell)?))))
                .collect(),
            Err(none) => cells
                .map(|cell| (cell.clone(), Err(none.clone())))
                .collect(),
        }
    }

    fn rounds_of(&mut self, trial: &Listed) -> Result<BTreeMap<String, Rounds>, Verdict> {
        if !self.theirs.iter().any(|theirs| theirs.key == trial.key) {
            return Err(Verdict::NotComparable(
                "that commit has no such cell".into(),
            ));
        }
        // As many events for all, and a first run of each that does not count.
        let warm_up = self.now.sample(&trial.key, None);
        let events = warm_up.map_err(Verdict::Failed)?.events;
        self.run(Entrant::Before, trial, events)?;
        let mut cells: BTreeMap<String, Rounds> = BTreeMap::new();
        // The same orders every time.
        let mut random = fastrand::Rng::with_seed(4);
        let mut order = [Entrant::Now, Entrant::Again, Entrant::Before];
        for _ in 0..self.rounds {
            random.shuffle(&mut order);
            for entrant in order {
                for (cell, value) in self.run(entrant, trial, events)? {
                    let rounds = cells.entry(cell).or_default();
                    match entrant {
                        Entrant::Now => rounds.now.push(value),
                        Entrant::Again => rounds.again.push(value),
                        Entrant::Before => rounds.before.push(value),
                    }
                }
            }
        }
        Ok(cells)
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

fn measured(rounds: &Rounds) -> Measured {
    Ratios::of(rounds)
        .ok_or_else(|| Verdict::NotComparable("a figure is zero, or one program has none".into()))
}
