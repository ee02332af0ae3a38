//! Random histories with publishers and readers that freeze: `cargo xtask histories`.

use xshell::Shell;

use crate::{Result, cargo};

/// What `cargo xtask histories` takes.
#[derive(clap::Args)]
pub struct Options {
    /// The seed of the first round, from which those of the others follow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many rounds to play
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// Plays the rounds, optimised and with the core's own assertions.
pub fn run(options: &Options) -> Result {
    let line = "test --package ringbus --features test-hooks --profile loom --test histories -- \
                --exact random_histories_keep_the_promise --nocapture";
    let shell = Shell::new()?;
    cargo::command(&shell, line)
        .env("RINGBUS_HISTORIES_SEED", options.seed.to_string())
        .env("RINGBUS_HISTORIES_ROUNDS", options.rounds.to_string())
        .run()?;
    Ok(())
}
