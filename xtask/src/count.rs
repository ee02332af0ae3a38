//! What an operation costs, counted: `cargo xtask count`.
//!
//! Valgrind counts, so the numbers are the same on each run and on each x86-64 processor; they are
//! of the compiler's making, and a new compiler may need new bounds. A count that grew shows what a
//! benchmark on a busy machine hides: a word that is spilled in a loop, a store to another line.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use xshell::Shell;

use crate::{Result, cargo};

/// What `cargo xtask count` takes.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Only operations whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
}

/// The program that does an operation so often as it is told.
const PROGRAM: &str = "operations";

/// Events of a burst of the program.
const BURST: u64 = 512;

/// Bursts of the shorter run; the longer one has twice as many, and what it does more is counted.
/// Whole laps of the ring, so that scans count.
const BURSTS: u64 = 20;

/// Bytes of a cache line.
const LINE: u64 = 64;

const LAYOUTS: [&str; 2] = ["in-line", "dense"];

/// An operation, and the most that it may cost: the loop and its check included.
struct Row {
    /// As [`PROGRAM`] takes them.
    publisher: &'static str,
    bytes: &'static str,
    operation: &'static str,
    /// Instructions in either layout.
    instructions: f64,
    /// How often the line that is stored to changes, in each of [`LAYOUTS`]. None where other
    /// threads store too.
    line_changes: Option<[f64; 2]>,
}

const fn row(
    publisher: &'static str,
    bytes: &'static str,
    operation: &'static str,
    instructions: f64,
    line_changes: Option<[f64; 2]>,
) -> Row {
    Row {
        publisher,
        bytes,
        operation,
        instructions,
        line_changes,
    }
}

/// Each bound is the count of the day when it was set, and little more: 2 % of the instructions,
/// because a scan may fall otherwise; 5 % where two threads meet; a fifth of a line change.
const ROWS: &[Row] = &[
    row("exclusive", "8", "report", 25.7, Some([2.3, 3.3])),
    row("exclusive", "8", "try-report", 26.7, Some([2.3, 3.3])),
    row("exclusive", "8", "batch", 15.4, Some([0.7, 0.7])),
    row("exclusive", "8", "report-with", 30.8, Some([2.3, 3.3])),
    row("exclusive", "8", "batch-with", 11.1, Some([0.7, 0.6])),
    row("exclusive", "8", "drain", 35.3, Some([2.7, 3.7])),
    row("exclusive", "8", "drain-batches", 28.5, Some([1.3, 1.2])),
    row("exclusive", "8", "recv", 48.3, Some([4.6, 5.6])),
    row("exclusive", "8", "try-recv", 45.1, Some([4.5, 5.5])),
    row("exclusive", "8", "handler", 54.8, None),
    row("exclusive", "48", "report", 34.4, Some([2.3, 3.8])),
    row("exclusive", "48", "try-report", 41.7, Some([2.4, 3.9])),
    row("exclusive", "48", "batch", 22.0, Some([1.4, 1.9])),
    row("exclusive", "48", "report-with", 39.4, Some([2.3, 3.8])),
    row("exclusive", "48", "batch-with", 21.7, Some([1.4, 1.9])),
    row("exclusive", "48", "drain", 58.4, Some([2.8, 4.3])),
    row("shared", "8", "report", 104.4, Some([7.3, 8.3])),
    row("shared", "8", "try-report", 109.5, Some([7.3, 8.3])),
    row("shared", "8", "batch", 20.0, Some([1.2, 1.2])),
    row("shared", "8", "drain", 123.4, Some([7.6, 8.6])),
    row("shared", "8", "drain-batches", 54.4, Some([3.2, 3.0])),
    row("shared", "8", "recv", 138.7, Some([9.5, 10.5])),
    row("shared", "8", "try-recv", 135.0, Some([9.5, 10.5])),
    row("shared", "8", "handler", 148.0, None),
    row("shared", "48", "report", 141.1, Some([11.3, 12.8])),
    row("shared", "48", "try-report", 147.2, Some([13.3, 14.8])),
    row("shared", "48", "batch", 32.4, Some([3.4, 3.9])),
];

/// Counts all, or what `options` select. Fails where a count is above its bound.
pub fn run(options: &Options) -> Result {
    let shell = Shell::new()?;
    let line = format!("build --release --package ringbus-benches --bin {PROGRAM}");
    let program = cargo::build(cargo::command_for_default(&shell, &line), PROGRAM)?;
    println!("For each event; the receiving operations include the report.");
    println!("| operation, layout | instructions | at most | line changes | at most |");
    println!("| --- | --- | --- | --- | --- |");
    let mut above = Vec::new();
    let mut counted = false;
    for row in ROWS {
        for (index, layout) in LAYOUTS.into_iter().enumerate() {
            let name = format!(
                "{} {} of {} B, {layout}",
                row.publisher, row.operation, row.bytes
            );
            if !options.only.is_empty() && !options.only.iter().any(|text| name.contains(text)) {
                continue;
            }
            counted = true;
            let run = Run {
                program: &program,
                arguments: [row.publisher, row.bytes, layout, row.operation],
            };
            let instructions = run.an_event(Run::instructions)?;
            let mut line = format!("| {name} | {instructions:.1} | {:.1} |", row.instructions);
            let mut is_above = instructions > row.instructions;
            if let Some(bounds) = row.line_changes {
                let changes = run.an_event(Run::line_changes)?;
                line += &format!(" {changes:.2} | {:.2} |", bounds[index]);
                is_above |= changes > bounds[index];
            } else {
                line += " | |";
            }
            println!("{line}");
            if is_above {
                above.push(name);
            }
        }
    }
    if !counted {
        bail!("no operation has such a name: see the table without --only");
    }
    if !above.is_empty() {
        let above = above.join("; ");
        bail!("above a bound: {above}. Look at the compiled loop before you raise the bound");
    }
    Ok(())
}

/// For `cargo xtask test`: the bounds hold where they were set.
pub fn check() -> Result {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        println!("skipped: the bounds are of x86-64, counted on Linux");
        return Ok(());
    }
    run(&Options::default())
}

/// A run of the program.
struct Run<'a> {
    program: &'a Path,
    arguments: [&'static str; 4],
}

impl Run<'_> {
    /// Returns what `count` finds for an event: the difference between a long run and a short one.
    fn an_event(&self, count: fn(&Self, u64) -> Result<u64>) -> Result<f64> {
        let (short, long) = (count(self, BURSTS)?, count(self, 2 * BURSTS)?);
        let more = long.checked_sub(short);
        let more = more.context("the longer run counts less than the shorter one")?;
        Ok(more as f64 / (BURSTS * BURST) as f64)
    }

    fn instructions(&self, bursts: u64) -> Result<u64> {
        let options = "--tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null";
        let mut count = None;
        self.under_valgrind(options, bursts, |line| {
            if let Some((_, number)) = line.split_once("refs:") {
                count = number.trim().replace(',', "").parse().ok();
            }
        })?;
        count.context("valgrind names no count of instructions")
    }

    /// How often a store goes to another line than the store before it.
    fn line_changes(&self, bursts: u64) -> Result<u64> {
        let options = "--tool=lackey --basic-counts=no --trace-mem=yes";
        let mut last = None;
        let mut changes = 0;
        self.under_valgrind(options, bursts, |line| {
            let line = stored_to(line);
            if line.is_some() && line != last {
                changes += 1;
                last = line;
            }
        })?;
        match changes {
            0 => bail!("valgrind's trace names no store"),
            _ => Ok(changes),
        }
    }

    /// Runs the program to its end, and hands on what valgrind says of it, line by line.
    fn under_valgrind(
        &self,
        options: &str,
        bursts: u64,
        mut each_line: impl FnMut(&str),
    ) -> Result {
        let mut child = Command::new("valgrind")
            .args(options.split_whitespace())
            .arg(self.program)
            .args(self.arguments)
            .arg(bursts.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("valgrind does not start; Debian's package is `valgrind`")?;
        // What is neither a trace nor valgrind's own is the program's.
        let mut said = Vec::new();
        for line in child.stderr.take().into_iter().flat_map(lines) {
            each_line(&line);
            if !is_traced(&line) && !line.starts_with("==") {
                said.push(line);
            }
        }
        let status = child.wait().context("valgrind")?;
        if !status.success() {
            let arguments = self.arguments.join(" ");
            let said = said.join("\n");
            bail!("`{PROGRAM} {arguments} {bursts}` under valgrind: {status}\n{said}");
        }
        Ok(())
    }
}

/// Returns the lines of `stream` up to its end, or to where it cannot be read.
fn lines(stream: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(stream).lines().map_while(|line| line.ok())
}

/// Whether a line is one of lackey's trace: an instruction, or an access.
fn is_traced(line: &str) -> bool {
    let kinds = ["I  ", " L ", " S ", " M "];
    kinds.iter().any(|kind| line.starts_with(kind))
}

/// Returns the cache line that is stored to, from a line of lackey's trace (` S 1ffeffe7e0,8`).
fn stored_to(traced: &str) -> Option<u64> {
    // A load and a store of one instruction are an M.
    let access = traced
        .strip_prefix(" S ")
        .or_else(|| traced.strip_prefix(" M "))?;
    let (address, _) = access.split_once(',')?;
    Some(u64::from_str_radix(address, 16).ok()? / LINE)
}

#[cfg(test)]
mod tests {
    use super::stored_to;

    #[test]
    fn stores_are_told_from_loads_and_instructions() {
        assert_eq!(stored_to(" S 1ffeffe7e0,8"), Some(0x1f_feff_e7e0 / 64));
        assert_eq!(stored_to(" M 40,4"), Some(1));
        for other in [" L 40,4", "I  0400100c,3", "==7== Lackey", " S x"] {
            assert_eq!(stored_to(other), None, "{other}");
        }
    }
}
