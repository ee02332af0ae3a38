//! Several publishers on a shared bus, each on a thread of its own, and one subscriber.

use ringbus_benches::payload::Word;
use ringbus_benches::rig::Rig;
use ringbus_benches::scenario::Scenario;

fn scenarios() -> impl Iterator<Item = Scenario> {
    [("one by one", 1), ("batches of 100", 100)]
        .into_iter()
        .flat_map(|(name, batch)| {
            let rig = Rig {
                capacity: 8192,
                batch,
                ..Rig::default()
            };
            [1, 2, 4].map(|publishers| {
                let group = format!("several publishers, {name}");
                Scenario::new(group, publishers, move |events| {
                    rig.from_publishers::<Word>(publishers, events)
                })
            })
        })
}

ringbus_benches::bench!(scenarios());
