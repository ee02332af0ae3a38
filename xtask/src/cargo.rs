//! Cargo, as a child process.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Result;

/// A call of the cargo that runs us; the words of `line` are its arguments.
pub fn command(line: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(line.split_whitespace());
    command
}

/// The same with `cfg(loom)` set.
pub fn command_under_loom(line: &str) -> Command {
    command_with_flags(line, "--cfg loom", "target/loom")
}

/// The same for the very processor that we run on.
pub fn command_for_native(line: &str) -> Command {
    command_with_flags(line, "-Ctarget-cpu=native", "target/native")
}

/// The same with the compiler's own flags, whatever the environment asks for.
pub fn command_for_default(line: &str) -> Command {
    let mut command = command(line);
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// Flags take a target directory of their own: cargo would otherwise rebuild everything each time that they change.
fn command_with_flags(line: &str, flags: &str, directory: &str) -> Command {
    let mut command = command(line);
    command
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS") // it would win over RUSTFLAGS
        .env("CARGO_TARGET_DIR", directory);
    command
}

/// Runs `command` to its end, its output going where ours goes.
pub fn run(command: &mut Command) -> Result {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| failed(command, error))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(command, status))
    }
}

/// Runs `command` to its end and gives back what it wrote to its standard output.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(command, error))?;
    if !output.status.success() {
        return Err(failed(command, output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(command, error))
}

/// What a program that cargo built is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It runs tests.
    Tests,
    /// It is a binary, an example or a bench, perhaps built because a test wants it.
    Plain,
}

/// Returns the programs of one kind that cargo's messages name, with the names of their targets.
pub fn programs(messages: &[u8], kind: Kind) -> Vec<(String, PathBuf)> {
    json(messages)
        .filter(|message| (message["profile"]["test"] == true) == (kind == Kind::Tests))
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, message["executable"].as_str()?.into()))
        })
        .collect()
}

/// Returns the compiler's first error in cargo's messages. There is none if cargo failed before it compiled.
pub fn first_error(messages: &[u8]) -> Option<String> {
    json(messages)
        .filter(|message| message["message"]["level"] == "error")
        .find_map(|message| Some(message["message"]["message"].as_str()?.to_owned()))
}

fn json(messages: &[u8]) -> impl Iterator<Item = serde_json::Value> {
    let lines = messages.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}

fn failed(command: &Command, why: impl std::fmt::Display) -> String {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!("cargo {}: {why}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{Kind, programs};

    #[test]
    fn a_program_that_a_test_wants_is_no_test() {
        let messages =
            br#"{"target":{"name":"server"},"profile":{"test":false},"executable":"/server"}
{"target":{"name":"clients"},"profile":{"test":true},"executable":"/clients-1"}
{"target":{"name":"library"},"profile":{"test":false},"executable":null}"#;
        let named = |kind| programs(messages, kind).into_iter().map(|(name, _)| name);
        assert!(named(Kind::Tests).eq(["clients"]));
        assert!(named(Kind::Plain).eq(["server"]));
    }
}
