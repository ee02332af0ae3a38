//! Cargo, as a child process.

use std::path::PathBuf;

use anyhow::anyhow;
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use xshell::{Cmd, Shell};

use crate::Result;

/// A call of the cargo that runs us; the words of `line` are its arguments.
pub fn command<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    shell.cmd(cargo).args(line.split_whitespace())
}

/// The same with `cfg(loom)` set.
pub fn command_under_loom<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    with_flags(command(shell, line), "--cfg loom", "target/loom")
}

/// The same for the very processor that we run on.
pub fn command_for_native<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    with_flags(command(shell, line), "-Ctarget-cpu=native", "target/native")
}

/// The same with the compiler's own flags, whatever the environment asks for.
pub fn command_for_default<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    let command = command(shell, line).env_remove("RUSTFLAGS");
    command.env_remove("CARGO_ENCODED_RUSTFLAGS")
}

/// Flags take a target directory of their own: cargo would otherwise rebuild everything each time
/// that they change.
pub fn with_flags<'a>(command: Cmd<'a>, flags: &str, directory: &str) -> Cmd<'a> {
    command
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS") // it would win over RUSTFLAGS
        .env("CARGO_TARGET_DIR", directory)
}

/// Lets a command see no `LOOM_` variable of ours, so that the models are the same everywhere.
pub fn without_loom_variables(command: Cmd<'_>) -> Cmd<'_> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names
        .filter(|name| name.to_string_lossy().starts_with("LOOM_"))
        .fold(command, Cmd::env_remove)
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
    let program = |message| match message {
        Ok(Message::CompilerArtifact(it)) if it.profile.test == (kind == Kind::Tests) => {
            Some((it.target.name, it.executable?.into()))
        }
        _ => None,
    };
    Message::parse_stream(messages)
        .filter_map(program)
        .collect()
}

/// Builds what `command` names, and returns the program of the target `name`.
pub fn build(command: Cmd<'_>, name: &str) -> Result<PathBuf> {
    let command = command.arg("--message-format=json").ignore_status();
    let messages = command.read()?.into_bytes();
    let mut programs = programs(&messages, Kind::Plain).into_iter();
    match programs.find(|(target, _)| target == name) {
        Some((_, program)) => Ok(program),
        None => Err(match first_error(&messages) {
            Some(error) => anyhow!("it does not build ({error})"),
            None => anyhow!("there is no program `{name}`, cargo says why above"),
        }),
    }
}

/// Returns the compiler's first error in cargo's messages. There is none if cargo failed before it
/// compiled.
pub fn first_error(messages: &[u8]) -> Option<String> {
    Message::parse_stream(messages).find_map(|message| match message {
        Ok(Message::CompilerMessage(it)) if it.message.level == DiagnosticLevel::Error => {
            Some(it.message.message)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, programs};

    #[test]
    fn a_program_that_a_test_wants_is_no_test() {
        let message = |name: &str, is_test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/Cargo.toml","target":{{"kind":["bin"],"crate_types":["bin"],"name":"{name}","src_path":"/a.rs"}},"profile":{{"opt_level":"0","debuginfo":0,"debug_assertions":true,"overflow_checks":true,"test":{is_test}}},"features":[],"filenames":[],"executable":{executable},"fresh":true}}"#
            )
        };
        let messages = [
            message("server", false, "\"/server\""),
            message("clients", true, "\"/clients-1\""),
            message("library", false, "null"),
        ]
        .join("\n");
        let named = |kind| {
            programs(messages.as_bytes(), kind)
                .into_iter()
                .map(|(name, _)| name)
        };
        assert!(named(Kind::Tests).eq(["clients"]));
        assert!(named(Kind::Plain).eq(["server"]));
    }
}
