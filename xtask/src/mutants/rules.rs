//! The rules of the protocols, each taken out, as `loom-tests/mutants` lists them.

use std::ops::Range;

use serde::Deserialize;

use super::matcher::Tokens;
use super::mutant::{Guard, Kind, Mutant, Target, read};
use super::sources::{self, Source};
use crate::Result;

/// Where the tables are.
const FOLDER: &str = "loom-tests/mutants";

/// The tables by subject, in the order in which their rules are tried.
const TABLES: &[&str] = &[
    "claim",
    "gate",
    "join",
    "wake",
    "close",
    "fanout",
    "freeze",
    "exclusive",
    "in_place",
    "run",
    "hole",
    "batch",
    "turn",
];

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
    let core = sources::core()?;
    let mut mutants = Vec::new();
    let mut faults = Vec::new();
    for table in TABLES {
        let path = format!("{FOLDER}/{table}.toml");
        for rule in parse(&path, &read(&path)?)? {
            match rule.mutant(&core) {
                Ok(mutant) => mutants.push(mutant),
                Err(why) => faults.push(format!("{path}: rule `{}`: {why}", rule.name)),
            }
        }
    }
    faults.extend(unlisted_tables()?);
    match faults.is_empty() {
        true => Ok(mutants),
        false => Err(faults.join("\n")),
    }
}

fn parse(path: &str, text: &str) -> Result<Vec<Rule>> {
    let table: Table = toml::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    Ok(table.rule)
}

fn unlisted_tables() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(FOLDER).map_err(|error| format!("{FOLDER}: {error}"))? {
        let path = entry.map_err(|error| format!("{FOLDER}: {error}"))?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if !TABLES.contains(&&*name) {
            let path = path.display();
            faults.push(format!("{path}: not listed in xtask/src/mutants/rules.rs"));
        }
    }
    Ok(faults)
}

impl Rule {
    fn mutant(&self, core: &[Source]) -> Result<Mutant> {
        Ok(Mutant {
            name: format!("rule: {}", self.name),
            kind: Kind::Rule,
            files: self.files(core)?,
            guard: self.guard()?,
        })
    }

    /// Returns the files that the edits change, with their new contents.
    fn files(&self, core: &[Source]) -> Result<Vec<(String, String)>> {
        let mut edited: Vec<Source> = Vec::new();
        for edit in &self.edit {
            let (source, place) = edit.place(core, &edited)?;
            let mut text = source.text().to_owned();
            text.replace_range(place, &edit.new);
            edited.retain(|earlier| earlier.path != source.path);
            edited.push(Source::new(source.path, text));
        }
        let files = edited.iter();
        let files = files.map(|source| (source.path.clone(), source.text().to_owned()));
        Ok(files.collect())
    }

    fn guard(&self) -> Result<Guard> {
        let (kind, path) = self.guard.split_once(' ').unwrap_or(("", &self.guard));
        let target = Target::parse(path);
        match kind {
            "model" => target
                .check("loom-tests/tests")
                .map(|()| Guard::Model(target)),
            "test" => target.check("tests").map(|()| Guard::Test(target)),
            _ => Err(format!("no guard is called `{}`", self.guard)),
        }
    }
}

impl Edit {
    /// Returns the file to edit, as earlier edits of the rule left it, and where.
    fn place(&self, core: &[Source], edited: &[Source]) -> Result<(Source, Range<usize>)> {
        let named = self.file.as_ref().map(|file| format!("src/{file}"));
        let is_edited = |path: &str| edited.iter().any(|source| source.path == path);
        let mut candidates: Vec<&Source> = core
            .iter()
            .filter(|source| !is_edited(&source.path))
            .chain(edited)
            .filter(|source| named.as_ref().is_none_or(|path| source.path == *path))
            .collect();
        let beside_core;
        if let Some(path) = &named
            && candidates.is_empty()
        {
            beside_core = Source::read(path.clone())?;
            candidates.push(&beside_core);
        }
        let wanted = Tokens::of(self.old.clone());
        let mut found = candidates.into_iter().flat_map(|source| {
            let places = source.tokens.find(&wanted).into_iter();
            places.map(move |place| (source, place))
        });
        match (found.next(), found.next()) {
            (Some((source, place)), None) => Ok((source.clone(), place)),
            (None, _) => {
                let place = named.as_deref().unwrap_or("the core");
                Err(format!("{place} does not have `{}`", self.old))
            }
            (Some(first), Some(second)) => {
                let places: Vec<String> = [first, second]
                    .into_iter()
                    .chain(found)
                    .map(|(source, place)| source.place(place.start))
                    .collect();
                let places = places.join(", ");
                Err(format!(
                    "`{}` stands in more than one place: {places}",
                    self.old
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core() -> Vec<Source> {
        let source = |path: &str, text: &str| Source::new(path.into(), text.into());
        vec![
            source("src/a.rs", "fn a() {\n    one();\n    two();\n}\n"),
            source("src/b.rs", "fn b() {\n    one();\n    three();\n}\n"),
        ]
    }

    fn edit(file: Option<&str>, old: &str, new: &str) -> Edit {
        Edit {
            file: file.map(str::to_owned),
            old: old.into(),
            new: new.into(),
        }
    }

    fn error(edit: &Edit) -> String {
        let place = edit.place(&core(), &[]);
        place.map(|(source, _)| source.path).unwrap_err()
    }

    #[test]
    fn a_text_that_stands_once_needs_no_file() {
        let (source, place) = edit(None, "three( );", "").place(&core(), &[]).unwrap();
        assert_eq!((&*source.path, place), ("src/b.rs", 24..32));
    }

    #[test]
    fn both_places_of_a_text_that_stands_twice_are_named() {
        assert_eq!(
            error(&edit(None, "one();", "")),
            "`one();` stands in more than one place: src/a.rs:2, src/b.rs:2"
        );
        let (source, _) = edit(Some("b.rs"), "one();", "")
            .place(&core(), &[])
            .unwrap();
        assert_eq!(source.path, "src/b.rs");
    }

    #[test]
    fn a_text_that_is_gone_is_an_error() {
        assert_eq!(
            error(&edit(None, "four();", "")),
            "the core does not have `four();`"
        );
        assert_eq!(
            error(&edit(Some("a.rs"), "three();", "")),
            "src/a.rs does not have `three();`"
        );
        assert_eq!(
            error(&edit(None, "// one();", "")),
            "the core does not have `// one();`"
        );
    }

    #[test]
    fn the_edits_of_a_rule_build_on_each_other() {
        let rule = Rule {
            name: "both".into(),
            guard: String::new(),
            edit: vec![
                edit(Some("a.rs"), "one();", "three();"),
                edit(Some("a.rs"), "three();", "four();"),
            ],
        };
        let text = "fn a() {\n    four();\n    two();\n}\n";
        assert_eq!(
            rule.files(&core()),
            Ok(vec![("src/a.rs".into(), text.into())])
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_that_says_where() {
        let text =
            "[[rule]]\nname = \"a\"\nguard = \"model b\"\n[[rule.edit]]\nold = 'a'\nmew = 'b'\n";
        let error = parse("x.toml", text).map(|_| ()).unwrap_err();
        assert!(
            error.contains("x.toml") && error.contains("line 6"),
            "{error}"
        );
        assert!(error.contains("unknown field `mew`"), "{error}");
    }
}
