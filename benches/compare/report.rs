//! The report: what a reader gets of records that differ in the target they were compiled for, in
//! the processor, or in how the two cores lay to each other. Each of these has columns of its own.

use std::collections::BTreeSet;
use std::fmt::Write;

use comfy_table::presets;

use crate::machine::Machine;
use crate::number;
use crate::record::{Record, Scenario, Series};
use crate::rounds::Domain;
use crate::stats::Spread;

mod text;

/// Takes records apart by the domain that their rounds ran in, and names each after what sets it
/// apart.
pub fn columns(records: &[Record]) -> Vec<Record> {
    let mut all = Vec::new();
    let processors: BTreeSet<&str> = records.iter().map(|it| it.machine.cpu.as_str()).collect();
    for record in records {
        let scenarios = || record.scenarios.iter();
        let domains: BTreeSet<Domain> = scenarios().map(|scenario| scenario.domain).collect();
        all.extend(domains.into_iter().map(|domain| {
            let mut name = format!("{}, {domain}", record.target);
            if processors.len() > 1 {
                let _ = write!(name, ", {}", record.machine.cpu);
            }
            let here = scenarios().filter(|scenario| scenario.domain == domain);
            Record {
                target: name,
                quick: record.quick,
                machine: record.machine.clone(),
                scenarios: here.cloned().collect(),
            }
        }));
    }
    all
}

/// Fewer rounds decide nothing: a quick run has as many.
const FEWEST_ROUNDS: usize = 5;

/// The whole page.
pub fn page(records: &[Record]) -> String {
    let mut page = format!("# Benchmarks\n\n{}\n", text::INTRODUCTION);
    if records.iter().any(|record| record.quick) {
        page.push_str("**This was a quick run: few rounds, and so a wide spread.**\n\n");
    }
    machine(&mut page, records);
    page.push_str("## What is to be reached\n\n");
    page.push_str(&targets(records));
    let mut group = "";
    for scenario in scenarios(records) {
        if scenario.group != group {
            group = &scenario.group;
            heading(&mut page, group, records);
        }
        describe(&mut page, scenario, records);
    }
    page
}

/// What was to be reached, and what was.
pub fn targets(records: &[Record]) -> String {
    let mut columns = vec!["scenario", "ours against", "bound"];
    columns.extend(records.iter().map(|record| record.target.as_str()));
    let mut table = Table::new(&columns);
    for scenario in scenarios(records) {
        for target in &scenario.targets {
            let mut cells = vec![
                format!("{}: {}", scenario.group, scenario.name),
                target.against.clone(),
                number::bound(target.bound),
            ];
            cells.extend(records.iter().map(|record| {
                let ratio = find(record, scenario).and_then(|here| {
                    let mut series = here.series.iter();
                    let theirs = series.find(|s| s.candidate == target.against)?;
                    Some((here.domain, theirs.samples.len(), ratio(here, theirs)?))
                });
                match ratio {
                    Some((_, rounds, ratio)) if rounds < FEWEST_ROUNDS => {
                        format!("{} in {rounds} rounds only", number::ratio(ratio))
                    }
                    Some((Domain::Shared, _, ratio)) => format!(
                        "{} {}",
                        number::ratio(ratio),
                        number::verdict(target.bound, ratio)
                    ),
                    // The bounds hold in one domain only.
                    Some((_, _, ratio)) => number::ratio(ratio),
                    None => "not measured".into(),
                }
            }));
            table.row(&cells);
        }
    }
    table.text()
}

/// A file's name for a group's plot.
pub fn plot_name(target: &str, group: &str) -> String {
    format!("{}.svg", words(&[target, group]))
}

/// A file's name for each record, which no other has.
pub fn raw_names(records: &[Record]) -> Vec<String> {
    let has_company = |record: &Record| {
        let same = records.iter().filter(|other| other.target == record.target);
        same.count() > 1
    };
    let names = records.iter().map(|record| match has_company(record) {
        true => format!("{}.json", words(&[&record.target, &record.machine.cpu])),
        false => format!("{}.json", record.target),
    });
    names.collect()
}

fn words(texts: &[&str]) -> String {
    let words: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

/// Those of the first record, then what only others have.
fn scenarios(records: &[Record]) -> Vec<&Scenario> {
    let mut all: Vec<&Scenario> = Vec::new();
    for scenario in records.iter().flat_map(|record| &record.scenarios) {
        if !all.iter().any(|known| is_same(known, scenario)) {
            all.push(scenario);
        }
    }
    // Groups stay together, in the order in which they came.
    let mut groups: Vec<&str> = Vec::new();
    for scenario in &all {
        if !groups.contains(&scenario.group.as_str()) {
            groups.push(&scenario.group);
        }
    }
    all.sort_by_key(|scenario| groups.iter().position(|group| *group == scenario.group));
    all
}

fn is_same(one: &Scenario, other: &Scenario) -> bool {
    (&one.group, &one.name) == (&other.group, &other.name)
}

fn find<'a>(record: &'a Record, scenario: &Scenario) -> Option<&'a Scenario> {
    record.scenarios.iter().find(|here| is_same(here, scenario))
}

/// Ours to theirs; none of a candidate to itself, or without samples.
fn ratio(scenario: &Scenario, theirs: &Series) -> Option<Spread> {
    let ours = scenario.series.first()?;
    let measured = !ours.samples.is_empty() && !theirs.samples.is_empty();
    (measured && !std::ptr::eq(ours, theirs))
        .then(|| Spread::of_ratios(&ours.samples, &theirs.samples))
}

fn machine(page: &mut String, records: &[Record]) {
    let mut columns = vec!["the machine"];
    columns.extend(records.iter().map(|record| record.target.as_str()));
    let mut table = Table::new(&columns);
    let mut fact = |name: &str, of: &dyn Fn(&Machine) -> String| {
        let mut cells = vec![name.to_owned()];
        cells.extend(records.iter().map(|record| of(&record.machine)));
        table.row(&cells);
    };
    let maybe = |known: Option<bool>| match known {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    fact("processor", &|machine| machine.cpu.clone());
    fact("cores", &|machine| machine.cores.to_string());
    fact("virtual", &|machine| {
        maybe(Some(machine.virtual_machine)).into()
    });
    fact("caches", &|machine| machine.caches.join(", "));
    fact(
        "both cores in one cache domain, as the system says",
        &|machine| maybe(machine.shares_l3).into(),
    );
    fact("both cores threads of one", &|machine| {
        maybe(machine.siblings).into()
    });
    fact("kernel", &|machine| machine.kernel.clone());
    fact("compiler", &|machine| machine.rustc.clone());
    fact("vector instructions", &|machine| machine.vectors.join(", "));
    fact("date", &|machine| machine.date.clone());
    let mut cells = vec!["flag from core to core, one way, ns".to_owned()];
    cells.extend(records.iter().map(|record| {
        let flags: Vec<f64> = record.scenarios.iter().map(|s| s.flag).collect();
        let least = flags.iter().copied().fold(f64::INFINITY, f64::min);
        let most = flags.iter().copied().fold(0.0, f64::max);
        let median = crate::stats::median(&flags);
        format!("{median:.0} (from {least:.0} to {most:.0})")
    }));
    table.row(&cells);
    page.push_str(&table.text());
    page.push('\n');
}

fn heading(page: &mut String, group: &str, records: &[Record]) {
    let mut title = group.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let _ = writeln!(page, "\n## {title}\n");
    for record in records {
        let (target, file) = (&record.target, plot_name(&record.target, group));
        if record.scenarios.iter().any(|s| s.group == group) {
            let _ = writeln!(page, "![{title}, {target} target](benchmarks/{file})\n");
        }
    }
}

fn describe(page: &mut String, scenario: &Scenario, records: &[Record]) {
    let _ = writeln!(page, "### {}\n", scenario.name);
    let _ = writeln!(page, "{}.", scenario.placement);
    let here: Vec<_> = records
        .iter()
        .filter_map(|record| Some((record.target.as_str(), find(record, scenario)?)))
        .collect();
    for (target, here) in &here {
        let _ = writeln!(
            page,
            "Flag from core to core, {target}: {:.0} ns.",
            here.flag
        );
    }
    page.push('\n');
    let unit = number::unit_name(scenario.unit);
    let mut columns = vec!["candidate".to_owned()];
    for (target, _) in &here {
        columns.extend([
            format!("{target}, {unit}"),
            "ours / theirs".into(),
            "lost".into(),
            "preempted".into(),
        ]);
    }
    let mut table = Table::new(&columns);
    for candidate in candidates(&here) {
        let mut cells = vec![candidate.to_owned()];
        for (_, here) in &here {
            match here.series.iter().find(|s| s.candidate == candidate) {
                Some(series) => cells.extend(figures(here, series)),
                None => cells.extend(std::iter::repeat_n(String::new(), 4)),
            }
        }
        table.row(&cells);
    }
    page.push_str(&table.text());
    page.push('\n');
}

fn candidates<'a>(here: &[(&str, &'a Scenario)]) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for series in here.iter().flat_map(|(_, scenario)| &scenario.series) {
        if !all.contains(&series.candidate.as_str()) {
            all.push(&series.candidate);
        }
    }
    all
}

fn figures(scenario: &Scenario, series: &Series) -> [String; 4] {
    [
        number::spread(Spread::of(&series.samples), scenario.unit),
        ratio(scenario, series).map_or(String::new(), number::ratio),
        series.lost.to_string(),
        series.preemptions.to_string(),
    ]
}

/// A table in Markdown.
pub struct Table(comfy_table::Table);

impl Table {
    pub fn new(columns: &[impl AsRef<str>]) -> Table {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::ASCII_MARKDOWN)
            .set_header(columns.iter().map(escaped));
        Table(table)
    }

    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        self.0.add_row(cells.iter().map(escaped));
    }

    pub fn text(self) -> String {
        format!("{}\n", self.0)
    }
}

/// A cell's text, in which nothing ends the cell.
fn escaped(cell: impl AsRef<str>) -> String {
    cell.as_ref().replace('|', "\\|")
}

#[cfg(test)]
mod tests;
