//! The loom models: `cargo xtask loom`.

use anyhow::bail;
use xshell::Shell;

use crate::{Result, cargo};

/// What `cargo xtask loom` takes.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Explore 3 preemptions rather than 2 (or as many as LOOM_MAX_PREEMPTIONS says); this can take
    /// hours. Other LOOM_ variables (LOOM_LOG, LOOM_CHECKPOINT_FILE...) count too
    #[arg(long)]
    deep: bool,
    /// Only models (test functions, not files) whose name contains one of these
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
}

const MODELS: &str = "test --profile loom --package loom-tests --tests --";

/// Runs the models that `options` select.
pub fn run(options: &Options) -> Result {
    let shell = Shell::new()?;
    for model in &options.models {
        let list = cargo::command_under_loom(&shell, MODELS).arg("--list");
        if !list.arg(model).read()?.contains(": test") {
            bail!("no model's name contains {model:?}");
        }
    }
    let mut command = cargo::command_under_loom(&shell, MODELS).args(&options.models);
    if !options.deep {
        command = cargo::without_loom_variables(command).env("LOOM_MAX_PREEMPTIONS", "2");
    } else if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command = command.env("LOOM_MAX_PREEMPTIONS", "3");
    }
    Ok(command.run()?)
}
