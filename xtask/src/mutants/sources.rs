//! The sources of the core.

use std::fs;

use anyhow::Context;
use walkdir::WalkDir;

use super::matcher::Tokens;
use crate::Result;

/// A file of the project.
#[derive(Clone)]
pub struct Source {
    /// Below the root.
    pub path: String,
    pub tokens: Tokens,
}

impl Source {
    /// Reads the file at `path`.
    pub fn read(path: String) -> Result<Source> {
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        Ok(Source::new(path, text))
    }

    /// Takes `text` for what the file at `path` has.
    pub fn new(path: String, text: String) -> Source {
        let tokens = Tokens::of(text);
        Source { path, tokens }
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        self.tokens.text()
    }

    /// Returns `src/file.rs:7` for the byte at `at`.
    pub fn place(&self, at: usize) -> String {
        let line = 1 + self.text()[..at].matches('\n').count();
        format!("{}:{line}", self.path)
    }
}

/// Not of the core: the facade and the snapshot, which add no ordering of their own, the pages of
/// documentation, and the hosting side.
const APART: &[&str] = &[
    "src/sync",
    "src/snapshot",
    "src/docs",
    "src/host",
    "src/bin",
];

/// Reads the sources of the core.
pub fn core() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in WalkDir::new("src").sort_by_file_name() {
        // The project's own names, all of them in ASCII.
        let path = entry?.path().to_string_lossy().replace('\\', "/");
        if path.ends_with(".rs") && !APART.iter().any(|apart| path.starts_with(apart)) {
            sources.push(Source::read(path)?);
        }
    }
    Ok(sources)
}
