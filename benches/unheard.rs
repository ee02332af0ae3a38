//! A report with no subscriber: what a bus costs while nobody listens.
#![allow(clippy::unwrap_used)] // a bench that cannot be set up has nothing to say

use ringbus::{Bus, ExclusivePublisher, Pinning, Publisher};
use ringbus_benches::payload::Word;
use ringbus_benches::publisher::PublisherKind;
use ringbus_benches::rig::make;
use ringbus_benches::scenario::{Scenario, time};

fn by<R: PublisherKind<Event = Word>>(name: &str) -> Scenario {
    Scenario::new("no subscriber", name, |events| {
        let (mut publisher, bus) = R::build(Bus::builder().pinning(Pinning::Auto)).unwrap();
        let spent = time(events, |number| {
            assert!(publisher.report(make(number)).is_ok())
        });
        // Nobody can have been listening.
        assert_eq!(bus.stats().workers[0].published, 0);
        spent
    })
}

fn by_the_bus() -> Scenario {
    Scenario::new("no subscriber", "Bus::report", |events| {
        let bus = Bus::<Word>::builder()
            .pinning(Pinning::Auto)
            .build()
            .unwrap();
        let spent = time(events, |number| bus.report(make(number)).unwrap());
        assert_eq!(bus.stats().workers[0].published, 0);
        spent
    })
}

ringbus_benches::bench!([
    by_the_bus(),
    by::<Publisher<Word>>("Publisher::report"),
    by::<ExclusivePublisher<Word>>("ExclusivePublisher::report"),
]);
