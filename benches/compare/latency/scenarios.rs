//! Which candidates meet at which rate, and what is to be reached.

use std::time::Duration;

use ::ringbus::{ExclusivePublisher, Publisher};
use ringbus_benches::payload::Event48;

use super::candidates::ringbus::{self, Manner};
use super::candidates::{clock_alone, crossbeam, disruptor, photon_ring, raw, tokio};
use super::plan::{Plan, rate_name};
use super::set::{Candidate, Of, Set, View};
use crate::place::Cores;
use crate::record::Bound::AtMost;

type Exclusive = ExclusivePublisher<Event48>;
type Shared = Publisher<Event48>;

/// Events a second, at which a subscriber sleeps between any two.
const AT_REST: u64 = 10_000;
const PARKED: &str = "latency, parked";
const FLAG: &str = "raw flag";
const UNPARK: &str = "raw flag and unpark";
const TOKIO: &str = "tokio broadcast";
const CROSSBEAM: &str = "crossbeam-channel (one to one)";
const DISRUPTORS: [&str; 2] = ["disruptor, polled", "disruptor, its own thread"];
const PHOTONS: [&str; 2] = ["photon-ring, lossy channel", "photon-ring, bounded channel"];

pub fn all(cores: Cores, quick: bool) -> Vec<Set> {
    let plan = move |rate| move || Plan::new(cores, rate, quick);
    let mut sets = Vec::new();
    for rate in [10_000, 100_000, 1_000_000] {
        sets.push(spinning(cores, rate, plan(rate)));
    }
    for rate in [1_000, AT_REST, 100_000] {
        sets.push(parked(cores, rate, plan(rate)));
        sets.push(parked_exclusive(cores, rate, plan(rate)));
        sets.push(tasks(cores, rate, plan(rate)));
    }
    for rate in [100_000, 1_000_000] {
        sets.push(calls(cores, rate, plan(rate)));
    }
    sets
}

/// Why the worker's thread does not disturb: nobody waits for it to be woken.
const WORKER_SLEEPS: &str = "ringbus's worker thread is there too, asleep";

fn spinning(cores: Cores, rate: u64, plan: impl Fn() -> Plan + Copy + 'static) -> Set {
    let mut view = View::new(
        format!("one way, spinning, {}", rate_name(rate)),
        Of::OneWay,
    )
    .target("p50", FLAG, AtMost(1.15));
    for peer in DISRUPTORS.into_iter().chain(PHOTONS) {
        view = view.target("p50", peer, AtMost(1.0));
    }
    let exclusive = move || ringbus::spinning::<Exclusive>(plan(), Manner::Wait);
    Set {
        group: "latency, spinning",
        placement: format!(
            "publisher alone on core {}, spinning on the clock; core {}: the subscriber spins; {WORKER_SLEEPS}",
            cores.publisher, cores.subscriber
        ),
        candidates: vec![
            Candidate::new("ringbus, exclusive", exclusive),
            Candidate::new("ringbus, exclusive (again)", exclusive),
            Candidate::new("ringbus, shared", move || {
                ringbus::spinning::<Shared>(plan(), Manner::Wait)
            }),
            Candidate::new(DISRUPTORS[0], move || disruptor::polled(plan())),
            Candidate::new(DISRUPTORS[1], move || {
                disruptor::on_its_thread(plan(), ::disruptor::BusySpin)
            }),
            Candidate::lossy(PHOTONS[0], move || photon_ring::lossy(plan())),
            Candidate::new(PHOTONS[1], move || photon_ring::bounded(plan())),
            Candidate::lossy(FLAG, move || raw::spinning(plan())),
            Candidate::new("the clock alone", move || clock_alone::one_way(plan())),
        ],
        views: vec![view],
    }
}

fn parked(cores: Cores, rate: u64, plan: impl Fn() -> Plan + Copy + 'static) -> Set {
    let shared = move || ringbus::parked::<Shared>(plan(), Manner::Wait);
    let mut view = View::new(format!("one way, parked, {}", rate_name(rate)), Of::OneWay);
    if rate == AT_REST {
        view = view.target("p50", UNPARK, AtMost(1.1));
        for peer in [TOKIO, CROSSBEAM] {
            view = view.target("p50", peer, AtMost(1.2));
        }
    }
    Set {
        group: PARKED,
        placement: asleep(cores),
        candidates: vec![
            Candidate::new("ringbus, shared", shared),
            Candidate::new("ringbus, shared (again)", shared),
            Candidate::lossy(TOKIO, move || tokio::parked(plan())),
            Candidate::new(CROSSBEAM, move || crossbeam::parked(plan())),
            Candidate::new("disruptor, its own thread, Sleep(1 µs)", move || {
                let nap = Duration::from_micros(1);
                disruptor::on_its_thread(plan(), ::disruptor::Sleep::new(nap))
            }),
            Candidate::lossy(UNPARK, move || raw::parked(plan())),
        ],
        views: vec![view],
    }
}

fn parked_exclusive(cores: Cores, rate: u64, plan: impl Fn() -> Plan + Copy + 'static) -> Set {
    let exclusive = move || ringbus::parked::<Exclusive>(plan(), Manner::Wait);
    let mut view = View::new(
        format!("one way, parked, exclusive, {}", rate_name(rate)),
        Of::OneWay,
    );
    if rate == AT_REST {
        view = view.target("p50", UNPARK, AtMost(1.35));
    }
    Set {
        group: PARKED,
        placement: asleep(cores),
        candidates: vec![
            Candidate::new("ringbus, exclusive", exclusive),
            Candidate::new("ringbus, exclusive (again)", exclusive),
            Candidate::new("ringbus, exclusive, wake after each", move || {
                ringbus::parked::<Exclusive>(plan(), Manner::WaitAndWake)
            }),
            Candidate::lossy(UNPARK, move || raw::parked(plan())),
        ],
        views: vec![view],
    }
}

fn tasks(cores: Cores, rate: u64, plan: impl Fn() -> Plan + Copy + 'static) -> Set {
    let shared = move || ringbus::task::<Shared>(plan(), Manner::Wait);
    let mut view = View::new(format!("one way, a task, {}", rate_name(rate)), Of::OneWay);
    if rate == AT_REST {
        view = view.target("p50", TOKIO, AtMost(2.0));
    }
    Set {
        group: PARKED,
        placement: format!(
            "{}; tokio's runtime is on the subscriber's thread",
            asleep(cores)
        ),
        candidates: vec![
            Candidate::new("ringbus, shared", shared),
            Candidate::new("ringbus, shared (again)", shared),
            Candidate::new("ringbus, exclusive", move || {
                ringbus::task::<Exclusive>(plan(), Manner::Wait)
            }),
            Candidate::lossy(TOKIO, move || tokio::task(plan())),
        ],
        views: vec![view],
    }
}

fn asleep(cores: Cores) -> String {
    format!(
        "publisher alone on core {}, spinning on the clock; core {}: the subscriber, asleep between events, and ringbus's \
         worker thread, which wakes what the publisher does not",
        cores.publisher, cores.subscriber
    )
}

/// `report` itself: it waits for nobody, so there is no peer to it.
fn calls(cores: Cores, rate: u64, plan: impl Fn() -> Plan + Copy + 'static) -> Set {
    let exclusive = move || ringbus::spinning::<Exclusive>(plan(), Manner::Evict);
    Set {
        group: "latency, a call of report",
        placement: format!(
            "publisher alone on core {}, spinning on the clock; core {}: one subscriber spins; {WORKER_SLEEPS}",
            cores.publisher, cores.subscriber
        ),
        candidates: vec![
            Candidate::lossy("ringbus, exclusive", exclusive),
            Candidate::lossy("ringbus, exclusive (again)", exclusive),
            Candidate::lossy("ringbus, shared", move || {
                ringbus::spinning::<Shared>(plan(), Manner::Evict)
            }),
            Candidate::new("the clock alone", move || clock_alone::calls(plan())),
        ],
        views: vec![View::new(
            format!("a call of report, {}", rate_name(rate)),
            Of::Calls,
        )],
    }
}
