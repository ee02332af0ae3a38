//! Everything that decides whether the project is right: `cargo xtask test`. What it needs beside
//! Rust, `.ci/run` gets.

use std::time::Instant;

use anyhow::Context;
use comfy_table::{Table, presets};
use xshell::Shell;

use crate::{Result, cargo, count, layers, loom, mutants};

const BASELINE: &str = ".ci/semver-baseline";

/// In order: what is quick and fails often comes first.
const STEPS: &[Step] = &[
    Step::cargo("format", "fmt --all --check"),
    Step::cargo(
        "lints",
        "clippy --workspace --all-targets --all-features -- -D warnings",
    ),
    // As hosts build them, with any features and without: tests turn features on.
    Step::cargo(
        "lints by features",
        "hack clippy --feature-powerset --package ringbus --package ringbus-host --lib -- -D warnings",
    ),
    // Not the library's own tests: what they need does not build under `cfg(loom)`.
    Step::cargo_under_loom(
        "lints, under loom",
        "clippy --package ringbus --lib -- -D warnings",
    ),
    Step::cargo_under_loom(
        "lints of the models",
        "clippy --package loom-tests --all-targets -- -D warnings",
    ),
    Step::call("docs", docs),
    Step::cargo("dependencies", "deny check bans licenses sources"),
    Step::call("interfaces", interfaces),
    Step::call("order of modules", layers::check),
    // That each can still be made. What notices them is another command: it takes half an hour.
    Step::call("mutants", mutants::check),
    // Without the models, which are empty here, and without xtask, as Windows cannot replace a
    // program that runs. Benches run each body once.
    Step::cargo(
        "tests",
        "test --workspace --exclude loom-tests --exclude xtask --all-targets --all-features",
    ),
    Step::cargo("xtask's tests", "test --package xtask --bins"),
    Step::cargo("doc tests", "test --workspace --doc --all-features"),
    // Optimised, where races are.
    Step::cargo(
        "stress",
        "test --package ringbus --release --test stress --test freeze --test large",
    ),
    // What an operation costs; the bounds are counts, not times.
    Step::call("count", count::check),
    Step::call("models", || loom::run(&loom::Options::default())),
    Step::cargo("quickstart", "run --release --example quickstart"),
    Step::cargo(
        "fanout",
        "run --release --example fanout -- --seconds 1 --rate 20000",
    ),
    Step::cargo("idle", "run --release --example idle -- 1 2"),
    Step::cargo("loom_host", "run --release --example loom_host"),
    Step::cargo(
        "service",
        "run --release --package ringbus-host --example service -- --seconds 1",
    ),
    Step::cargo(
        "clients",
        "run --release --package ringbus-host --example clients -- --rounds 1 --bursts 10",
    ),
    Step::cargo("soak", "run --release --example soak -- --minutes 0.2"),
];

struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    Cargo(&'static str),
    CargoUnderLoom(&'static str),
    Call(fn() -> Result),
}

/// Runs the steps up to the first that fails, then lists how long each took.
pub fn run() -> Result {
    let mut summary = Table::new();
    summary.load_style(presets::NOTHING);
    let mut result = Ok(());
    for (number, step) in (1..).zip(STEPS) {
        println!("\n==== {number}/{} {}", STEPS.len(), step.name);
        let start = Instant::now();
        result = step
            .run()
            .with_context(|| format!("step `{}` failed", step.name));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        let seconds = format!("{:.1} s", start.elapsed().as_secs_f64());
        summary.add_row([step.name, &seconds, verdict]);
        if result.is_err() {
            break;
        }
    }
    println!("\n==== summary\n{summary}");
    result
}

impl Step {
    const fn cargo(name: &'static str, line: &'static str) -> Step {
        let action = Action::Cargo(line);
        Step { name, action }
    }

    const fn cargo_under_loom(name: &'static str, line: &'static str) -> Step {
        let action = Action::CargoUnderLoom(line);
        Step { name, action }
    }

    const fn call(name: &'static str, function: fn() -> Result) -> Step {
        let action = Action::Call(function);
        Step { name, action }
    }

    fn run(&self) -> Result {
        let shell = Shell::new()?;
        match self.action {
            Action::Cargo(line) => cargo::command(&shell, line).run()?,
            Action::CargoUnderLoom(line) => cargo::command_under_loom(&shell, line).run()?,
            Action::Call(function) => function()?,
        }
        Ok(())
    }
}

fn docs() -> Result {
    let shell = Shell::new()?;
    let command = cargo::command(&shell, "doc --workspace --no-deps --all-features");
    Ok(command.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// The public interfaces have all that they had at the commit that a file names.
fn interfaces() -> Result {
    let shell = Shell::new()?;
    let text = shell.read_file(BASELINE)?;
    let baseline = text.lines().find(|line| !line.starts_with('#'));
    let line =
        "semver-checks --package ringbus --package ringbus-host --default-features --baseline-rev";
    let command = cargo::command(&shell, line);
    Ok(command.arg(baseline.context(BASELINE)?).run()?)
}
