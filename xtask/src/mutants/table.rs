//! What became of the mutants, on the screen and in `docs/mutants.md`.

use std::fmt::Write;
use std::time::Duration;

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

pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    pub fn new(outcomes: Vec<Outcome>) -> Report {
        Report { outcomes }
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (kind, title) in [(Kind::Rule, "rules"), (Kind::Ordering, "orderings")] {
            let of_kind = || {
                self.outcomes
                    .iter()
                    .filter(move |outcome| outcome.mutant.kind == kind)
            };
            let caught =
                of_kind().filter(|outcome| matches!(outcome.verdict, Verdict::Caught { .. }));
            let (all, caught) = (of_kind().count(), caught.count());
            let settled = of_kind().filter(|outcome| outcome.is_settled()).count();
            let argued = settled - caught;
            let open = all - settled;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{title}: {all} mutants, {caught} caught, {argued} survive and are argued, {open} open"
            );
        }
        text
    }

    /// The first that neither was caught nor is argued is the error.
    pub fn verdict(&self) -> Result {
        let open: Vec<String> = self
            .outcomes
            .iter()
            .filter(|outcome| !outcome.is_settled())
            .map(Outcome::line)
            .collect();
        if open.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "mutants that nothing noticed:\n{}",
                open.join("\n")
            ))
        }
    }

    /// Writes the page, unless a mutant is still to be tried.
    pub fn write(&self) -> Result {
        let is_tried = |outcome: &Outcome| !matches!(outcome.verdict, Verdict::DoesNotBuild(_));
        if !self.outcomes.iter().all(is_tried) {
            return Ok(());
        }
        let took: Duration = self.outcomes.iter().map(|outcome| outcome.took).sum();
        let minutes = took.as_secs() / 60;
        let date = jiff::Zoned::now().date();
        let mut page = format!(
            "# Mutants of the core\n\n\
             Written by `cargo xtask mutants` on {date}; the mutants took {minutes} minutes, added up. Each row is one change of the sources, made in \
             a copy,\nand what noticed it: a loom model or a test. [verification.md](verification.md) says how to read it.\n\n```text\n{}```\n",
            self.text()
        );
        for (kind, title) in [
            (Kind::Rule, "Rules of the protocols, each taken out"),
            (
                Kind::Ordering,
                "Orderings, each a step weaker, and fences, each taken out",
            ),
        ] {
            let _ = write!(page, "\n## {title}\n\n| mutant | verdict |\n|---|---|\n");
            for outcome in self
                .outcomes
                .iter()
                .filter(|outcome| outcome.mutant.kind == kind)
            {
                let name = outcome
                    .mutant
                    .name
                    .split_once(": ")
                    .map_or("", |(_, name)| name);
                let _ = writeln!(page, "| {name} | {} |", outcome.words().replace('\n', " "));
            }
        }
        std::fs::write(PAGE, page).map_err(|error| format!("{PAGE}: {error}"))
    }
}
