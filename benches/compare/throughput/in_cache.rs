//! What a publisher pays for an event on one thread, in its cache; and what the harness itself costs.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use ringbus::{Bus, BusBuilder, Drive, ExclusivePublisher, Publisher};
use ringbus_benches::payload::{Event48, Event200, Message, Payload, Word};
use ringbus_benches::publisher::PublisherKind;

use super::contest::{Contest, Entrant};
use super::driver::{Outcome, join};
use super::work::{Check, make};
use crate::error::Error;
use crate::place::{Cores, Pinned};
use crate::record::Bound::AtMost;
use crate::record::Unit;
use crate::stats;
use crate::trial::{Trial, is_first, is_ours};

pub(super) const GROUP: &str = "cost in cache";
const CAPACITY: usize = 1024;
/// Events between two looks at the clock; the subscribers drain while it is not looked at.
const CHUNK: u64 = CAPACITY as u64 / 4;

/// Events that are taken together: a few laps.
const LAPS: u64 = CAPACITY as u64 * 4;

/// What limits in nanoseconds are compared with.
pub(super) const YARDSTICK: &str = "a yardstick of 1 ns";

pub fn all(cores: Cores) -> Vec<Contest> {
    let mut contests = vec![
        harness(cores),
        checks(cores),
        unheard(cores),
        by_subscribers(cores),
    ];
    for subscribers in [2, 8, 32] {
        contests.push(one_more::<ExclusivePublisher<Word>>(cores, subscribers));
        contests.push(one_more::<Publisher<Word>>(cores, subscribers));
    }
    contests
}

/// Returns what can be measured by itself.
pub fn trials(cores: Cores) -> Vec<Trial> {
    let mut all = unheard(cores).trials(is_ours);
    all.extend(by_subscribers(cores).trials(is_first));
    all
}

fn contest(cores: Cores, name: String, entrants: Vec<Entrant>) -> Contest {
    Contest {
        group: GROUP,
        name,
        unit: Unit::Nanoseconds,
        placement: format!("one thread on core {}; no worker thread", cores.publisher),
        entrants,
        targets: Vec::new(),
    }
}

pub(super) fn yardstick() -> Entrant {
    Entrant::new(YARDSTICK, |_| {
        Ok(Outcome {
            value: 1.0,
            spent: Duration::from_millis(15),
            ..Outcome::default()
        })
    })
}

/// Nanoseconds as `measure` tells them, on a fresh thread on the publisher's core.
pub(super) fn on_core(
    cores: Cores,
    measure: impl FnOnce() -> Result<f64, Error> + Send,
) -> Result<Outcome, Error> {
    thread::scope(|scope| {
        join(scope.spawn(|| {
            let pinned = Pinned::to(cores.publisher)?;
            let start = Instant::now();
            let value = measure()?;
            Ok(Outcome {
                value,
                spent: start.elapsed(),
                lost: 0,
                preemptions: pinned.leave()?.preemptions,
            })
        }))
    })
}

pub(super) fn each(spent: Duration, events: u64) -> f64 {
    spent.as_nanos() as f64 / events as f64
}

/// The publisher's loop of every throughput run, with nothing to publish to.
fn harness(cores: Cores) -> Contest {
    fn entrant<P: Payload>(cores: Cores) -> Entrant {
        Entrant::new(P::NAME, move |events| {
            on_core(cores, || {
                let start = Instant::now();
                for number in 0..events {
                    black_box(&make::<P>(number));
                }
                Ok(each(start.elapsed(), events))
            })
        })
    }
    let entrants = vec![
        entrant::<Word>(cores),
        entrant::<Event48>(cores),
        entrant::<Event200>(cores),
        entrant::<Message>(cores),
    ];
    let name = "the harness: making an event, by payload";
    contest(cores, name.into(), entrants)
}

/// The subscriber's check of every throughput run, over events in its cache.
fn checks(cores: Cores) -> Contest {
    fn entrant<P: Payload>(cores: Cores) -> Entrant {
        Entrant::new(P::NAME, move |events| {
            on_core(cores, || {
                let ready: Vec<P> = (0..CHUNK).map(P::new).collect();
                let rounds = events.div_ceil(CHUNK);
                let start = Instant::now();
                for _ in 0..rounds {
                    let mut check = Check::default();
                    black_box(&ready).iter().for_each(|event| check.see(event));
                    black_box(check);
                }
                Ok(each(start.elapsed(), rounds * CHUNK))
            })
        })
    }
    let entrants = vec![
        entrant::<Word>(cores),
        entrant::<Event48>(cores),
        entrant::<Event200>(cores),
        entrant::<Message>(cores),
    ];
    let name = "the harness: checking an event, by payload";
    contest(cores, name.into(), entrants)
}

fn builder() -> BusBuilder<Word> {
    Bus::builder().capacity(CAPACITY).drive(Drive::Manual)
}

/// Nanoseconds an event that the publisher pays, with so many subscribers that keep up: the median of some laps at a
/// time, so that its looks at the subscribers count and a lost core does not.
fn cost<R: PublisherKind<Event = Word>>(subscribers: usize, events: u64) -> Result<f64, Error> {
    let (mut publisher, bus) = R::build(builder()).map_err(|error| error.to_string())?;
    let subscribers: Result<Vec<_>, _> = (0..subscribers).map(|_| bus.subscribe()).collect();
    let mut subscribers = subscribers.map_err(|error| error.to_string())?;
    let mut checks = vec![Check::default(); subscribers.len()];
    let mut costs = Vec::new();
    let mut accepted = true;
    let mut next = 0;
    // The first laps warm up.
    for lap in 0..=events.div_ceil(LAPS) {
        let mut spent = Duration::ZERO;
        for _ in 0..LAPS / CHUNK {
            let start = Instant::now();
            accepted &= report_chunk(&mut publisher, next);
            spent += start.elapsed();
            next += CHUNK;
            for (subscriber, check) in subscribers.iter_mut().zip(&mut checks) {
                subscriber
                    .drain(usize::MAX, |event| check.see(event))
                    .map_err(|error| error.to_string())?;
            }
        }
        if lap > 0 {
            costs.push(each(spent, LAPS));
        }
    }
    for check in checks {
        accepted &= check.missed()? == 0 && check.next() == next;
    }
    match accepted {
        true => Ok(stats::median(&costs)),
        false => Err("an event was refused or lost".into()),
    }
}

/// Reports the numbers of a chunk. Returns whether all were accepted.
///
/// A function of its own, because otherwise the code around the loop decides what the loop keeps in
/// registers.
#[inline(never)]
fn report_chunk<R: PublisherKind<Event = Word>>(publisher: &mut R, first: u64) -> bool {
    let mut accepted = true;
    for number in first..first + CHUNK {
        accepted &= publisher.report(make(number)).is_ok();
    }
    accepted
}

/// `report` with nobody listening.
fn unheard(cores: Cores) -> Contest {
    fn entrant<R: PublisherKind<Event = Word>>(name: &str, cores: Cores) -> Entrant {
        Entrant::new(name, move |events| on_core(cores, || cost::<R>(0, events)))
    }
    let entrants = vec![
        entrant::<Publisher<Word>>("ringbus", cores),
        entrant::<Publisher<Word>>("ringbus (again)", cores),
        entrant::<ExclusivePublisher<Word>>("ringbus, exclusive", cores),
        yardstick(),
    ];
    let name = "report with no subscriber, 8 B";
    contest(cores, name.into(), entrants).target(&[YARDSTICK], AtMost(3.0))
}

/// The whole cost, for the marginal ones to be seen against.
fn by_subscribers(cores: Cores) -> Contest {
    let entrant = |subscribers: usize| {
        Entrant::new(format!("with {subscribers}"), move |events| {
            on_core(cores, || {
                cost::<ExclusivePublisher<Word>>(subscribers, events)
            })
        })
    };
    let entrants = [1, 2, 4, 8, 16, 32].map(entrant).into();
    let name = "an exclusive report, 8 B, by number of subscribers";
    contest(cores, name.into(), entrants)
}

/// What each subscriber beyond the first adds.
fn one_more<R: PublisherKind<Event = Word>>(cores: Cores, subscribers: usize) -> Contest {
    let entrant = |name: &str| {
        Entrant::new(name, move |events| {
            on_core(cores, || {
                let few = cost::<R>(1, events)?;
                let many = cost::<R>(subscribers, events)?;
                Ok((many - few) / (subscribers - 1) as f64)
            })
        })
    };
    let entrants = vec![entrant("ringbus"), entrant("ringbus (again)"), yardstick()];
    let name = format!("one more subscriber, of {subscribers}, {}, 8 B", R::NAME);
    contest(cores, name, entrants).target(&[YARDSTICK], AtMost(1.0))
}
