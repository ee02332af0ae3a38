//! The sources of the core.

use super::matcher::Tokens;
use super::mutant::read;
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
        read(&path).map(|text| Source::new(path, text))
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
    for entry in walkdir::WalkDir::new("src").sort_by_file_name() {
        let entry = entry.map_err(|error| error.to_string())?;
        // The project's own names, all of them in ASCII.
        let path = entry.path().to_string_lossy().replace('\\', "/");
        if path.ends_with(".rs") && !APART.iter().any(|apart| path.starts_with(apart)) {
            sources.push(Source::read(path)?);
        }
    }
    Ok(sources)
}
