//! The project's own commands: `cargo xtask test`, `compare`, `count`, `histories`, `layers`,
//! `loom`, `mutants` and `sanitize`.
#![allow(clippy::disallowed_types)] // nothing here is under a model

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

mod cargo;
mod compare;
mod count;
mod git;
mod histories;
mod layers;
mod loom;
mod mutants;
mod sanitize;
mod steps;

/// What a command or a step gives back; the error is one line for the reader.
type Result<T = ()> = anyhow::Result<T>;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Run everything that decides whether the project is right, up to the first failure
    Test,
    /// Measure ringbus beside its peers, and write docs/benchmarks.md; or beside itself as it was,
    /// and write nothing
    Compare(compare::Options),
    /// Count instructions of each operation, and how often the line changes that it stores to
    Count(count::Options),
    /// Play random histories with publishers and readers that freeze; a seed repeats
    Histories(histories::Options),
    /// Check that each file of the core and of the host uses only files below it, as
    /// docs/layers.toml orders them
    Layers,
    /// Run the loom models
    Loom(loom::Options),
    /// Take rules and orderings out of the core, one at a time, and see that something fails
    Mutants(mutants::Options),
    /// Run the tests under AddressSanitizer, LeakSanitizer, ThreadSanitizer (with a nightly),
    /// valgrind and Miri
    Sanitize(sanitize::Options),
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result {
    // All paths are relative to the root of the workspace, wherever we were called.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::set_current_dir(&root).with_context(|| root.display().to_string())?;
    match command {
        Command::Test => steps::run(),
        Command::Compare(options) => compare::run(options),
        Command::Count(options) => count::run(options),
        Command::Histories(options) => histories::run(options),
        Command::Layers => layers::check(),
        Command::Loom(options) => loom::run(options),
        Command::Mutants(options) => mutants::run(options),
        Command::Sanitize(options) => sanitize::run(options),
    }
}
