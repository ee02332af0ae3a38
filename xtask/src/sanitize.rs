//! The tests under sanitizers: `cargo xtask sanitize`.

use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;
use comfy_table::{Table, presets};
use xshell::{Cmd, Shell, cmd};

use crate::{Result, cargo};

/// What `cargo xtask sanitize` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Run this one alone; may be given again
    #[arg(long, value_name = "NAME")]
    only: Vec<Tool>,
}

/// In the order in which they run.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Tool {
    /// AddressSanitizer, which brings LeakSanitizer along: memory used after its end or beyond it,
    /// or never given back
    Address,
    /// ThreadSanitizer: accesses that nothing orders
    Thread,
    /// Valgrind's memcheck: values read before they are written
    Valgrind,
    /// Miri: undefined behaviour of any kind
    Miri,
}

enum Outcome {
    Passed,
    Skipped(&'static str),
}

/// Several threads, hooks between claim and commit, random histories, hostile use. Not what asks
/// the system or the allocator (`affinity`, `allocations`, `churn`, `threads`), nor `freeze`, whose
/// signals the sanitizers defer, nor `fanout`, which is another process, nor `forget`, which leaks
/// by name and measures how much.
const TESTS: &str = "--lib --test afterlife --test batches --test bus --test events --test faults --test handlers \
    --test hardening --test hooks --test in_place --test lifecycle --test limits --test misuse --test one_hop --test panics \
    --test parked --test properties --test recycling --test restart --test runs --test stats --test stress --test tail \
    --test two_workers --test waiting";

/// Tests whose threads meet at a lock of the standard library (their own, or that of stops), which
/// ThreadSanitizer does not see taken where it has to be waited for.
const AT_LOCKS: &str = "--test hostile --test notices --test reentry --test stop";

/// Tests on tokio's threads, which sleep and wake inside the standard library: ThreadSanitizer
/// finds tokio's own timers and queues unordered, in stacks that are the tests' as well.
const ON_TOKIO: &[&str] = &[
    "many_tasks_receive_everything",
    "a_future_that_is_dropped_loses_no_event",
];

/// Runs all, or what `options` select, then lists how long each took.
pub fn run(options: &Options) -> Result {
    let shell = Shell::new()?;
    let mut summary = Table::new();
    summary.load_style(presets::NOTHING);
    let mut failed = Vec::new();
    let is_wanted = |tool: &&Tool| options.only.is_empty() || options.only.contains(tool);
    for tool in Tool::value_variants().iter().filter(is_wanted) {
        println!("\n==== {}", tool.name());
        let start = Instant::now();
        let verdict = match tool.run(&shell) {
            Ok(Outcome::Passed) => "ok".to_owned(),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(error) => {
                failed.push(tool.name());
                format!("FAILED: {error:#}")
            }
        };
        let seconds = format!("{:.1} s", start.elapsed().as_secs_f64());
        summary.add_row([tool.name(), &seconds, &verdict]);
    }
    println!("\n==== summary\n{summary}");
    if !failed.is_empty() {
        bail!("sanitizers failed: {}", failed.join(", "));
    }
    Ok(())
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Tool::Address => "address",
            Tool::Thread => "thread",
            Tool::Valgrind => "valgrind",
            Tool::Miri => "miri",
        }
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        match self {
            Tool::Address => address(shell),
            Tool::Thread => thread(shell),
            Tool::Valgrind => valgrind(shell),
            Tool::Miri => miri(shell),
        }
    }
}

fn address(shell: &Shell) -> Result<Outcome> {
    sanitized(shell, "address")?
        // `lifecycle` asks for absurd capacities, which are to be an error of the bus.
        .env("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1")
        .env("LSAN_OPTIONS", "suppressions=xtask/suppressions/leak.txt")
        .run()?;
    Ok(Outcome::Passed)
}

fn thread(shell: &Shell) -> Result<Outcome> {
    let options = "suppressions=xtask/suppressions/thread.txt:allocator_may_return_null=1";
    sanitized(shell, "thread")?
        .env("TSAN_OPTIONS", options)
        // Locks and lazy values that the tests share, the harness's copy of what they print among
        // them, are taken and set inside the library, too: one test at a time.
        .args(["--", "--test-threads=1", "--nocapture"])
        .args(ON_TOKIO.iter().flat_map(|test| ["--skip", test]))
        .run()?;
    Ok(Outcome::Passed)
}

/// The tests built with `-Zsanitizer={name}`, in a target directory of their own; all run,
/// whichever fails.
fn sanitized<'a>(shell: &'a Shell, name: &str) -> Result<Cmd<'a>> {
    let host = host(shell)?;
    let more = if name == "address" { AT_LOCKS } else { "" };
    let command = nightly(
        shell,
        &format!(
            "test --package ringbus --features test-hooks --no-fail-fast --target {host} {TESTS} {more}"
        ),
    );
    // The standard library is not rebuilt, so it lacks the flag, which only means that it is not
    // looked into.
    let flags = format!("-Zsanitizer={name} -Cunsafe-allow-abi-mismatch=sanitizer");
    Ok(cargo::with_flags(
        command,
        &flags,
        &format!("target/sanitize-{name}"),
    ))
}

/// What runs on one thread, a few histories: valgrind is fifty times slower, and knows nothing of
/// orderings.
fn valgrind(shell: &Shell) -> Result<Outcome> {
    if !is_there(cmd!(shell, "valgrind --version")) {
        return Ok(Outcome::Skipped("valgrind is not there"));
    }
    let runner = "target.'cfg(all())'.runner = ['valgrind', '--quiet', '--error-exitcode=1', \
        '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite']";
    cargo::command(shell, "test --package ringbus --no-fail-fast --config")
        .arg(runner)
        .args("--test events --test limits --test properties".split(' '))
        .env("PROPTEST_CASES", "8")
        .run()?;
    Ok(Outcome::Passed)
}

/// What needs no files, processes or cores.
fn miri(shell: &Shell) -> Result<Outcome> {
    if !is_there(nightly(shell, "miri --version")) {
        return Ok(Outcome::Skipped("miri is not there"));
    }
    nightly(
        shell,
        "miri test --package ringbus --no-fail-fast --test events",
    )
    .env("MIRIFLAGS", "-Zmiri-disable-isolation") // the clock
    .env("CARGO_TARGET_DIR", "target/sanitize-miri")
    .run()?;
    Ok(Outcome::Passed)
}

/// The nightly's target, which has to be named so that build scripts are spared the flags.
fn host(shell: &Shell) -> Result<String> {
    let version = nightly(shell, "-vV")
        .read()
        .context("this needs a nightly: `rustup toolchain install nightly`")?;
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .with_context(|| format!("no host in {version:?}"))
}

/// The cargo of the nightly, by rustup's proxy: the cargo that runs us is of one toolchain.
fn nightly<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    cmd!(shell, "cargo +nightly").args(line.split_whitespace())
}

fn is_there(command: Cmd<'_>) -> bool {
    command.ignore_stderr().read().is_ok()
}
