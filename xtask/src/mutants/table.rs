//! What became of the mutants, on the screen and in `docs/mutants.md`.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, bail};

use super::mutant::{Guard, Kind, Mutant};
use crate::Result;

const PAGE: &str = "docs/mutants.md";

/// What became of a mutant.
#[derive(PartialEq, Eq)]
pub enum Verdict {
    Caught {
        by: String,
    },
    Survived,
    /// No mutant at all: the table of rules is to be mended.
    DoesNotBuild(String),
}

pub struct Outcome {
    pub number: usize,
    pub mutant: Mutant,
    pub verdict: Verdict,
    pub took: Duration,
}

impl Outcome {
    pub fn line(&self) -> String {
        let seconds = self.took.as_secs_f64();
        format!("{} ({seconds:.0} s): {}", self.mutant.name, self.words())
    }

    fn words(&self) -> String {
        match (&self.verdict, &self.mutant.guard) {
            (Verdict::Caught { by }, guard) => match guard {
                Guard::Nothing(_) => format!("caught by {by}, though it was argued to survive"),
                // A guard may name a whole file.
                _ if by.starts_with(&self.mutant.expected()) => format!("caught by {by}"),
                _ => format!("caught by {by}, not by {}", self.mutant.expected()),
            },
            (Verdict::Survived, Guard::Nothing(why)) => format!("survives: {why}"),
            (Verdict::Survived, _) => "SURVIVES".into(),
            (Verdict::DoesNotBuild(error), _) => format!("DOES NOT BUILD: {error}"),
        }
    }

    /// Caught, or argued.
    fn is_settled(&self) -> bool {
        match &self.verdict {
            Verdict::Caught { .. } => true,
            Verdict::Survived => {
                self.mutant.kind == Kind::Ordering && matches!(self.mutant.guard, Guard::Nothing(_))
            }
            Verdict::DoesNotBuild(_) => false,
        }
    }
}

fn of_kind(outcomes: &[Outcome], kind: Kind) -> impl Iterator<Item = &Outcome> {
    let outcomes = outcomes.iter();
    outcomes.filter(move |outcome| outcome.mutant.kind == kind)
}

/// A line for each kind.
pub fn summary(outcomes: &[Outcome]) -> String {
    let line = |(kind, title)| {
        let of_kind = || of_kind(outcomes, kind);
        let is_caught = |it: &&Outcome| matches!(it.verdict, Verdict::Caught { .. });
        let (all, caught) = (of_kind().count(), of_kind().filter(is_caught).count());
        let settled = of_kind().filter(|it| it.is_settled()).count();
        let (argued, open) = (settled - caught, all - settled);
        format!(
            "{title}: {all} mutants, {caught} caught, {argued} survive and are argued, {open} open\n"
        )
    };
    let kinds = [(Kind::Rule, "rules"), (Kind::Ordering, "orderings")];
    kinds.map(line).concat()
}

/// Fails with those that neither were caught nor are argued.
pub fn verdict(outcomes: &[Outcome]) -> Result {
    let open = outcomes.iter().filter(|outcome| !outcome.is_settled());
    let open: Vec<String> = open.map(Outcome::line).collect();
    if !open.is_empty() {
        bail!("mutants that nothing noticed:\n{}", open.join("\n"));
    }
    Ok(())
}

/// Writes the page, unless a mutant is still to be tried.
pub fn write(outcomes: &[Outcome]) -> Result {
    let is_tried = |outcome: &Outcome| !matches!(outcome.verdict, Verdict::DoesNotBuild(_));
    if !outcomes.iter().all(is_tried) {
        return Ok(());
    }
    let took: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    let minutes = took.as_secs() / 60;
    let date = jiff::Zoned::now().date();
    let mut page = format!(
        "# Mutants of the core\n\n\
         Written by `cargo xtask mutants` on {date}; the mutants took {minutes} minutes, added up. Each row is one change of the sources, made in \
         a copy,\nand what noticed it: a loom model or a test. [verification.md](verification.md) says how to read it.\n\n```text\n{}```\n",
        summary(outcomes)
    );
    let rules = "Rules of the protocols, each taken out";
    let orderings = "Orderings, each a step weaker, and fences, each taken out";
    for (kind, title) in [(Kind::Rule, rules), (Kind::Ordering, orderings)] {
        write!(page, "\n## {title}\n\n| mutant | verdict |\n|---|---|\n")?;
        for outcome in of_kind(outcomes, kind) {
            let name = outcome.mutant.name.split_once(": ");
            let name = name.map_or("", |(_, name)| name);
            writeln!(page, "| {name} | {} |", outcome.words().replace('\n', " "))?;
        }
    }
    std::fs::write(PAGE, page).context(PAGE)
}
