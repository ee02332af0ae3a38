//! Each ordering of the core one step weaker, and each fence out.
//!
//! What there is to weaken is found in the sources. Which model notices stands in the crate's page
//! of orderings, a row for each step, so the page and the sources are held against each other: an
//! operation without a row, or a row without its operation, is an error.

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;

use anyhow::{Context, bail};

use super::mutant::{Guard, Kind, Mutant};
use super::source;
use crate::Result;

const PAGE: &str = "src/docs/orderings.rs";

/// One step that can be taken from the sources.
struct Step {
    /// File, function, and order as the page writes it: `A`, `R`, `A of AR`, `R of AR`, `SC`,
    /// `fence`.
    name: String,
    at: Range<usize>,
    weaker: &'static str,
}

/// One row of the page.
struct Row {
    name: String,
    guard: Guard,
}

/// A mutant for each step.
pub fn mutants() -> Result<Vec<Mutant>> {
    let page = fs::read_to_string(PAGE).context(PAGE)?;
    let mut rows: VecDeque<Row> = rows(&page)?;
    let mut mutants = Vec::new();
    for source in source::core()? {
        let (path, text) = (&source.path, &source.text);
        for step in steps(path, text) {
            let Row { name, guard } = take_row(&mut rows, &step)?;
            let mut mutated = text.clone();
            mutated.replace_range(step.at.clone(), step.weaker);
            let line = text[..step.at.start].lines().count();
            mutants.push(Mutant {
                name: format!("ordering: {name} (line {line})"),
                kind: Kind::Ordering,
                files: vec![(path.clone(), mutated)],
                guard,
            });
        }
    }
    if let Some(Row { name, .. }) = rows.front() {
        bail!("{PAGE}: {name}: the sources have no such operation");
    }
    Ok(mutants)
}

/// The first row for the same operation: those of one function stand in the order of its code.
fn take_row(rows: &mut VecDeque<Row>, step: &Step) -> Result<Row> {
    let found = rows.iter().position(|row| row.name == step.name);
    let row = found.and_then(|at| rows.remove(at));
    row.with_context(|| format!("{PAGE}: no row for {}", step.name))
}

/// `//! | file | function | order | edge | why | model |`; or `none: ` and the reason for a model.
fn rows(page: &str) -> Result<VecDeque<Row>> {
    let mut rows = VecDeque::new();
    for line in page.lines() {
        let Some(cells) = line.strip_prefix("//! |") else {
            continue;
        };
        let cells = cells.trim_end().trim_end_matches('|').replace('`', "");
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        match cells.as_slice() {
            [file, function, order, _edge, _why, guard] if file.ends_with(".rs") => {
                let name = format!("{file} {function} {order}");
                let guard = match guard.split_once(' ') {
                    Some(_) => Guard::parse(guard)?,
                    None => Guard::parse(&format!("model {guard}"))?,
                };
                rows.push_back(Row { name, guard });
            }
            [file, ..] if file.ends_with(".rs") => bail!("{PAGE}: not six cells: {line}"),
            _ => {}
        }
    }
    Ok(rows)
}

/// Everything in a file that is not Relaxed, up to its tests.
fn steps(path: &str, text: &str) -> Vec<Step> {
    let file = path.trim_start_matches("src/");
    let mut steps = Vec::new();
    let mut function = String::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let offset = start;
        start += line.len();
        if line.starts_with("#[cfg(") && line.contains("test") {
            break;
        }
        let code = line.split("//").next().unwrap_or("");
        if let Some(name) = function_of(code) {
            function = name;
        }
        for (order, at, weaker) in weaker(code) {
            steps.push(Step {
                name: format!("{file} {function} {order}"),
                at: offset + at.start..offset + at.end,
                weaker,
            });
        }
    }
    steps
}

fn function_of(code: &str) -> Option<String> {
    let (before, after) = code.split_once("fn ")?;
    let is_item = before.split_whitespace().all(|word| {
        matches!(
            word,
            "pub" | "pub(crate)" | "pub(super)" | "unsafe" | "const"
        )
    });
    let name = after
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()?;
    (is_item && !name.is_empty()).then(|| name.to_owned())
}

/// Each way to weaken a line by one step: how the page calls it, where, and what comes there
/// instead.
fn weaker(code: &str) -> Vec<(&'static str, Range<usize>, &'static str)> {
    const FENCES: [&str; 3] = [
        "crate::sync::fence(Ordering::SeqCst)",
        "fence(Ordering::SeqCst)",
        "fence_behind_exchange(Ordering::SeqCst)",
    ];
    for fence in FENCES {
        if let Some(at) = code.find(fence) {
            return vec![("fence", at..at + fence.len(), "()")];
        }
    }
    let mut found = Vec::new();
    for (at, _) in code.match_indices("Ordering::") {
        let start = at + "Ordering::".len();
        let order: &str = code[start..]
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or("");
        let range = start..start + order.len();
        match order {
            "Acquire" => found.push(("A", range, "Relaxed")),
            "Release" => found.push(("R", range, "Relaxed")),
            "AcqRel" => {
                found.push(("A of AR", range.clone(), "Release"));
                found.push(("R of AR", range, "Acquire"));
            }
            "SeqCst" if code.contains(".load(") => found.push(("SC", range, "Acquire")),
            "SeqCst" if code.contains(".store(") => found.push(("SC", range, "Release")),
            "SeqCst" => found.push(("SC", range, "AcqRel")),
            _ => {}
        }
    }
    found
}
