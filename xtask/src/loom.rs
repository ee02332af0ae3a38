//! The loom models: `cargo xtask loom`.

use crate::{Result, cargo};

/// What `cargo xtask loom` takes.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Explore 3 preemptions rather than 2 (or as many as LOOM_MAX_PREEMPTIONS says); this can take hours.
    /// Other LOOM_ variables (LOOM_LOG, LOOM_CHECKPOINT_FILE...) count too
    #[arg(long)]
    deep: bool,
    /// Only models (test functions, not files) whose name contains one of these
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
}

/// Runs the models that `options` select.
pub fn run(options: &Options) -> Result {
    let mut command =
        cargo::command_under_loom("test --profile loom --package loom-tests --tests --");
    command.args(&options.models);
    for model in &options.models {
        if !is_known(model)? {
            return Err(format!("no model's name contains {model:?}"));
        }
    }
    if !options.deep {
        // The same models everywhere: nothing in the environment may weaken them.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOOM_") {
                command.env_remove(name);
            }
        }
        command.env("LOOM_MAX_PREEMPTIONS", "2");
    } else if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command.env("LOOM_MAX_PREEMPTIONS", "3");
    }
    cargo::run(&mut command)
}

/// Some model's name contains `name`.
fn is_known(name: &str) -> Result<bool> {
    let line = "test --profile loom --package loom-tests --tests -- --list";
    let listed = cargo::read(cargo::command_under_loom(line).arg(name))?;
    Ok(listed.contains(": test"))
}
