//! Git, as a child process.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// Returns what is in the working tree, without what git is told to ignore and without deleted files.
pub fn working_files() -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = read(&mut command(&arguments))?;
    let files = listed.lines().filter(|path| Path::new(path).is_file());
    Ok(files.map(str::to_owned).collect())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments);
    command
}

/// Runs `command` to its end and returns what it wrote to its standard output.
fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(command, error))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| failed(command, error));
    }
    let told = String::from_utf8_lossy(&output.stderr);
    match told.trim() {
        "" => Err(failed(command, output.status)),
        told => Err(failed(command, told)),
    }
}

fn failed(command: &Command, why: impl std::fmt::Display) -> String {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!("git {}: {why}", arguments.join(" "))
}
