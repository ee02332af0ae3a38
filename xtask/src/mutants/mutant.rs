//! One mutant: what is changed, and what is to notice.

use std::fmt;
use std::path::Path;

use crate::Result;

/// A change of the core that something must notice.
pub struct Mutant {
    /// Unique, and the same from run to run.
    pub name: String,
    pub kind: Kind,
    /// Files, below the root, with their new contents.
    pub files: Vec<(String, String)>,
    /// What is expected to notice.
    pub guard: Guard,
}

/// What a mutant takes away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rule,
    Ordering,
}

/// What notices a mutant.
#[derive(Clone)]
pub enum Guard {
    /// A loom model.
    Model(Target),
    /// A test of the library as it ships.
    Test(Target),
    /// Nothing, and why that is right.
    Nothing(String),
}

/// One test function, `file::name`; or all tests of a file, `file`.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub file: String,
    pub name: Option<String>,
}

impl Target {
    pub fn parse(path: &str) -> Target {
        let (file, name) = match path.split_once("::") {
            Some((file, name)) => (file, Some(name.to_owned())),
            None => (path, None),
        };
        let file = file.to_owned();
        Target { file, name }
    }

    /// Fails if there is no such test below `folder`.
    pub fn check(&self, folder: &str) -> Result {
        let path = format!("{folder}/{}.rs", self.file);
        let text = read(&path)?;
        // A test may sit in a module of its file.
        let beside = || {
            let modules = std::fs::read_dir(format!("{folder}/{}", self.file)).ok();
            let mut texts = modules.into_iter().flatten().flatten();
            texts.any(|entry| read(entry.path()).is_ok_and(|text| self.is_in(&text)))
        };
        if self.is_in(&text) || beside() {
            Ok(())
        } else {
            Err(format!("there is no test `{self}` in {folder}"))
        }
    }

    fn is_in(&self, text: &str) -> bool {
        let Some(name) = &self.name else { return true };
        let function = name.rsplit("::").next().unwrap_or(name);
        text.contains(&format!("fn {function}()"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}::{name}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl Mutant {
    /// What is expected to become of it, in a few words.
    pub fn expected(&self) -> String {
        match &self.guard {
            Guard::Model(target) => format!("model {target}"),
            Guard::Test(target) => format!("test {target}"),
            Guard::Nothing(why) => format!("survives: {why}"),
        }
    }
}

/// A file of the project.
pub fn read(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
