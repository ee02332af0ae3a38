//! One mutant: what is changed, and what is to notice.

use std::fmt;

use anyhow::bail;
use xshell::Shell;

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

impl Guard {
    /// Reads `model file::name`, `test file::name` or `none: reason`. Fails if there is no such
    /// model or test.
    pub fn parse(text: &str) -> Result<Guard> {
        match text.split_once(' ') {
            Some(("model", path)) => Target::found(path, "loom-tests/tests").map(Guard::Model),
            Some(("test", path)) => Target::found(path, "tests").map(Guard::Test),
            Some(("none:", why)) => Ok(Guard::Nothing(why.to_owned())),
            _ => bail!("no guard is called `{text}`"),
        }
    }
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

    fn found(path: &str, folder: &str) -> Result<Target> {
        let target = Target::parse(path);
        let shell = Shell::new()?;
        let file = format!("{folder}/{}", target.file);
        // A test may sit in a module of its file.
        let modules = shell.read_dir(&file).unwrap_or_default();
        for path in [format!("{file}.rs").into()].iter().chain(&modules) {
            if path.is_file() && target.is_in(&shell.read_file(path)?) {
                return Ok(target);
            }
        }
        bail!("there is no test `{target}` in {folder}")
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
