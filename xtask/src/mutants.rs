//! Mutants of the core: `cargo xtask mutants`.
//!
//! One ordering a step weaker, or one rule of a protocol out, at a time, in a copy of the project;
//! then the models and the tests, which are to fail. Each mutant names the model or the test that
//! is expected to, and that runs first.

mod kept;
mod lane;
mod mutant;
mod orderings;
mod rules;
mod source;
mod table;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::bail;
use xshell::Shell;

use crate::Result;
use kept::Kept;
use lane::Lane;
use mutant::Mutant;
use table::Outcome;

/// What `cargo xtask mutants` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Only mutants whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// At most so many, evenly spread over all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    sample: Option<u16>,
    /// How many at the same time, each in a copy of its own [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Only against what each names
    #[arg(long)]
    quick: bool,
    /// Go on with a round of this commit that was not finished: mutants with an outcome are not run
    /// again
    #[arg(long, conflicts_with = "quick")]
    resume: bool,
    /// Only say which there are
    #[arg(long)]
    list: bool,
}

/// Every mutant there is. Fails where the page of orderings or a rule no longer fits the sources.
pub fn all() -> Result<Vec<Mutant>> {
    let mut mutants = rules::mutants()?;
    mutants.extend(orderings::mutants()?);
    Ok(mutants)
}

/// For `cargo xtask test`: each mutant can still be made.
pub fn check() -> Result {
    println!("{} mutants", all()?.len());
    Ok(())
}

/// Runs the mutants that `options` select, and writes `docs/mutants.md` if those were all.
pub fn run(options: &Options) -> Result {
    let mutants = all()?;
    let whole = options.only.is_empty() && options.sample.is_none() && !options.quick;
    let selected = select(mutants, options);
    if options.list {
        for mutant in &selected {
            println!("{:<90} {}", mutant.name, mutant.expected());
        }
        return Ok(());
    }
    if selected.is_empty() {
        bail!("no mutant has such a name: see --list");
    }

    let outcomes = run_all(selected, options)?;
    print!("\n{}", table::summary(&outcomes));
    if whole {
        table::write(&outcomes)?;
    }
    table::verdict(&outcomes)
}

fn select(mutants: Vec<Mutant>, options: &Options) -> Vec<Mutant> {
    let wanted = |mutant: &Mutant| {
        options.only.is_empty() || options.only.iter().any(|text| mutant.name.contains(text))
    };
    let wanted: Vec<Mutant> = mutants.into_iter().filter(wanted).collect();
    let most = options.sample.map_or(wanted.len(), usize::from).max(1);
    let stride = wanted.len().div_ceil(most).max(1);
    wanted.into_iter().step_by(stride).collect()
}

fn run_all(mutants: Vec<Mutant>, options: &Options) -> Result<Vec<Outcome>> {
    let total = mutants.len();
    let kept = Kept::of_working_tree(&Shell::new()?);
    if !options.quick
        && let Some(why) = kept.why_not()
    {
        println!("no outcome is kept for --resume: {why}");
    }
    let mut known = match options.resume {
        true => kept.load()?,
        false => HashMap::new(),
    };
    let (mut outcomes, mut queue) = (Vec::new(), VecDeque::new());
    for (number, mutant) in mutants.into_iter().enumerate() {
        match known.remove(&mutant.name) {
            Some((verdict, took)) => outcomes.push(Outcome {
                number,
                mutant,
                verdict,
                took,
            }),
            None => queue.push_back((number, mutant)),
        }
    }
    if options.resume {
        let known = outcomes.len();
        println!("{known} of {total} have an outcome of this commit");
    }
    let (queue, outcomes) = (Mutex::new(queue), Mutex::new(outcomes));
    let next = || lock(&queue).pop_front();
    let work = |id| -> Result {
        let lane = Lane::new(id, options.quick)?;
        while let Some((number, mutant)) = next() {
            let began = Instant::now();
            let verdict = lane.try_out(&mutant)?;
            let outcome = Outcome {
                number,
                mutant,
                verdict,
                took: began.elapsed(),
            };
            let mut outcomes = lock(&outcomes);
            println!("[{}/{total}] {}", outcomes.len() + 1, outcome.line());
            if !options.quick {
                kept.keep(&outcome)?;
            }
            outcomes.push(outcome);
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.map_or(cores, usize::from);
    std::thread::scope(|scope| {
        let work = &work;
        let lanes: Vec<_> = (0..jobs).map(|id| scope.spawn(move || work(id))).collect();
        lanes.into_iter().try_for_each(|lane| {
            let ended = lane.join();
            ended.unwrap_or_else(|_| bail!("a lane panicked: see above"))
        })
    })?;
    let mut outcomes = std::mem::take(&mut *lock(&outcomes));
    outcomes.sort_by_key(|outcome| outcome.number);
    Ok(outcomes)
}

/// A lane that panicked leaves what it locked as it was between two mutants.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
