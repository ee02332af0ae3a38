//! A publisher that freezes inside its claim. Every publish has a hook to pass: nobody frozen is measured so, too.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringbus::hooks::{self, Point};
use ringbus::{Bus, Publisher};
use ringbus_benches::payload::Event48;

use super::run::{Company, run};
use super::visitors::{NOBODY, NOBODY_AGAIN, RATE, placement, views};
use crate::error::Error;
use crate::latency::plan::{FOREIGN, Plan, event};
use crate::latency::round::Signs;
use crate::latency::set::{Candidate, Set};
use crate::place::Cores;

pub fn set(cores: Cores, quick: bool) -> Set {
    let candidate = |name, company| {
        Candidate::lossy(name, move || {
            run::<Publisher<Event48>>(Plan::new(cores, RATE, quick), company)
        })
    };
    Set {
        group: "trouble, a frozen publisher (with hooks)",
        placement: placement(cores),
        candidates: vec![
            candidate(
                "one frozen for good, inside its slot",
                Company::Visitor(|bus, signs| freeze(bus, signs, Point::Entered)),
            ),
            candidate(NOBODY, Company::Nobody),
            candidate(NOBODY_AGAIN, Company::Nobody),
            candidate(
                "one frozen for good, before its slot",
                Company::Visitor(|bus, signs| freeze(bus, signs, Point::Claimed)),
            ),
            candidate(
                "one frozen for good, before its commit",
                Company::Visitor(|bus, signs| freeze(bus, signs, Point::Written)),
            ),
            candidate(
                "one that freezes for 5 ms, all the time",
                Company::Visitor(stutter),
            ),
        ],
        views: views().into(),
    }
}

/// Publishes one event and freezes at `point` until the run is over.
fn freeze(bus: &Bus<Event48>, signs: &Arc<Signs>, point: Point) -> Result<(), Error> {
    let frozen = Cell::new(false);
    let theirs = Arc::clone(signs);
    hooks::set(move |reached| {
        if reached == point && !frozen.replace(true) {
            theirs.arrive();
            while !theirs.is_over() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    publish(&mut bus.publisher())
}

/// Publishes all the time, and freezes once in each event.
fn stutter(bus: &Bus<Event48>, signs: &Arc<Signs>) -> Result<(), Error> {
    let fresh = Rc::new(Cell::new(false));
    let theirs = Rc::clone(&fresh);
    hooks::set(move |reached| {
        if reached == Point::Entered && theirs.replace(false) {
            thread::sleep(Duration::from_millis(5));
        }
    });
    signs.arrive();
    let mut publisher = bus.publisher();
    while !signs.is_over() {
        fresh.set(true);
        publish(&mut publisher)?;
    }
    Ok(())
}

fn publish(publisher: &mut Publisher<Event48>) -> Result<(), Error> {
    let sent = publisher.report(event(FOREIGN, 0));
    Ok(sent.map_err(|error| error.to_string())?)
}
