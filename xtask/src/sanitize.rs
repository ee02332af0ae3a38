//! The tests under sanitizers: `cargo xtask sanitize`.

use std::process::{Command, Stdio};
use std::time::Instant;

use clap::ValueEnum;

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
    /// AddressSanitizer, which brings LeakSanitizer along: memory used after its end or beyond it, or never given back
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

/// Several threads, hooks between claim and commit, random histories, hostile use. Not what asks the system or the
/// allocator (`affinity`, `allocations`, `churn`, `threads`), nor `freeze`, whose signals the sanitizers defer, nor `fanout`,
/// which is another process, nor `forget`, which leaks by name and measures how much.
const TESTS: &str = "--lib --test afterlife --test batches --test bus --test events --test faults --test handlers \
    --test hardening --test hooks --test in_place --test lifecycle --test limits --test misuse --test one_hop --test panics \
    --test parked --test properties --test recycling --test restart --test runs --test stats --test stress --test tail \
    --test two_workers --test waiting";

/// Tests whose threads meet at a lock of the standard library (their own, or that of stops), which ThreadSanitizer does
/// not see taken where it has to be waited for.
const AT_LOCKS: &str = "--test hostile --test notices --test reentry --test stop";

/// Tests on tokio's threads, which sleep and wake inside the standard library: ThreadSanitizer finds tokio's own timers
/// and queues unordered, in stacks that are the tests' as well.
const ON_TOKIO: &[&str] = &[
    "many_tasks_receive_everything",
    "a_future_that_is_dropped_loses_no_event",
];

/// Runs all, or what `options` select, then lists how long each took.
pub fn run(options: &Options) -> Result {
    let mut summary = String::new();
    let mut failed = Vec::new();
    for tool in Tool::value_variants() {
        if !options.only.is_empty() && !options.only.contains(tool) {
            continue;
        }
        println!("\n==== {}", tool.name());
        let start = Instant::now();
        let verdict = match tool.run() {
            Ok(Outcome::Passed) => "ok".to_owned(),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(error) => {
                failed.push(tool.name());
                format!("FAILED: {error}")
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        summary += &format!("{:<10} {seconds:7.1} s  {verdict}\n", tool.name());
    }
    print!("\n==== summary\n{summary}");
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("sanitizers failed: {}", failed.join(", ")))
    }
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

    fn run(self) -> Result<Outcome> {
        match self {
            Tool::Address => address(),
            Tool::Thread => thread(),
            Tool::Valgrind => valgrind(),
            Tool::Miri => miri(),
        }
    }
}

fn address() -> Result<Outcome> {
    let mut command = sanitized("address")?;
    command
        // `lifecycle` asks for absurd capacities, which are to be an error of the bus.
        .env("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1")
        .env("LSAN_OPTIONS", "suppressions=xtask/suppressions/leak.txt");
    cargo::run(&mut command).map(|()| Outcome::Passed)
}

fn thread() -> Result<Outcome> {
    let mut command = sanitized("thread")?;
    command.env(
        "TSAN_OPTIONS",
        "suppressions=xtask/suppressions/thread.txt:allocator_may_return_null=1",
    );
    // Locks and lazy values that the tests share, the harness's copy of what they print among them, are taken and set
    // inside the library, too: one test at a time.
    command.args(["--", "--test-threads=1", "--nocapture"]);
    for test in ON_TOKIO {
        command.args(["--skip", test]);
    }
    cargo::run(&mut command).map(|()| Outcome::Passed)
}

/// The tests built with `-Zsanitizer={name}`, in a target directory of their own; all run, whichever fails.
fn sanitized(name: &str) -> Result<Command> {
    let host = host()?;
    let mut command = nightly(&format!(
        "test --package ringbus --features test-hooks --no-fail-fast --target {host} {TESTS}"
    ));
    if name == "address" {
        command.args(AT_LOCKS.split_whitespace());
    }
    // The standard library is not rebuilt, so it lacks the flag, which only means that it is not looked into.
    let flags = format!("-Zsanitizer={name} -Cunsafe-allow-abi-mismatch=sanitizer");
    command
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS") // it would win over RUSTFLAGS
        .env("CARGO_TARGET_DIR", format!("target/sanitize-{name}"));
    Ok(command)
}

/// What runs on one thread, a few histories: valgrind is fifty times slower, and knows nothing of orderings.
fn valgrind() -> Result<Outcome> {
    if !succeeds(Command::new("valgrind").arg("--version")) {
        return Ok(Outcome::Skipped("valgrind is not there"));
    }
    let runner = "target.'cfg(all())'.runner = ['valgrind', '--quiet', '--error-exitcode=1', \
        '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite']";
    let mut command = cargo::command("test --package ringbus --no-fail-fast --config");
    command
        .arg(runner)
        .args("--test events --test limits --test properties".split(' '))
        .env("PROPTEST_CASES", "8");
    cargo::run(&mut command).map(|()| Outcome::Passed)
}

/// What needs no files, processes or cores.
fn miri() -> Result<Outcome> {
    if !succeeds(&mut nightly("miri --version")) {
        return Ok(Outcome::Skipped("miri is not there"));
    }
    let mut command = nightly("miri test --package ringbus --no-fail-fast --test events");
    command
        .env("MIRIFLAGS", "-Zmiri-disable-isolation") // the clock
        .env("CARGO_TARGET_DIR", "target/sanitize-miri");
    cargo::run(&mut command).map(|()| Outcome::Passed)
}

/// The nightly's target, which has to be named so that build scripts are spared the flags.
fn host() -> Result<String> {
    let version = cargo::read(&mut nightly("-vV")).map_err(|error| {
        format!("{error}; this needs a nightly: `rustup toolchain install nightly`")
    })?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| format!("no host in {version:?}"))
}

/// The cargo of the nightly, by rustup's proxy: the cargo that runs us is of one toolchain.
fn nightly(line: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").args(line.split_whitespace());
    command
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
