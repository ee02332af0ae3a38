//! ringbus beside its peers: the same work, interleaved, in one run on one machine.
#![allow(clippy::disallowed_types)] // nothing here is under a model

mod against;
mod error;
mod kept;
mod latency;
mod machine;
mod number;
mod ping;
mod place;
mod plot;
mod record;
mod report;
mod rounds;
mod select;
mod stats;
mod throughput;
mod trial;
mod trouble;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use error::Error;
use machine::Machine;
use place::Cores;
use record::{Record, Scenario};
use select::Only;

/// ringbus beside its peers
#[derive(Parser)]
enum Command {
    /// Measure, with the target that this program was compiled for
    Measure {
        /// Where the raw results go
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Fewer rounds
        #[arg(long)]
        quick: bool,
        /// Only scenarios whose group or name contains this; may be given several times
        #[arg(long, value_name = "TEXT")]
        only: Vec<String>,
        /// What this program was compiled for
        #[arg(long, value_name = "NAME")]
        target_name: Target,
    },
    /// Print a report on raw results, or write it; results for the same target are put together
    Report {
        #[arg(required = true, value_name = "FILE")]
        records: Vec<PathBuf>,
        /// Write `benchmarks.md` into this folder, with plots and raw results beside it
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
    /// Measure ringbus beside itself as it was, and print what came of it; `cargo xtask compare --against` calls this
    Against {
        /// This program with the core of another day
        #[arg(long, value_name = "PROGRAM")]
        before: PathBuf,
        /// As the table names that day
        #[arg(long, value_name = "NAME")]
        commit: String,
        /// Fewer rounds
        #[arg(long)]
        quick: bool,
        /// Only cells whose name contains this; may be given several times
        #[arg(long, value_name = "TEXT")]
        only: Vec<String>,
    },
    /// List what of ringbus can be measured by itself, as JSON
    Cells,
    /// Measure one of these once, and print what came of it as JSON
    Sample {
        /// The `key` of one of `cells`
        #[arg(long, value_name = "KEY")]
        trial: String,
        /// Over so many events, where the number is not fixed; by default as many as make a run of a good length
        #[arg(long, value_name = "COUNT")]
        events: Option<u64>,
        /// A shorter run
        #[arg(long)]
        quick: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Target {
    Default,
    Native,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Measure {
            out,
            quick,
            only,
            target_name,
        } => measure(&out, quick, &Only(only), target_name),
        Command::Report { records, into } => report(&records, into.as_deref()),
        Command::Against {
            before,
            commit,
            quick,
            only,
        } => against(&before, &commit, quick, &Only(only)),
        Command::Cells => cores().and_then(trial::print_all),
        Command::Sample {
            trial,
            events,
            quick,
        } => cores().and_then(|cores| trial::print_sample(cores, &trial, events, quick)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(out: &Path, quick: bool, only: &Only, target: Target) -> Result<(), Error> {
    let cores = cores()?;
    let target = match target {
        Target::Default => "default",
        Target::Native => "native",
    };
    let mut record = Record {
        target: target.into(),
        quick,
        machine: Machine::look(cores),
        scenarios: throughput::run(cores, quick, only)?,
    };
    let wanted = |scenario: &Scenario| only.wants(&scenario.group, &scenario.name);
    if only.may_want("latency") {
        let latencies = latency::run(cores, quick)?;
        record
            .scenarios
            .extend(latencies.into_iter().filter(wanted));
    }
    if only.may_want("trouble") {
        let troubles = trouble::run(cores, quick)?;
        record.scenarios.extend(troubles.into_iter().filter(wanted));
    }
    kept::write(&mut record, out)
}

fn against(before: &Path, commit: &str, quick: bool, only: &Only) -> Result<(), Error> {
    let options = against::Options {
        before,
        commit,
        quick,
        only,
    };
    against::run(cores()?, &options)
}

fn cores() -> Result<Cores, Error> {
    Ok(Cores::find()?)
}

fn report(files: &[PathBuf], into: Option<&Path>) -> Result<(), Error> {
    let mut records: Vec<Record> = Vec::new();
    for file in files {
        let mut record = kept::read(file)?;
        match records
            .iter_mut()
            .find(|known| known.target == record.target && known.machine.cpu == record.machine.cpu)
        {
            // More of the same: what takes a build of its own comes in a file of its own.
            Some(known) => known.scenarios.append(&mut record.scenarios),
            None => records.push(record),
        }
    }
    if records.iter().all(|record| record.scenarios.is_empty()) {
        return Err("no scenario has such a name".into());
    }
    let columns = report::columns(&records);
    let page = report::page(&columns);
    let Some(folder) = into else {
        print!("{page}");
        return Ok(());
    };
    let beside = folder.join("benchmarks");
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    fs::create_dir_all(&beside).map_err(|error| failed(&error))?;
    fs::write(folder.join("benchmarks.md"), page).map_err(|error| failed(&error))?;
    print!("{}", report::targets(&columns));
    for column in &columns {
        for scenarios in column
            .scenarios
            .chunk_by(|one, other| one.group == other.group)
        {
            let Some(first) = scenarios.first() else {
                continue;
            };
            let file = beside.join(report::plot_name(&column.target, &first.group));
            let scenarios: Vec<&Scenario> = scenarios.iter().collect();
            plot::group(&scenarios, &file).map_err(|error| failed(&error))?;
        }
    }
    let names = report::raw_names(&records);
    for (record, name) in records.iter_mut().zip(names) {
        kept::write(record, &beside.join(name))?;
    }
    Ok(())
}
