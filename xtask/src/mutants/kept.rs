//! Outcomes that are kept, so that a round may be done in pieces: `cargo xtask mutants --resume`.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use xshell::Shell;

use super::table::{Outcome, Verdict};
use crate::{Result, git};

const FOLDER: &str = "target/mutants";
/// A line of JSON for each outcome, of any commit.
const FILE: &str = "target/mutants/outcomes.jsonl";

#[derive(Serialize, Deserialize)]
struct Line {
    commit: String,
    name: String,
    /// None if it survived.
    caught_by: Option<String>,
    seconds: f64,
}

/// The outcomes of one commit: those of another, or of sources that are not committed, say nothing
/// of it.
pub struct Kept {
    /// Or why there is none.
    commit: Result<String>,
}

impl Kept {
    /// Keeps outcomes of what is in the working tree, if that is a commit.
    pub fn of_working_tree(shell: &Shell) -> Kept {
        let commit = git::clean_head(shell);
        Kept { commit }
    }

    /// Returns why outcomes are not kept, if they are not.
    pub fn why_not(&self) -> Option<&anyhow::Error> {
        self.commit.as_ref().err()
    }

    /// Returns what became of mutants of this commit, by name, in this run or in earlier ones.
    pub fn load(&self) -> Result<HashMap<String, (Verdict, Duration)>> {
        let commit = self.commit.as_ref();
        let commit = commit.map_err(|why| anyhow!("--resume goes by commits: {why}"))?;
        let lines = match fs::read(FILE) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context(FILE),
        };
        // A line that was cut off is an outcome that was not kept.
        let lines = lines.lines();
        let lines = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let outcomes = lines.filter(|line| line.commit == *commit).map(|line| {
            let verdict = match line.caught_by {
                Some(by) => Verdict::Caught { by },
                None => Verdict::Survived,
            };
            (line.name, (verdict, Duration::from_secs_f64(line.seconds)))
        });
        Ok(outcomes.collect())
    }

    /// Keeps an outcome, unless the sources are not committed.
    pub fn keep(&self, outcome: &Outcome) -> Result {
        let caught_by = match &outcome.verdict {
            Verdict::Caught { by } => Some(by.clone()),
            Verdict::Survived => None,
            Verdict::DoesNotBuild(_) => return Ok(()),
        };
        let Ok(commit) = &self.commit else {
            return Ok(());
        };
        let line = serde_json::to_string(&Line {
            commit: commit.clone(),
            name: outcome.mutant.name.clone(),
            caught_by,
            seconds: outcome.took.as_secs_f64(),
        })?;
        fs::create_dir_all(FOLDER)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(FILE))
            // On a line of its own, even behind one that was cut off.
            .and_then(|mut file| file.write_all(format!("\n{line}\n").as_bytes()))
            .context(FILE)
    }
}
