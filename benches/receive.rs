//! What a subscriber pays for an event that is there, by the way that it is received.
#![allow(clippy::unwrap_used)] // an event that is not there is a broken run

use std::ops::Range;

use ringbus::{Publisher, Subscriber};
use ringbus_benches::payload::{Event48, Payload};
use ringbus_benches::rig::{Rig, Tally, drain};
use ringbus_benches::scenario::Scenario;

type Receive = fn(&mut Subscriber<Event48>, Range<u64>);

fn by(name: &str, receive: Receive) -> Scenario {
    Scenario::new("receive, 48 B", name, move |events| {
        Rig::default().receive::<Publisher<Event48>>(events, receive)
    })
}

fn try_recv(subscriber: &mut Subscriber<Event48>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    for _ in numbers.clone() {
        tally.see(&*subscriber.try_recv().unwrap());
    }
    tally.check(numbers);
}

fn recv(subscriber: &mut Subscriber<Event48>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    for _ in numbers.clone() {
        tally.see(&*subscriber.recv().unwrap());
    }
    tally.check(numbers);
}

fn recv_many<const MOST: usize>(subscriber: &mut Subscriber<Event48>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    // It would wait for a first event, were there none.
    while tally.events() < numbers.end - numbers.start {
        subscriber
            .recv_many(MOST, |event| tally.see(event))
            .unwrap();
    }
    tally.check(numbers);
}

/// Of up to 512: so much does an event cost that is passed over.
fn latest(subscriber: &mut Subscriber<Event48>, numbers: Range<u64>) {
    assert_eq!(subscriber.latest().unwrap().number(), numbers.end - 1);
}

ringbus_benches::bench!([
    by("try_recv", try_recv),
    by("recv", recv),
    by("drain", drain),
    by("recv_many, 8 at most", recv_many::<8>),
    by("recv_many, 64 at most", recv_many::<64>),
    by("latest, an event of 512", latest),
]);
