//! Random histories of a bus with publishers and readers that freeze, one step at a time: a seed repeats exactly.
//!
//! `RINGBUS_HISTORIES_SEED` and `RINGBUS_HISTORIES_ROUNDS` say which, and how many; `cargo xtask histories` sets them.
#![cfg(all(feature = "test-hooks", not(loom)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

#[path = "histories/awaited.rs"]
mod awaited;
#[path = "histories/books.rs"]
mod books;
#[path = "histories/ending.rs"]
mod ending;
#[path = "histories/errand.rs"]
mod errand;
#[path = "histories/event.rs"]
mod event;
#[path = "histories/flight.rs"]
mod flight;
#[path = "histories/health.rs"]
mod health;
#[path = "histories/reader.rs"]
mod reader;
#[path = "histories/reading.rs"]
mod reading;
#[path = "histories/receiving.rs"]
mod receiving;
#[path = "histories/round.rs"]
mod round;
#[path = "histories/shape.rs"]
mod shape;
#[path = "histories/source.rs"]
mod source;
#[path = "histories/tally.rs"]
mod tally;
#[path = "histories/trace.rs"]
mod trace;

use event::{Heap, Ledger, Small, Wide};
use fastrand::Rng;
use round::Round;
use shape::{Kind, Shape};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tally::Tally;
use trace::Trace;

const SEED: u64 = 1;
const ROUNDS: u64 = 300;
/// How long a round may take, on any machine.
const LONG: Duration = Duration::from_secs(120);

/// Returns the seed of a round: the base seed itself for the first, so that it repeats alone.
fn seed_of(base: u64, round: u64) -> u64 {
    if round == 0 {
        return base;
    }
    Rng::with_seed(base ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15)).u64(..)
}

fn play(seed: u64, ledger: &Arc<Ledger>, trace: &Trace) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let shape = Shape::draw(&mut rng);
    ledger.clear();
    match shape.kind {
        Kind::Heap => Round::<Heap>::new(rng, shape, ledger, trace.clone()).run(),
        Kind::Wide => Round::<Wide>::new(rng, shape, ledger, trace.clone()).run(),
        Kind::Small => Round::<Small>::new(rng, shape, ledger, trace.clone()).run(),
    }
}

/// Plays rounds on a thread of its own, which tells of each. A round that fails is told with its trace.
fn play_all(base: u64, rounds: u64) -> Tally {
    let (tell, told) = channel();
    thread::spawn(move || {
        let ledger = Ledger::new();
        for round in 0..rounds {
            let seed = seed_of(base, round);
            let trace = Trace::default();
            let _ = tell.send((round, seed, trace.clone(), None));
            let played = catch_unwind(AssertUnwindSafe(|| play(seed, &ledger, &trace)));
            let failed = played.is_err();
            let played = played.map_err(|panic| message(&*panic));
            let _ = tell.send((round, seed, trace, Some(played)));
            if failed {
                return;
            }
        }
    });
    let mut sum = Tally::default();
    let mut last = None;
    while sum.rounds < rounds {
        match told.recv_timeout(LONG) {
            Ok((.., Some(Ok(tally)))) => sum.add(&tally),
            Ok((round, seed, trace, None)) => last = Some((round, seed, trace)),
            Ok((round, seed, trace, Some(Err(fault)))) => fail(round, seed, &trace, &fault),
            Err(_) => match last {
                Some((round, seed, trace)) => fail(round, seed, &trace, "does not end"),
                None => panic!("no round began"),
            },
        }
    }
    sum
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or("a panic without a message".into())
}

fn fail(round: u64, seed: u64, trace: &Trace, how: &str) -> ! {
    trace.print();
    panic!(
        "round {round}, after {} lines of history: {how}\nto repeat this round alone: cargo xtask histories --seed {seed} --rounds 1",
        trace.steps().len()
    );
}

fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}: {text:?} is no number")),
        Err(_) => default,
    }
}

#[test]
fn random_histories_keep_the_promise() {
    let seed = variable("RINGBUS_HISTORIES_SEED", SEED);
    let rounds = variable("RINGBUS_HISTORIES_ROUNDS", ROUNDS);
    println!("seed {seed}: {}", play_all(seed, rounds));
}

#[test]
fn a_seed_repeats_its_history() {
    let ledger = Ledger::new();
    for round in 0..20 {
        let traces = [Trace::default(), Trace::default()];
        let tallies = traces
            .each_ref()
            .map(|trace| play(seed_of(SEED, round), &ledger, trace));
        assert_eq!(tallies[0], tallies[1]);
        assert_eq!(traces[0].steps(), traces[1].steps());
    }
}
