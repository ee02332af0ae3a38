//! Batches whose iterators panic half way: what was accepted is read, the rest is dropped once, and the bus goes on.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, builder};
use ringbus::{Drive, SlotLayout, Subscriber};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];

/// A shared publisher gathers so many events at a time, before it claims anything.
const GATHERED: u64 = 128;

/// What an iterator's panic takes with it of the events that it gave before.
#[derive(Clone, Copy)]
enum Loss {
    /// Nothing: they are published.
    Nothing,
    /// Those that were gathered since the last claim.
    Gathered,
    /// Perhaps fewer: a `try_` gathers no more than there is room for.
    AtMostGathered,
}

impl Loss {
    fn fits(self, accepted: u64, given: u64) -> bool {
        let lost = given.checked_sub(accepted);
        match self {
            Loss::Nothing => lost == Some(0),
            Loss::Gathered => lost == Some(given % GATHERED),
            Loss::AtMostGathered => lost.is_some_and(|lost| lost < GATHERED),
        }
    }
}

/// Everybody finds the same, beginning with `first` and without a gap. How many they find.
fn read(subscribers: &mut [Subscriber<Counted>], first: u64) -> u64 {
    let mut counts = subscribers.iter_mut().map(|subscriber| {
        let mut next = first;
        let drained = subscriber.drain(usize::MAX, |event| {
            assert_eq!(event.number(), next);
            next += 1;
        });
        drained.unwrap();
        subscriber.release();
        next - first
    });
    let count = counts.next().unwrap_or(0);
    assert!(counts.all(|other| other == count));
    count
}

/// An iterator that panics at one event for `report`, which returns how many were accepted.
fn expect_the_bus_to_go_on(
    census: &Census,
    subscribers: &mut [Subscriber<Counted>],
    loss: Loss,
    mut report: impl FnMut(&mut dyn Iterator<Item = Counted>) -> usize,
) {
    // Twice round the ring, so that slots hold older values, and each event is gathered once as the first, once as the last.
    for at in [0, 1, 127, 128, 129, 255] {
        let mut events = (0..256).map(|n| {
            assert_ne!(n, at, "no more");
            census.value(n)
        });
        let alive = census.alive();
        let panicked = catch_unwind(AssertUnwindSafe(|| report(&mut events)));
        assert!(panicked.is_err(), "swallowed at {at}");
        let accepted = read(subscribers, 0);
        let right = loss.fits(accepted, at) || subscribers.is_empty();
        assert!(right, "{accepted} of {at}");
        // The iterator itself goes on behind the event that it died of.
        let after: Vec<_> = events.map(|event| event.number()).collect();
        assert!(after.into_iter().eq(at + 1..256));
        // Slots keep their values until lapped; nothing else is left.
        let kept = (census.alive() - alive) as u64;
        assert!(
            kept <= accepted * subscribers.len() as u64,
            "{kept} at {at}"
        );

        let mut whole = (100..150).map(|n| census.value(n));
        assert_eq!(report(&mut whole), 50);
        assert!(read(subscribers, 100) == 50 || subscribers.is_empty());
    }
}

#[test]
fn of_a_shared_publisher_with_one_ring_and_with_two() {
    for layout in LAYOUTS {
        for workers in [1, 2] {
            for keep in [false, true] {
                let census = Census::default();
                let builder = builder(256).drive(Drive::Manual).slots(layout);
                let bus = builder.workers(workers).build().unwrap();
                let mut subscribers = [0, 1].map(|_| bus.subscribe().unwrap());
                let mut publisher = bus.publisher();
                expect_the_bus_to_go_on(
                    &census,
                    &mut subscribers,
                    if keep {
                        Loss::AtMostGathered
                    } else {
                        Loss::Gathered
                    },
                    |mut events| {
                        if keep {
                            publisher.try_report_batch(&mut events)
                        } else {
                            publisher.report_batch(&mut events).unwrap()
                        }
                    },
                );
                assert_eq!(publisher.carried(), 0);
                let stats = bus.stats();
                assert!(stats.workers.iter().all(|w| w.holes + w.abandoned == 0));
                drop((bus, publisher, subscribers));
                census.expect_all_dropped();
            }
        }
    }
}

#[test]
fn of_an_exclusive_publisher() {
    for layout in LAYOUTS {
        for keep in [false, true] {
            let census = Census::default();
            let builder = builder(256).drive(Drive::Manual).slots(layout);
            let (mut publisher, bus) = builder.build_exclusive().unwrap();
            let mut subscribers = [0, 1].map(|_| bus.subscribe().unwrap());
            expect_the_bus_to_go_on(&census, &mut subscribers, Loss::Nothing, |mut events| {
                if keep {
                    publisher.try_report_batch(&mut events)
                } else {
                    publisher.report_batch(&mut events).unwrap()
                }
            });
            assert_eq!(bus.stats().workers[0].holes, 0);
            drop((bus, publisher, subscribers));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn with_nobody_listening() {
    let census = Census::default();
    let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
    let mut shared = bus.publisher();
    let (mut exclusive, _other) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let report = |events: &mut dyn Iterator<Item = Counted>| {
        let mut events = events;
        shared.report_batch(&mut events).unwrap()
    };
    expect_the_bus_to_go_on(&census, &mut [], Loss::Gathered, report);
    let report = |events: &mut dyn Iterator<Item = Counted>| {
        let mut events = events;
        exclusive.try_report_batch(&mut events)
    };
    expect_the_bus_to_go_on(&census, &mut [], Loss::Gathered, report);
    assert_eq!(census.alive(), 0);
}

#[test]
fn nobody_is_dropped_for_a_batch_that_fits() {
    fits::<u64>(0);
    fits([0u8; 5_000]); // goes one by one
}

fn fits<E: Copy + Send + Sync + 'static>(event: E) {
    let whole_ring = || std::iter::repeat_n(event, 64);
    let read = |mut subscriber: Subscriber<E>| {
        let drained = subscriber.drain(usize::MAX, |_| {});
        assert_eq!(drained, Ok(64));
    };
    let bus = builder(64).drive(Drive::Manual).build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    let mut publisher = bus.publisher();
    assert_eq!(publisher.report_batch(&mut whole_ring()).unwrap(), 64);
    read(subscriber);
    let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let subscriber = bus.subscribe().unwrap();
    assert_eq!(publisher.report_batch(&mut whole_ring()).unwrap(), 64);
    read(subscriber);
}

#[test]
fn what_an_iterator_gives_after_somebody_joined_is_heard() {
    let bus = builder(64).drive(Drive::Manual).build().unwrap();
    let mut joined = None;
    let mut events = (0..40u64).inspect(|n| {
        if *n == 0 {
            joined = Some(bus.subscribe().unwrap());
        }
    });
    assert_eq!(bus.publisher().report_batch(&mut events).unwrap(), 40);
    assert_eq!(joined.unwrap().drain(usize::MAX, |_| {}), Ok(40));

    for keep in [false, true] {
        let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
        let mut joined = None;
        let mut events = (0..40u64).inspect(|n| {
            if *n == 3 {
                joined = Some(bus.subscribe().unwrap());
            }
        });
        let accepted = match keep {
            true => publisher.try_report_batch(&mut events),
            false => publisher.report_batch(&mut events).unwrap(),
        };
        assert_eq!(accepted, 40);
        assert_eq!(joined.unwrap().drain(usize::MAX, |_| {}), Ok(37));
    }
}

#[test]
fn who_falls_asleep_while_an_iterator_is_asked_is_woken_however_it_ends() {
    for panics in [false, true] {
        let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        // The first finds room for the others.
        publisher.report(9).unwrap();
        assert_eq!(*subscriber.try_recv().unwrap(), 9);
        let mut events = (0..2u64).inspect(|n| {
            if *n == 1 {
                let mut context = Context::from_waker(Waker::noop());
                assert!(subscriber.poll_ready(&mut context).is_pending());
                bus.turn();
                assert!(!bus.wants_turn());
                assert!(!panics, "as asked");
            }
        });
        let report = AssertUnwindSafe(|| publisher.report_batch(&mut events));
        assert_eq!(catch_unwind(report).is_err(), panics);
        assert!(bus.wants_turn(), "for the sleeper");
        assert_eq!(*subscriber.try_recv().unwrap(), 0);
    }
}

#[test]
fn who_joins_after_a_batch_hears_nothing_of_it() {
    let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let mut first = bus.subscribe().unwrap();
    // Finds room for the batch.
    publisher.report(0u64).unwrap();
    assert_eq!(publisher.report_batch(&mut (1..4)).unwrap(), 3);
    let mut joined = bus.subscribe().unwrap();
    assert_eq!(joined.drain(usize::MAX, |_| {}), Ok(0));
    assert_eq!(first.drain(usize::MAX, |_| {}), Ok(4));
}

#[test]
fn an_event_behind_carried_ones_that_nobody_hears_comes_back() {
    let bus = builder::<String>(64).drive(Drive::Manual).build().unwrap();
    let listener = bus.subscribe().unwrap();
    let (mut carrier, mut other) = (bus.publisher(), bus.publisher());
    // The room that was there is gone when the iterator has given its events.
    let events = (0..20).map(|n| {
        if n == 0 {
            (0..60).for_each(|n| other.report(n.to_string()).unwrap());
        }
        n.to_string()
    });
    carrier.try_report_batch(events);
    assert!(carrier.carried() > 0);
    drop(listener);
    let back = carrier.report_recycling("unheard".into()).unwrap();
    assert_eq!(back.as_deref(), Some("unheard"));
    assert_eq!(carrier.carried(), 0);
}
