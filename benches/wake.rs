//! Waiting: a round trip through two busses between two threads, by how they wait for the other's event.
//!
//! A parked thread is woken by the worker's, which its publisher wakes: there are two such relays in a round trip.
#![allow(clippy::unwrap_used)] // an event that does not come is a broken run

use std::thread;
use std::time::Duration;

use ringbus::{
    Bus, ExclusivePublisher, Pinning, Publisher, SubscribeOptions, Subscriber, WaitStrategy,
};
use ringbus_benches::payload::Word;
use ringbus_benches::publisher::PublisherKind;
use ringbus_benches::scenario::{Scenario, time};
use ringbus_benches::threads::{pin_publisher, pin_subscriber};

/// The publisher alone keeps its bus open: whoever waits for one that is gone is told.
fn one_way<R: PublisherKind<Event = Word>>(wait: WaitStrategy) -> (R, Subscriber<Word>) {
    let (publisher, bus) = R::build(Bus::builder().pinning(Pinning::Auto)).unwrap();
    let options = SubscribeOptions::new().wait(wait);
    (publisher, bus.subscribe_with(options).unwrap())
}

fn round_trips<R: PublisherKind<Event = Word>>(wait: WaitStrategy, trips: u64) -> Duration {
    let (mut call, mut called) = one_way::<R>(wait);
    let (mut answer, mut answered) = one_way::<R>(wait);
    let echo = thread::spawn(move || {
        pin_subscriber(0);
        while let Ok(number) = called.recv().map(|event| *event) {
            assert!(answer.report(number).is_ok());
        }
    });
    let caller = thread::spawn(move || {
        pin_publisher(0);
        let mut trip = |number| {
            assert!(call.report(Word([number])).is_ok());
            assert_eq!(*answered.recv().unwrap(), Word([number]));
        };
        // The first may find the other still on its way to its core.
        trip(u64::MAX);
        time(trips, trip)
    });
    let spent = caller.join().unwrap();
    // The caller's bus has ended with it.
    echo.join().unwrap();
    spent
}

fn by<R: PublisherKind<Event = Word>>() -> impl Iterator<Item = Scenario> {
    let strategies = [
        ("yielding", WaitStrategy::Yield),
        ("backing off, then parked", WaitStrategy::Backoff),
        ("parked", WaitStrategy::Park),
    ];
    strategies.into_iter().map(|(name, wait)| {
        Scenario::new(format!("round trip, {}", R::NAME), name, move |trips| {
            round_trips::<R>(wait, trips)
        })
    })
}

ringbus_benches::bench!(by::<Publisher<Word>>().chain(by::<ExclusivePublisher<Word>>()));
