//! The rules of the protocols, each taken out, as `loom-tests/mutants` lists them.

use std::fs;
use std::ops::Range;
use std::rc::Rc;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::mutant::{Guard, Kind, Mutant};
use super::source::{self, Source};
use crate::Result;

/// Where the tables are.
const FOLDER: &str = "loom-tests/mutants";

/// The tables by subject, in the order in which their rules are tried.
const TABLES: &str =
    "claim gate join wake close fanout freeze exclusive in_place run hole batch turn";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    /// `model file::name` or `test file::name`.
    guard: String,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Below `src`. May be left out where `old` stands once in all of the core.
    file: Option<String>,
    /// What stands there exactly once, whatever its comments and its formatting are.
    old: String,
    /// What comes instead.
    new: String,
}

/// Makes a mutant for each rule. Fails with every rule that no longer fits the sources.
pub fn mutants() -> Result<Vec<Mutant>> {
    let core: Vec<Rc<Source>> = source::core()?.into_iter().map(Rc::new).collect();
    let (mut mutants, mut faults) = (Vec::new(), Vec::new());
    for table in TABLES.split(' ') {
        let path = format!("{FOLDER}/{table}.toml");
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        for rule in parse(&path, &text)? {
            match rule.mutant(&core) {
                Ok(mutant) => mutants.push(mutant),
                Err(why) => faults.push(format!("{path}: rule `{}`: {why:#}", rule.name)),
            }
        }
    }
    if fs::read_dir(FOLDER)?.count() != TABLES.split(' ').count() {
        faults.push(format!("{FOLDER} has a file that xtask does not list"));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(mutants)
}

fn parse(path: &str, text: &str) -> Result<Vec<Rule>> {
    let table: Table = toml::from_str(text).with_context(|| path.to_owned())?;
    Ok(table.rule)
}

impl Rule {
    fn mutant(&self, core: &[Rc<Source>]) -> Result<Mutant> {
        Ok(Mutant {
            name: format!("rule: {}", self.name),
            kind: Kind::Rule,
            files: self.files(core)?,
            guard: Guard::parse(&self.guard)?,
        })
    }

    /// Returns the files that the edits change, with their new contents.
    fn files(&self, core: &[Rc<Source>]) -> Result<Vec<(String, String)>> {
        let mut sources = core.to_vec();
        for edit in &self.edit {
            let path = edit.file.as_ref().map(|file| format!("src/{file}"));
            if let Some(path) = &path
                && sources.iter().all(|source| source.path != *path)
            {
                sources.push(Rc::new(Source::read(path.clone())?));
            }
            let (source, place) = edit.place(&sources, path.as_deref())?;
            let mut text = sources[source].text.clone();
            text.replace_range(place, &edit.new);
            sources[source] = Rc::new(Source::new(sources[source].path.clone(), text));
        }
        let is_old = |source: &&Rc<Source>| core.iter().any(|old| Rc::ptr_eq(old, source));
        let edited = sources.iter().filter(|source| !is_old(source));
        Ok(edited
            .map(|source| (source.path.clone(), source.text.clone()))
            .collect())
    }
}

impl Edit {
    /// Returns which source has the text, and where: that at `path`, if that is given.
    fn place(&self, sources: &[Rc<Source>], path: Option<&str>) -> Result<(usize, Range<usize>)> {
        let candidates = sources.iter().enumerate();
        let candidates = candidates.filter(|(_, source)| path.is_none_or(|it| source.path == it));
        let found = candidates.flat_map(|(at, source)| {
            let places = source.find(&self.old).into_iter();
            places.map(move |place| (at, place))
        });
        match found.collect::<Vec<_>>().as_slice() {
            [place] => Ok(place.clone()),
            [] => bail!(
                "{} does not have `{}`",
                path.unwrap_or("the core"),
                self.old
            ),
            places => {
                let places = places
                    .iter()
                    .map(|(at, place)| sources[*at].place(place.start));
                let places = Vec::from_iter(places).join(", ");
                bail!("`{}` stands in more than one place: {places}", self.old)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files after edits of (file, old text, new text), or what is wrong.
    fn edited(edits: &[(Option<&str>, &str, &str)]) -> Result<Vec<(String, String)>> {
        let source = |path: &str, text: &str| Rc::new(Source::new(path.into(), text.into()));
        let core = [
            source("src/a.rs", "fn a() {\n    one();\n    two();\n}\n"),
            source("src/b.rs", "fn b() {\n    one();\n    three();\n}\n"),
        ];
        let edit = |(file, old, new): &(Option<&str>, &str, &str)| Edit {
            file: file.map(str::to_owned),
            old: (*old).into(),
            new: (*new).into(),
        };
        let rule = Rule {
            name: String::new(),
            guard: String::new(),
            edit: edits.iter().map(edit).collect(),
        };
        rule.files(&core)
    }

    fn error(file: Option<&str>, old: &str) -> String {
        let edited = edited(&[(file, old, "")]);
        edited.unwrap_err().to_string()
    }

    #[test]
    fn a_text_that_stands_once_needs_no_file() {
        let b = "fn b() {\n    one();\n    four();\n}\n";
        let found = edited(&[(None, "three( );", "four();")]).unwrap();
        assert_eq!(found, [("src/b.rs".into(), b.into())]);
    }

    #[test]
    fn both_places_of_a_text_that_stands_twice_are_named() {
        let both = "`one();` stands in more than one place: src/a.rs:2, src/b.rs:2";
        assert_eq!(error(None, "one();"), both);
        let found = edited(&[(Some("b.rs"), "one();", "")]).unwrap();
        assert_eq!(found[0].0, "src/b.rs");
    }

    #[test]
    fn a_text_that_is_gone_is_an_error() {
        let nowhere = "the core does not have `four();`";
        assert_eq!(error(None, "four();"), nowhere);
        let elsewhere = "src/a.rs does not have `three();`";
        assert_eq!(error(Some("a.rs"), "three();"), elsewhere);
        let nothing = "the core does not have `// one();`";
        assert_eq!(error(None, "// one();"), nothing);
    }

    #[test]
    fn the_edits_of_a_rule_build_on_each_other() {
        let edits = [
            (Some("a.rs"), "one();", "three();"),
            (Some("a.rs"), "three();", "four();"),
        ];
        let a = "fn a() {\n    four();\n    two();\n}\n";
        assert_eq!(edited(&edits).unwrap(), [("src/a.rs".into(), a.into())]);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_says_where() {
        let text =
            "[[rule]]\nname = \"a\"\nguard = \"model b\"\n[[rule.edit]]\nold = 'a'\nmew = 'b'\n";
        let error = parse("x.toml", text).err().unwrap();
        let error = format!("{error:#}");
        assert!(
            error.contains("x.toml") && error.contains("line 6"),
            "{error}"
        );
        assert!(error.contains("unknown field `mew`"), "{error}");
    }
}
