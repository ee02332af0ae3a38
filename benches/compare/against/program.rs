//! A comparison as a program to run: the present one, or one with the core of another day.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::trial::{Listed, Sample};

#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    quick: bool,
}

impl Program {
    pub fn new(path: &Path, quick: bool) -> Program {
        let path = path.to_owned();
        Program { path, quick }
    }

    pub fn list(&self) -> Result<Vec<Listed>, String> {
        self.ask(&["cells"])
    }

    /// Runs a trial once, over so many events, in a process of its own. The error says why it did not come to its end.
    pub fn sample(&self, key: &str, events: Option<u64>) -> Result<Sample, String> {
        let events = events.map(|events| events.to_string());
        let mut arguments = vec!["sample", "--trial", key];
        if let Some(events) = &events {
            arguments.extend(["--events", events]);
        }
        if self.quick {
            arguments.push("--quick");
        }
        self.ask(&arguments)
    }

    fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T, String> {
        let output = Command::new(&self.path)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.path.display()))?;
        if !output.status.success() {
            return Err(last_line(&output.stderr).unwrap_or_else(|| output.status.to_string()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("its answer cannot be read: {error}"))
    }
}

/// What a program that failed said last.
fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().trim_start_matches("compare: ").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let program = Program::new(Path::new("/nonexistent/program"), true);
        let error = program.list().unwrap_err();
        assert!(error.starts_with("/nonexistent/program: "), "{error}");
    }

    #[test]
    fn the_last_line_is_the_reason() {
        let told = last_line(b"on the way ...\ncompare: an event was lost\n\n");
        assert_eq!(told.as_deref(), Some("an event was lost"));
        assert_eq!(last_line(b" \n"), None);
    }
}
