//! What an event's size costs, in line and dense: to report and to drain it on one thread, and to another thread.

use ringbus::{ExclusivePublisher, Publisher, SlotLayout};
use ringbus_benches::payload::{Event48, Event200, Message, Payload, Word};
use ringbus_benches::rig::{Rig, drain};
use ringbus_benches::scenario::Scenario;

fn of<P: Payload>() -> impl Iterator<Item = Scenario> {
    let layouts = [
        ("in line", SlotLayout::InLine),
        ("dense", SlotLayout::Dense),
    ];
    layouts.into_iter().flat_map(|(layout, slots)| {
        let rig = Rig {
            slots,
            ..Rig::default()
        };
        let group = |what: &str| format!("{what}, {}", P::NAME);
        [
            Scenario::new(group("exclusive, in cache"), layout, move |events| {
                rig.publish::<ExclusivePublisher<P>>(events)
            }),
            Scenario::new(group("shared, in cache"), layout, move |events| {
                rig.publish::<Publisher<P>>(events)
            }),
            Scenario::new(group("drained, in cache"), layout, move |events| {
                rig.receive::<ExclusivePublisher<P>>(events, drain)
            }),
            Scenario::new(
                group("exclusive, to another thread"),
                layout,
                move |events| rig.across_threads::<ExclusivePublisher<P>>(events),
            ),
        ]
    })
}

ringbus_benches::bench!(
    of::<Word>()
        .chain(of::<Event48>())
        .chain(of::<Event200>())
        .chain(of::<Message>())
);
