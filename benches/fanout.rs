//! What each subscriber costs: the publisher on one thread, while they drain in turn; and all of them on threads.

use ringbus::{ExclusivePublisher, Publisher};
use ringbus_benches::payload::Word;
use ringbus_benches::publisher::PublisherKind;
use ringbus_benches::rig::Rig;
use ringbus_benches::scenario::Scenario;

/// 32 fit into a ring of 1024, and it fits the cache.
fn in_cache<R: PublisherKind>() -> impl Iterator<Item = Scenario> {
    [1, 2, 4, 8, 16, 32].into_iter().map(|subscribers| {
        let rig = Rig {
            subscribers,
            ..Rig::default()
        };
        let group = format!("fan-out in cache, {}", R::NAME);
        Scenario::new(group, subscribers, move |events| rig.publish::<R>(events))
    })
}

fn to_threads<R: PublisherKind>() -> impl Iterator<Item = Scenario> {
    [1, 2, 4, 8].into_iter().map(|subscribers| {
        let rig = Rig {
            capacity: 8192,
            subscribers,
            ..Rig::default()
        };
        let group = format!("fan-out to threads, {}", R::NAME);
        Scenario::new(group, subscribers, move |events| {
            rig.across_threads::<R>(events)
        })
    })
}

fn both<R: PublisherKind>() -> impl Iterator<Item = Scenario> {
    in_cache::<R>().chain(to_threads::<R>())
}

ringbus_benches::bench!(both::<ExclusivePublisher<Word>>().chain(both::<Publisher<Word>>()));
