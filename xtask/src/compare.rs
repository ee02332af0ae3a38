//! ringbus beside its peers: `cargo xtask compare`.

use xshell::{Cmd, Shell};

use crate::{Result, cargo};

mod against;

const PROGRAM: &str = "run --release --quiet --package ringbus-benches --bin compare";
/// With the hook in the publish path that lets a publisher freeze inside its claim: for that and
/// nothing else.
const FROZEN: &str =
    "run --release --quiet --package ringbus-benches --bin compare --features frozen";
/// Where measurements go before there is a report; what is kept goes to `docs/`.
const RECORDS: &str = "target/compare";

/// Calls cargo with the flags of one target.
type Build = for<'a> fn(&'a Shell, &str) -> Cmd<'a>;

/// What `cargo xtask compare` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Fewer rounds: minutes rather than a quarter of an hour
    #[arg(long)]
    quick: bool,
    /// Only scenarios whose group or name contains this, and only print the report; may be given
    /// several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Measure ringbus alone, beside itself as it was at this commit; nothing is written into docs/
    #[arg(long, value_name = "COMMIT")]
    against: Option<String>,
}

/// Measures what `options` select, compiled for the default target and for this processor, and
/// reports both.
pub fn run(options: &Options) -> Result {
    if let Some(commit) = &options.against {
        return against::run(commit, options.quick, &options.only);
    }
    let shell = Shell::new()?;
    let mut report = cargo::command_for_default(&shell, PROGRAM).args(["--", "report"]);
    let builds = [
        ("default", cargo::command_for_default as Build),
        ("native", cargo::command_for_native),
    ];
    for (target, command) in builds {
        let record = format!("{RECORDS}/{target}.json");
        let program = command(&shell, PROGRAM);
        measure(program, target, &record, options, &options.only)?;
        report = report.arg(record);
        if let Some(troubles) = troubles(options) {
            let record = format!("{RECORDS}/{target}-frozen.json");
            let program = command(&shell, FROZEN);
            measure(program, target, &record, options, &troubles)?;
            report = report.arg(record);
        }
    }
    if options.only.is_empty() {
        report = report.args(["--into", "docs"]);
    }
    Ok(report.run()?)
}

/// Which troubles are asked for, if any: one of them takes a build of its own.
fn troubles(options: &Options) -> Option<Vec<String>> {
    if options.only.is_empty() {
        return Some(vec!["trouble".into()]);
    }
    let troubles = options.only.iter().filter(|text| text.contains("trouble"));
    let troubles: Vec<String> = troubles.cloned().collect();
    (!troubles.is_empty()).then_some(troubles)
}

fn measure(
    program: Cmd<'_>,
    target: &str,
    record: &str,
    options: &Options,
    only: &[String],
) -> Result {
    let quick = options.quick.then_some("--quick");
    let only = only.iter().flat_map(|text| ["--only", text]);
    program
        .args(["--", "measure", "--target-name", target, "--out", record])
        .args(quick)
        .args(only)
        .run()?;
    Ok(())
}
