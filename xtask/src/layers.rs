//! The order of modules: `cargo xtask layers`.
//!
//! `docs/layers.toml` lists the files of each crate from top to bottom, and a file uses only files
//! below it. What a file uses is read from its paths, each followed through imports and re-exports
//! to the file that defines the item; in folders whose files extend one type, from its calls of
//! methods, too. Tests are exempt.

mod modules;
mod scan;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use walkdir::WalkDir;

use crate::Result;

const LIST: &str = "docs/layers.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    order: Vec<Order>,
}

/// The order of one crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The crate's root is in here.
    folder: String,
    /// From top to bottom, below `folder`.
    files: Vec<String>,
    /// `ring` stands for `ring.rs` and what is below `ring/`: there, calls of methods count.
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    exception: Vec<Exception>,
}

/// A call that means another method of the same name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    file: String,
    method: String,
    /// For the reader.
    #[serde(rename = "reason")]
    _reason: String,
}

/// The text of each file, by its path below the crate's folder.
type Sources = BTreeMap<String, String>;

/// The use of an item of another file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    file: String,
    line: usize,
    target: String,
    name: String,
}

/// Fails with each file that is not in its place.
pub fn check() -> Result {
    let list = fs::read_to_string(LIST).context(LIST)?;
    let list: List = toml::from_str(&list).context(LIST)?;
    let mut faults = Vec::new();
    for order in &list.order {
        let others = list.order.iter().map(|other| other.folder.as_str());
        let others: Vec<&str> = others.filter(|other| *other != order.folder).collect();
        let sources = sources(&order.folder, &others)?;
        println!("{}: {} files", order.folder, sources.len());
        faults.extend(order.faults(&sources)?);
    }
    if !faults.is_empty() {
        bail!("{LIST} does not hold:\n{}", faults.join("\n"));
    }
    Ok(())
}

/// Reads the sources below `folder`, without those of other crates.
fn sources(folder: &str, others: &[&str]) -> Result<Sources> {
    let mut sources = Sources::new();
    let entries = WalkDir::new(folder).into_iter();
    for entry in
        entries.filter_entry(|entry| !others.iter().any(|it| entry.path() == Path::new(it)))
    {
        let path = entry?.path().to_string_lossy().replace('\\', "/");
        if path.ends_with(".rs") {
            let text = fs::read_to_string(&path).with_context(|| path.clone())?;
            sources.insert(path[folder.len() + 1..].to_owned(), text);
        }
    }
    Ok(sources)
}

impl Order {
    fn faults(&self, sources: &Sources) -> Result<Vec<String>> {
        let mut faults = self.misplaced(sources);
        let tree = scan::read(&self.folder, sources)?;
        let mut uses = tree.uses();
        let mut unused: Vec<&Exception> = self.exception.iter().collect();
        for folder in &self.methods {
            let calls = tree.calls(folder, |user, used| !self.stands_above(used, user));
            uses.extend(calls.into_iter().filter(|call| {
                let means = |it: &Exception| it.file == call.file && it.method == call.name;
                unused.retain(|it| !means(it));
                !self.exception.iter().any(means)
            }));
        }
        uses.sort();
        uses.retain(|it| self.stands_above(&it.target, &it.file));
        let mut told = HashSet::new();
        let key = |it: &Use| (it.file.clone(), it.target.clone(), it.name.clone());
        uses.retain(|it| told.insert(key(it)));
        let folder = &self.folder;
        faults.extend(uses.iter().map(|it| {
            let Use {
                file,
                line,
                target,
                name,
            } = it;
            format!("{folder}/{file}:{line} uses {target} (`{name}`), which stands above it")
        }));
        faults.extend(unused.iter().map(|it| {
            let Exception { file, method, .. } = it;
            format!("{folder}/{file} needs no exception for `{method}`")
        }));
        Ok(faults)
    }

    /// Says which files the list and the folder do not share, and which the list has twice.
    fn misplaced(&self, sources: &Sources) -> Vec<String> {
        let Order { folder, files, .. } = self;
        let mut faults = Vec::new();
        for (at, file) in files.iter().enumerate() {
            if !sources.contains_key(file) {
                faults.push(format!("{folder}/{file} is listed, and is not there"));
            }
            if files[..at].contains(file) {
                faults.push(format!("{folder}/{file} is listed twice"));
            }
        }
        let roots = self.methods.iter().map(|root| format!("{root}.rs"));
        let missing = roots.filter(|root| !sources.contains_key(root));
        faults.extend(missing.map(|root| format!("{folder}/{root} is not there for `methods`")));
        let unlisted = sources.keys().filter(|file| !files.contains(file));
        faults.extend(unlisted.map(|file| format!("{folder}/{file} is not listed")));
        faults
    }

    fn stands_above(&self, one: &str, other: &str) -> bool {
        let place = |file: &str| self.files.iter().position(|it| it == file);
        place(one)
            .zip(place(other))
            .is_some_and(|(one, other)| one < other)
    }
}

#[cfg(test)]
mod tests;
