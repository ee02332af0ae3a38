//! The closing tables.

use std::fmt::Display;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::listen::{End, Heard};
use crate::publish::Published;
use crate::work::Work;

pub fn publisher(published: &Published) -> Table {
    let latency = &published.latency;
    let report = |quantile| nanos(latency.value_at_quantile(quantile));
    let events = published.tally.events;
    let rate = events as f64 / published.elapsed.as_secs_f64();
    let mut table = new_table(["publisher", "", "report", ""]);
    table.add_row(["events", &grouped(events), "p50", &report(0.5)]);
    table.add_row(["took", &duration(published.elapsed), "p99", &report(0.99)]);
    table.add_row([
        "events a second",
        &grouped(rate as u64),
        "p99.9",
        &report(0.999),
    ]);
    table.add_row(["core", &core(published.core), "max", &nanos(latency.max())]);
    align_right(&mut table, [1, 3]);
    table
}

pub fn subscribers(heard: &[Heard]) -> Table {
    let mut table = new_table([
        "subscriber",
        "core",
        "delivered",
        "lag when told",
        "worst before",
        "status",
        "reason",
    ]);
    for heard in heard {
        let (status, reason) = match &heard.end {
            End::Closed => ("read everything", String::new()),
            End::Evicted(eviction) => ("dropped", eviction.reason.to_string()),
            End::Left => ("not dropped", "the input ended first".into()),
            End::Odd(reason) => ("failed", reason.clone()),
        };
        table.add_row([
            &heard.role.name,
            &core(heard.role.core),
            &grouped(heard.work.tally.events),
            &grouped(heard.lag),
            &grouped(heard.worst_lag),
            status,
            &reason,
        ]);
    }
    align_right(&mut table, [1, 2, 3, 4]);
    table
}

pub fn text(work: &Work) -> Table {
    const FREQUENT: usize = 5;
    let mut table = new_table(["text", "", "frequent words", ""]);
    let counts = [
        ("lines", work.lines),
        ("bytes", work.bytes),
        ("longest line, bytes", work.longest),
        ("words", work.words),
        ("different words", work.different_words() as u64),
    ];
    let mut words = work.frequent_words(FREQUENT).into_iter();
    for (what, n) in counts {
        let (word, times) = words
            .next()
            .map_or_else(Default::default, |(word, n)| (printable(word), grouped(n)));
        table.add_row([what, &grouped(n), &word, &times]);
    }
    align_right(&mut table, [1, 3]);
    table
}

fn core(core: Option<usize>) -> String {
    core.map_or_else(|| "any".into(), |core| core.to_string())
}

fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    table
}

fn align_right<const N: usize>(table: &mut Table, columns: [usize; N]) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Text of any kind, so that it cannot upset a terminal.
fn printable(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// With a comma at every thousand.
fn grouped(n: impl Display) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn nanos(nanos: u64) -> String {
    duration(Duration::from_nanos(nanos))
}

/// With the unit that suits it.
fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    match duration.as_nanos() {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanos / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}
