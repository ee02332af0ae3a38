use super::*;
use crate::record::{Bound, Target, Unit};
use crate::rounds::Domain;

fn record(target: &str) -> Record {
    let series = |candidate: &str, samples: &[f64]| Series {
        candidate: candidate.into(),
        samples: samples.into(),
        lost: 0,
        preemptions: 2,
        curve: Vec::new(),
    };
    Record {
        target: target.into(),
        quick: true,
        machine: Machine {
            cpu: "A CPU".into(),
            cores: 2,
            virtual_machine: true,
            caches: vec!["L1 data 32K".into()],
            shares_l3: Some(true),
            siblings: None,
            kernel: "6.1".into(),
            rustc: "rustc 1.88.0".into(),
            vectors: vec!["sse2".into()],
            date: "2026-01-02".into(),
        },
        scenarios: vec![Scenario {
            group: "throughput, shared".into(),
            name: "8 B, ring 1024".into(),
            unit: Unit::EventsPerSecond,
            placement: "publisher on core 0".into(),
            domain: Domain::Shared,
            flag: 65.0,
            series: vec![
                series("ringbus", &[2e6, 3e6, 4e6, 3e6, 3e6]),
                series("other", &[1e6, 1.5e6, 2e6, 1.5e6, 1.5e6]),
            ],
            targets: vec![Target {
                against: "other".into(),
                bound: Bound::AtLeast(1.5),
            }],
        }],
    }
}

/// Without what makes the cells of a column as wide as each other.
fn squeezed(text: &str) -> String {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn targets_are_of_ratios_in_a_round() {
    let targets = squeezed(&targets(&[record("default"), record("native")]));
    let row = "| throughput, shared: 8 B, ring 1024 | other | at least 1.5 | 2.00 [2.00, 2.00] met | 2.00 [2.00, 2.00] met |";
    assert!(targets.contains(row), "{targets}");
}

#[test]
fn what_was_not_measured_is_said() {
    let mut native = record("native");
    native.scenarios.clear();
    let targets = squeezed(&targets(&[record("default"), native]));
    assert!(targets.contains("met | not measured |"), "{targets}");
}

#[test]
fn a_page_has_every_candidate_once_for_both_targets() {
    let page = squeezed(&page(&[record("default"), record("native")]));
    let row = "| other | 1.50 (1.50 to 1.50) | 2.00 [2.00, 2.00] | 0 | 2 | 1.50 (1.50 to 1.50) | 2.00 [2.00, 2.00] | 0 | 2 |";
    assert!(page.contains(row), "{page}");
    assert_eq!(page.matches("### 8 B, ring 1024").count(), 1);
    assert!(page.contains("(benchmarks/native-throughput-shared.svg)"));
}

#[test]
fn each_domain_and_each_processor_has_a_column_and_goals_hold_in_one() {
    let mut one = record("default");
    let mut two = one.scenarios[0].clone();
    two.domain = Domain::Separate;
    one.scenarios.push(two);
    let names = |records: &[Record]| -> Vec<String> {
        let columns = columns(records).into_iter();
        columns.map(|column| column.target).collect()
    };
    assert_eq!(
        names(&[one.clone()]),
        ["default, one domain", "default, two domains"]
    );
    let row = "| at least 1.5 | 2.00 [2.00, 2.00] met | 2.00 [2.00, 2.00] |";
    assert!(squeezed(&targets(&columns(&[one.clone()]))).contains(row));

    let mut other = record("default");
    other.machine.cpu = "Another".into();
    let names = names(&[one, other]);
    assert_eq!(
        names[1..],
        [
            "default, two domains, A CPU",
            "default, one domain, Another"
        ]
    );
}
