//! Subscribers that stall, that are dropped all the time, that come and go; and nobody, twice.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringbus::{Bus, ExclusivePublisher, Publisher};
use ringbus_benches::payload::Event48;
use ringbus_benches::publisher::PublisherKind;

use super::run::{Company, run};
use crate::error::Error;
use crate::latency::plan::{Plan, rate_name};
use crate::latency::round::Signs;
use crate::latency::set::{Candidate, Of, Set, View};
use crate::place::Cores;
use crate::record::Bound::AtMost;

pub const RATE: u64 = 200_000;

pub const NOBODY: &str = "nobody slow";
pub const NOBODY_AGAIN: &str = "nobody slow (again)";

pub fn sets(cores: Cores, quick: bool) -> Vec<Set> {
    let plan = move || Plan::new(cores, RATE, quick);
    vec![
        set::<Publisher<Event48>>(cores, "trouble, shared publisher", plan),
        set::<ExclusivePublisher<Event48>>(cores, "trouble, exclusive publisher", plan),
    ]
}

fn set<R: PublisherKind<Event = Event48>>(
    cores: Cores,
    group: &'static str,
    plan: impl Fn() -> Plan + Copy + 'static,
) -> Set {
    let [report, healthy] = views();
    // Round by round, (stalled / nobody) / (again / nobody) is stalled / again: the bound is on what is more than noise.
    let report = report.target("p99.9", NOBODY_AGAIN, AtMost(1.1));
    let candidate =
        |name, company: Company<R::Mode>| Candidate::lossy(name, move || run::<R>(plan(), company));
    Set {
        group,
        placement: placement(cores),
        candidates: vec![
            candidate("one stalled for good", Company::Stalled),
            candidate(NOBODY, Company::Nobody),
            candidate(NOBODY_AGAIN, Company::Nobody),
            candidate("one dropped all the time", Company::Visitor(dawdle)),
            candidate("8 joining and leaving", Company::Visitor(come_and_go)),
            candidate(
                "a third thread that only wakes up",
                Company::Visitor(wake_up),
            ),
        ],
        views: vec![report, healthy],
    }
}

/// What a publisher sees, and a healthy subscriber.
pub fn views() -> [View; 2] {
    let rate = rate_name(RATE);
    [
        View::new(format!("a call of report, {rate}"), Of::Calls),
        View::new(
            format!("one way to a healthy subscriber, {rate}"),
            Of::OneWay,
        ),
    ]
}

pub fn placement(cores: Cores) -> String {
    format!(
        "publisher alone on core {}, spinning on the clock; core {}: the healthy subscriber spins; ringbus's worker \
         thread is there too, and so is the third thread where there is one: while it runs, the healthy subscriber does \
         not",
        cores.publisher, cores.subscriber
    )
}

/// Between two acts of a third thread.
const PAUSE: Duration = Duration::from_micros(200);

/// Reads nothing until it is dropped, and joins again.
fn dawdle<M>(bus: &Bus<Event48, M>, signs: &Arc<Signs>) -> Result<(), Error> {
    let mut dawdler = bus.subscribe().map_err(|error| error.to_string())?;
    signs.arrive();
    let mut drops = 0;
    while !signs.is_over() {
        thread::sleep(PAUSE);
        if dawdler.eviction().is_some() {
            dawdler.rejoin().map_err(|error| error.to_string())?;
            drops += 1;
        }
    }
    match drops {
        0 => Err("a subscriber that never read was not dropped".into()),
        _ => Ok(()),
    }
}

fn come_and_go<M>(bus: &Bus<Event48, M>, signs: &Arc<Signs>) -> Result<(), Error> {
    let mut arrived = false;
    while !signs.is_over() {
        let crowd: Result<Vec<_>, _> = (0..8).map(|_| bus.subscribe()).collect();
        let crowd = crowd.map_err(|error| error.to_string())?;
        if !arrived {
            signs.arrive();
            arrived = true;
        }
        thread::sleep(PAUSE);
        drop(crowd);
    }
    Ok(())
}

/// What a third thread costs the healthy subscriber whatever it does.
fn wake_up<M>(_: &Bus<Event48, M>, signs: &Arc<Signs>) -> Result<(), Error> {
    signs.arrive();
    while !signs.is_over() {
        thread::sleep(PAUSE);
    }
    Ok(())
}
