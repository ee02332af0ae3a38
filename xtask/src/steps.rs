//! Everything that decides whether the project is right: `cargo xtask test`.

use std::time::Instant;

use crate::{Result, cargo, count, dependencies, layers, loom, mutants, pins};

/// In order: what is quick and fails often comes first.
const STEPS: &[Step] = &[
    Step::cargo("format", "fmt --all --check"),
    Step::cargo(
        "lints",
        "clippy --workspace --all-targets --all-features -- -D warnings",
    ),
    // As most hosts build it: tests turn features on.
    Step::cargo(
        "lints, no features",
        "clippy --package ringbus --lib --no-default-features -- -D warnings",
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
    Step::call("dependencies", dependencies::check),
    Step::call("order of modules", layers::check),
    Step::call("hosting page", pins::check),
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
    let mut summary = String::new();
    let mut result = Ok(());
    for (number, step) in (1..).zip(STEPS) {
        println!("\n==== {number}/{} {}", STEPS.len(), step.name);
        let start = Instant::now();
        result = step.run();
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        summary += &format!("{:<20} {seconds:7.1} s  {verdict}\n", step.name);
        if result.is_err() {
            break;
        }
    }
    print!("\n==== summary\n{summary}");
    result
}

impl Step {
    const fn new(name: &'static str, action: Action) -> Step {
        Step { name, action }
    }

    const fn cargo(name: &'static str, line: &'static str) -> Step {
        Step::new(name, Action::Cargo(line))
    }

    const fn cargo_under_loom(name: &'static str, line: &'static str) -> Step {
        Step::new(name, Action::CargoUnderLoom(line))
    }

    const fn call(name: &'static str, function: fn() -> Result) -> Step {
        Step::new(name, Action::Call(function))
    }

    fn run(&self) -> Result {
        match self.action {
            Action::Cargo(line) => cargo::run(&mut cargo::command(line)),
            Action::CargoUnderLoom(line) => cargo::run(&mut cargo::command_under_loom(line)),
            Action::Call(function) => function(),
        }
        .map_err(|error| format!("step `{}` failed: {error}", self.name))
    }
}

fn docs() -> Result {
    let line = "doc --workspace --no-deps --all-features";
    cargo::run(cargo::command(line).env("RUSTDOCFLAGS", "-D warnings"))
}
