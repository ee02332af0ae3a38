//! Outcomes that are kept, so that a round may be done in pieces: `cargo xtask mutants --resume`.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::table::{Outcome, Verdict};
use crate::{Result, git};

/// A line of JSON for each outcome, of any commit.
const FILE: &str = "target/mutants/outcomes.jsonl";

/// The outcomes of one commit: those of another, or of sources that are not committed, say nothing
/// of it.
pub struct Kept {
    /// Or why there is none.
    commit: Result<String>,
}

impl Kept {
    /// Keeps outcomes of what is in the working tree, if that is a commit.
    pub fn of_working_tree() -> Kept {
        Kept {
            commit: git::clean_head(),
        }
    }

    /// Returns why outcomes are not kept, if they are not.
    pub fn why_not(&self) -> Option<&str> {
        self.commit.as_ref().err().map(String::as_str)
    }

    /// Returns what became of mutants of this commit, by name, in this run or in earlier ones.
    pub fn load(&self) -> Result<HashMap<String, (Verdict, Duration)>> {
        let commit = self
            .commit
            .as_ref()
            .map_err(|why| format!("--resume goes by commits: {why}"))?;
        let lines = match fs::read(FILE) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&error)),
        };
        // A line that was cut off is an outcome that was not kept.
        let outcomes = lines.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["commit"] == commit.as_str()).then_some(())?;
            let verdict = match &line["caught_by"] {
                Value::String(by) => Verdict::Caught { by: by.clone() },
                _ => Verdict::Survived,
            };
            let took = Duration::try_from_secs_f64(line["seconds"].as_f64()?).ok()?;
            Some((line["name"].as_str()?.to_owned(), (verdict, took)))
        });
        Ok(outcomes.collect())
    }

    /// Keeps an outcome, unless the sources are not committed.
    pub fn keep(&self, outcome: &Outcome) -> Result {
        let caught_by = match &outcome.verdict {
            Verdict::Caught { by } => Some(by),
            Verdict::Survived => None,
            Verdict::DoesNotBuild(_) => return Ok(()),
        };
        let Ok(commit) = &self.commit else {
            return Ok(());
        };
        let line = json!({
            "commit": commit,
            "name": outcome.mutant.name,
            "caught_by": caught_by,
            "seconds": outcome.took.as_secs_f64(),
        });
        let folder = Path::new(FILE).parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(FILE))
            // On a line of its own, even behind one that was cut off.
            .and_then(|mut file| file.write_all(format!("\n{line}\n").as_bytes()))
            .map_err(|error| failed(&error))
    }
}

fn failed(error: &std::io::Error) -> String {
    format!("{FILE}: {error}")
}
