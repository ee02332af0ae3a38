//! ringbus beside itself as it was: the present program twice and another program once in every round.

mod contest;
mod judge;
mod program;
mod table;

use std::path::Path;

use crate::error::Error;
use crate::place::Cores;
use crate::record::Unit;
use crate::rounds::Domain;
use crate::select::Only;
use crate::trial::Listed;
use contest::{Contest, Measured};
use judge::{Verdict, summary, verdict};

/// What is measured against what.
pub struct Options<'a> {
    /// The program with the core of another day.
    pub before: &'a Path,
    /// As the table names that day.
    pub commit: &'a str,
    pub quick: bool,
    pub only: &'a Only,
}

/// One line of the table.
struct Row {
    /// The key of the trial that it comes out of.
    trial: String,
    cell: String,
    unit: Unit,
    first: Measured,
    /// If the first was outside.
    alone: Option<Measured>,
    /// What the raw flag took in the first rounds, one way, in nanoseconds.
    flag: f64,
    domain: Option<Domain>,
}

/// Measures what `options` select and prints what came of it. Fails if the present program failed in a cell.
pub fn run(cores: Cores, options: &Options<'_>) -> Result<(), Error> {
    let mut contest = Contest::new(cores, options)?;
    let is_wanted = |cell: &str| options.only.wants_text(cell);
    let mut trials = contest.trials();
    trials.retain(|trial| trial.cells.iter().any(|cell| is_wanted(cell)));
    let mut rows = Vec::new();
    for trial in &trials {
        eprintln!("{} ...", trial.key);
        let new = measure(&mut contest, trial)?.into_iter();
        rows.extend(new.filter(|row| is_wanted(&row.cell)));
    }
    if rows.is_empty() {
        return Err("no cell has such a name: `compare cells` lists them".into());
    }
    for trial in &trials {
        measure_again(&mut contest, trial, &mut rows)?;
    }
    table::print(cores, &contest, options, &rows);
    let verdicts: Vec<Verdict> = rows.iter().map(Row::verdict).collect();
    println!("{}", summary(verdicts.iter()));
    let failed = |verdict: &&Verdict| matches!(verdict, Verdict::Failed(_));
    match verdicts.iter().filter(failed).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} cells failed to run: the table says why").into()),
    }
}

fn measure(contest: &mut Contest, trial: &Listed) -> Result<Vec<Row>, Error> {
    let measured = contest.measure(trial)?;
    let rows = measured.cells.into_iter().map(|(cell, first)| Row {
        trial: trial.key.clone(),
        cell,
        unit: trial.unit,
        first,
        alone: None,
        flag: measured.flag,
        domain: measured.domain,
    });
    Ok(rows.collect())
}

/// Runs a trial again if one of its cells was outside.
fn measure_again(contest: &mut Contest, trial: &Listed, rows: &mut [Row]) -> Result<(), Error> {
    let mut outside: Vec<&mut Row> = rows
        .iter_mut()
        .filter(|row| row.trial == trial.key && row.is_outside())
        .collect();
    if outside.is_empty() {
        return Ok(());
    }
    eprintln!("{}, again ...", trial.key);
    let again = contest.measure(trial)?;
    for (cell, alone) in again.cells {
        if let Some(row) = outside.iter_mut().find(|row| row.cell == cell) {
            row.alone = Some(if again.domain == row.domain {
                alone
            } else {
                Err(Verdict::NotComparable(
                    "the cache domain was another when it ran again".into(),
                ))
            });
        }
    }
    Ok(())
}

impl Row {
    fn is_outside(&self) -> bool {
        matches!(&self.first, Ok(ratios) if ratios.place().is_outside())
    }

    fn verdict(&self) -> Verdict {
        match (&self.first, &self.alone) {
            (Err(none), _) | (Ok(_), Some(Err(none))) => none.clone(),
            (Ok(first), Some(Ok(alone))) => verdict(first.place(), Some(alone.place()), self.unit),
            (Ok(first), None) => verdict(first.place(), None, self.unit),
        }
    }
}
