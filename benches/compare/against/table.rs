//! What a comparison with another day prints.

use super::contest::Contest;
use super::judge::Ratios;
use super::{Options, Row};
use crate::machine::{self, Machine};
use crate::number;
use crate::place::Cores;
use crate::report::Table;
use crate::stats;

pub fn print(cores: Cores, contest: &Contest, options: &Options<'_>, rows: &[Row]) {
    introduce(cores, contest, options, rows);
    let mut table = Table::new(&[
        "cell",
        "now",
        "now against itself: least..greatest (median)",
        "before / now [middle half]",
        "domain (flag, ns)",
        "verdict",
    ]);
    for row in rows {
        let [now, itself, before] = match &row.first {
            Ok(ratios) => figures(row, ratios),
            Err(_) => Default::default(),
        };
        table.row(&[
            row.cell.clone(),
            now,
            itself,
            before,
            row.domain.map_or(String::new(), |domain| {
                format!("{domain} ({:.0})", row.flag)
            }),
            verdict(row),
        ]);
    }
    println!("{}", table.text());
    warn(rows);
}

fn introduce(cores: Cores, contest: &Contest, options: &Options<'_>, rows: &[Row]) {
    let machine = Machine::look(cores);
    println!(
        "processor: {} ({}), {} cores, {}; {}, {}",
        machine.cpu,
        machine::model(),
        machine.cores,
        machine.caches.join(", "),
        machine.rustc,
        machine.date,
    );
    let measured = rows.iter().filter(|row| row.domain.is_some());
    let flags: Vec<f64> = measured.map(|row| row.flag).collect();
    if !flags.is_empty() {
        println!(
            "flag from core to core, one way: {:.0} ns (from {:.0} to {:.0})",
            stats::median(&flags),
            flags.iter().copied().fold(f64::INFINITY, f64::min),
            flags.iter().copied().fold(0.0, f64::max),
        );
    }
    let same = match contest.is_same {
        true => " (both programs are the same to the byte)",
        false => "",
    };
    println!(
        "{} runs, a process each; threads lost their cores {} times in them",
        contest.runs, contest.preemptions
    );
    println!(
        "before: the core of {}; now: the working tree{same}; {} rounds; peers and frozen \
         publishers are left out\n",
        options.commit, contest.rounds,
    );
}

/// Says where a machine that others use, too, left little to say.
fn warn(rows: &[Row]) {
    let last = |row: &Row| match row.alone.as_ref().unwrap_or(&row.first) {
        Ok(ratios) => ratios.is_wide(),
        Err(_) => false,
    };
    let wide = rows.iter().filter(|row| last(row)).count();
    if wide > 0 {
        println!(
            "In {wide} of {} cells now differs from itself by half or more from round to round: \"as before\" says little there.\n",
            rows.len()
        );
    }
}

fn figures(row: &Row, ratios: &Ratios) -> [String; 3] {
    [
        format!(
            "{} {}",
            number::short(number::scaled(ratios.now, row.unit)),
            number::unit_name(row.unit)
        ),
        itself(ratios),
        number::ratio(ratios.before),
    ]
}

fn itself(ratios: &Ratios) -> String {
    format!(
        "{:.2}..{:.2} ({:.2})",
        ratios.least, ratios.greatest, ratios.median
    )
}

/// With the figures of the second time, where there was one.
fn verdict(row: &Row) -> String {
    match &row.alone {
        Some(Ok(alone)) => format!(
            "{}; alone: {} of {}",
            row.verdict(),
            number::ratio(alone.before),
            itself(alone)
        ),
        _ => row.verdict().to_string(),
    }
}
