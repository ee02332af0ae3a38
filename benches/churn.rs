//! Coming and going: subscribe and leave, rejoin of one's own will, and rejoin after having been unsubscribed.
#![allow(clippy::unwrap_used)] // a subscription that is refused is a broken run

use std::time::Duration;

use ringbus::{Bus, Drive, Pinning, Subscriber};
use ringbus_benches::payload::Word;
use ringbus_benches::scenario::{Scenario, time};

/// What is done again and again: with the bus, and a subscriber that is there all the time.
type Step = fn(&Bus<Word>, &mut Subscriber<Word>);

fn subscribe_and_leave(bus: &Bus<Word>, _: &mut Subscriber<Word>) {
    drop(bus.subscribe().unwrap());
}

fn rejoin(_: &Bus<Word>, subscriber: &mut Subscriber<Word>) {
    subscriber.rejoin().unwrap();
}

fn unsubscribe_and_rejoin(bus: &Bus<Word>, subscriber: &mut Subscriber<Word>) {
    assert!(bus.unsubscribe(subscriber.id()));
    subscriber.rejoin().unwrap();
}

/// `others`: subscribers that only stay.
fn run(drive: Drive, others: usize, step: Step, times: u64) -> Duration {
    let bus = Bus::builder()
        .pinning(Pinning::Auto)
        .drive(drive)
        .build()
        .unwrap();
    let mut others: Vec<_> = (0..others).map(|_| bus.subscribe().unwrap()).collect();
    let mut subscriber = bus.subscribe().unwrap();
    let spent = time(times, |_| step(&bus, &mut subscriber));
    // Whoever should be there is, and nobody else.
    bus.report(Word([times])).unwrap();
    for subscriber in others.iter_mut().chain([&mut subscriber]) {
        assert_eq!(*subscriber.try_recv().unwrap(), Word([times]));
    }
    assert_eq!(bus.stats().workers[0].subscribers, others.len() + 1);
    spent
}

fn scenarios() -> impl Iterator<Item = Scenario> {
    let steps = [
        ("subscribe and leave", subscribe_and_leave as Step),
        ("rejoin", rejoin),
        ("unsubscribe and rejoin", unsubscribe_and_rejoin),
    ];
    let drives = [
        ("the worker on its thread", Drive::Threads),
        ("no worker thread", Drive::Manual),
    ];
    steps.into_iter().flat_map(move |(group, step)| {
        drives.into_iter().flat_map(move |(worker, drive)| {
            [0, 31].map(|others| {
                let name = format!("{worker}, beside {others}");
                Scenario::new(group, name, move |times| run(drive, others, step, times))
            })
        })
    })
}

ringbus_benches::bench!(scenarios());
