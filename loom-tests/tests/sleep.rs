//! Sleeping against waking: whoever swaps out a stamp that bears `WAITED` owes the wake-up.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_b;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use ringbus::{Bus, RecvError, ReportError, SubscribeOptions, Subscriber};
use std::task::Poll;
use support_b::Wakes;

type Event = Arc<u32>;

fn bus() -> (Bus<Event>, Subscriber<Event>) {
    bus_of(2)
}

fn bus_of(capacity: usize) -> (Bus<Event>, Subscriber<Event>) {
    let bus: Bus<Event> = Bus::builder().capacity(capacity).build().unwrap();
    let subscriber = join(&bus);
    (bus, subscriber)
}

fn join(bus: &Bus<Event>) -> Subscriber<Event> {
    bus.subscribe_with(SubscribeOptions::new().window(1))
        .unwrap()
}

/// What a host does that drives the bus itself. True if it is to come again soon without being asked: somebody waits at
/// a claim. Where somebody merely sleeps it is not, so that a wake-up that is lost shows.
fn turn_if_wanted(bus: &Bus<Event>, soon: bool) -> bool {
    (soon || bus.wants_turn()) && bus.turn().watched > 0
}

/// A thread that sleeps in `recv` is woken by the report that it waits for.
///
/// Fails without: `owed` set in `Ring::enter`, `pay` in `Worker::publish`: turns for ever.
#[test]
fn a_thread_is_woken_by_a_report() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                assert_eq!(**subscriber.recv().unwrap(), 7);
                done.store(true, Ordering::Release);
            })
        };
        // In a ring of two slots the reader may take so many claims away that the publisher gives up.
        let mut event = Arc::new(7);
        while let Err(ReportError::Exhausted(back)) = bus.report(event) {
            event = back;
        }
        let mut soon = false;
        while !done.load(Ordering::Acquire) {
            soon = turn_if_wanted(&bus, soon);
            thread::yield_now();
        }
        reader.join().unwrap();
    });
}

/// A task that was told to wait is woken; the turns are another thread's.
///
/// Fails without: `WAITED` set in `Ring::arm`, `raise` where a publisher is inside
/// (`Reader::fall_asleep`), the fence before the look at sleepers (`Worker::wake_one`): asleep for
/// good.
#[test]
fn a_task_is_woken_by_a_report() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let wakes = Wakes::new();
        let worker = {
            let bus = bus.clone();
            thread::spawn(move || turn_if_wanted(&bus, false))
        };
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(7)).unwrap());
        let ready = wakes
            .poll(|context| subscriber.poll_ready(context))
            .is_ready();
        reporter.join().unwrap();
        let soon = worker.join().unwrap();
        turn_if_wanted(&bus, soon);
        assert!(ready || wakes.count() > 0, "asleep for good");
        assert_eq!(**subscriber.try_recv().unwrap(), 7);
    });
}

/// A turn that was due for another reason loses no wake-up that a report owes meanwhile.
///
/// Fails without: `lower` before the look in `Bus::turn`, `WAITED` set in `Ring::arm`, `owed` set in `Ring::enter`, `pay` in
/// `Worker::publish`: asleep for good.
#[test]
fn a_turn_meets_a_report() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let wakes = Wakes::new();
        assert!(
            wakes
                .poll(|context| subscriber.poll_ready(context))
                .is_pending()
        );
        let worker = {
            let bus = bus.clone();
            thread::spawn(move || bus.turn().watched > 0)
        };
        bus.report(Arc::new(7)).unwrap();
        let soon = worker.join().unwrap();
        turn_if_wanted(&bus, soon);
        assert_eq!(wakes.count(), 1, "asleep for good");
        assert_eq!(**subscriber.try_recv().unwrap(), 7);
    });
}

/// A second sleeper at the same stamp is seen by whoever is woken for the first.
///
/// Fails without: the exchange in `Ring::arm` where the stamp bears `WAITED` already, together with
/// the fences of `Worker::wake_one` and `Worker::turn`: asleep for good. Each alone keeps it.
#[test]
fn two_sleep_at_one_stamp() {
    loom::model(|| {
        let (bus, mut first) = bus();
        let mut second = join(&bus);
        let (early, late) = (Wakes::new(), Wakes::new());
        assert!(early.poll(|context| first.poll_ready(context)).is_pending());
        let reporter = {
            let bus = bus.clone();
            thread::spawn(move || {
                bus.report(Arc::new(7)).unwrap();
                turn_if_wanted(&bus, false)
            })
        };
        let ready = late.poll(|context| second.poll_ready(context)).is_ready();
        let soon = reporter.join().unwrap();
        turn_if_wanted(&bus, soon);
        assert_eq!(early.count(), 1);
        assert!(ready || late.count() > 0, "asleep for good");
    });
}

/// An idle cursor pins nothing, so whoever wakes looks whether it was dropped before it reads.
///
/// Fails without: the look at the old word in `Reader::resume`: concurrent read and write.
#[test]
fn a_sleeper_wakes_into_its_eviction() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let wakes = Wakes::new();
        assert!(
            wakes
                .poll(|context| subscriber.poll_ready(context))
                .is_pending()
        );
        for n in 0..2 {
            bus.report(Arc::new(n)).unwrap();
        }
        let reporter = thread::spawn(move || bus.report(Arc::new(2)).unwrap());
        match subscriber.try_recv() {
            Ok(event) => assert_eq!(**event, 0),
            Err(error) => assert!(error.is_evicted()),
        }
        reporter.join().unwrap();
    });
}

/// A claim that is taken from its publisher takes the wake-up along: whoever takes it pays.
///
/// Fails without: `owed` set in `Ring::make_hole`, `pay` in `Worker::abandon`: asleep for good.
#[test]
fn a_rescue_pays_the_wake_up() {
    loom::model(|| {
        // In a ring of two slots the publisher would scan, and find the sleeper behind.
        let (bus, mut sleeper) = bus_of(4);
        let mut rescuer = join(&bus);
        let wakes = Wakes::new();
        assert!(
            wakes
                .poll(|context| sleeper.poll_ready(context))
                .is_pending()
        );
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(7)).unwrap());
        let early = rescuer.try_recv().is_ok();
        reporter.join().unwrap();
        assert!(early || **rescuer.try_recv().unwrap() == 7);
        turn_if_wanted(&bus, false);
        assert!(wakes.count() > 0, "asleep for good");
        assert_eq!(**sleeper.try_recv().unwrap(), 7);
    });
}

/// An `unsubscribe` wakes whoever sleeps, itself: no turn is needed.
///
/// Fails without: the fence in `Member::wake_evicted` and the one in `Reader::fall_asleep`, the look at the cursor after it: each
/// a deadlock.
#[test]
fn a_sleeper_is_woken_by_its_eviction() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let id = subscriber.id();
        let reader = thread::spawn(move || {
            // The first sleep ends at once: in the second the cursor is idle already, and only the fences order it.
            thread::current().unpark();
            matches!(subscriber.recv(), Err(RecvError::Evicted(_)))
        });
        assert!(bus.unsubscribe(id));
        assert!(reader.join().unwrap());
    });
}

/// A sleeper that is dropped by the publisher that it slept through is woken to find out.
///
/// Fails without: `pay` in `Worker::publish`: asleep for good.
#[test]
fn a_sleeper_is_woken_when_it_is_lapped() {
    loom::model(|| {
        let (bus, mut subscriber) = bus();
        let wakes = Wakes::new();
        assert!(
            wakes
                .poll(|context| subscriber.poll_ready(context))
                .is_pending()
        );
        let worker = {
            let bus = bus.clone();
            thread::spawn(move || turn_if_wanted(&bus, false))
        };
        for n in 0..3 {
            bus.report(Arc::new(n)).unwrap();
        }
        worker.join().unwrap();
        turn_if_wanted(&bus, false);
        assert!(wakes.count() > 0, "asleep for good");
        let next = wakes.poll(|context| subscriber.poll_ready(context));
        assert!(matches!(next, Poll::Ready(Err(RecvError::Evicted(_)))));
    });
}
