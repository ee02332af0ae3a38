//! A report to two rings that one of them refuses: all or none, and the event comes back whole.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, SetOnDrop, builder};
use ringbus::{Bus, Drive, ManualClock, SubscribeOptions, Subscriber, TryReportError};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// An event that knows whether it is a clone.
struct Event {
    value: Counted,
    is_clone: bool,
}

thread_local! {
    static BEFORE_A_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// The one place where user code runs between the look for room and the claims.
impl Clone for Event {
    fn clone(&self) -> Self {
        if let Some(act) = BEFORE_A_CLONE.take() {
            act();
        }
        Event {
            value: self.value.clone(),
            is_clone: true,
        }
    }
}

fn event(census: &Census, number: u64) -> Event {
    Event {
        value: census.value(number),
        is_clone: false,
    }
}

fn two_rings(clock: &ManualClock) -> Bus<Event> {
    let builder = builder(64).drive(Drive::Manual).workers(2);
    builder.clock(clock.clone()).build().unwrap()
}

fn on(bus: &Bus<Event>, worker: usize) -> Subscriber<Event> {
    bus.subscribe_with(SubscribeOptions::new().worker(worker))
        .unwrap()
}

/// Everything that is there, and done with it.
fn numbers(subscriber: &mut Subscriber<Event>) -> Vec<u64> {
    let mut numbers = Vec::new();
    let drained = subscriber.drain(usize::MAX, |event| numbers.push(event.value.number()));
    drained.unwrap();
    subscriber.release();
    numbers
}

#[track_caller]
fn expect_back(back: Event, number: u64) {
    assert_eq!(back.value.number(), number);
    assert!(!back.is_clone, "the event itself, and no clone of it");
}

type Send = fn(&Bus<Event>, Event) -> Result<(), TryReportError<Event>>;

const SENDS: [Send; 3] = [
    |bus, event| bus.try_report(event),
    |bus, event| bus.publisher().try_report(event),
    |bus, event| bus.publisher().report_timeout(event, Duration::ZERO),
];

#[test]
fn a_ring_that_fills_up_after_the_look_refuses_for_both() {
    for send in SENDS {
        for full in [0, 1] {
            let census = Census::default();
            let bus = two_rings(&ManualClock::new());
            let mut stuck = on(&bus, full);
            let reading = Arc::new(Mutex::new(on(&bus, 1 - full)));
            BEFORE_A_CLONE.set(Some(Box::new({
                let (bus, census, reading) = (bus.clone(), census.clone(), reading.clone());
                move || {
                    while bus.try_report(event(&census, 1)).is_ok() {
                        numbers(&mut reading.lock().unwrap());
                    }
                }
            })));

            let refused = send(&bus, event(&census, 7)).unwrap_err();
            assert!(refused.is_full());
            assert_eq!(census.alive(), 1 + 2 * 64, "its clone is gone");
            expect_back(refused.into_inner(), 7);
            let holes = bus.stats().workers.iter().map(|w| w.holes).sum::<u64>();
            assert_eq!(holes, full as u64, "ring 0 is claimed first");
            assert!(numbers(&mut reading.lock().unwrap()).is_empty());

            assert_eq!(numbers(&mut stuck).len(), 64);
            send(&bus, event(&census, 8)).ok().unwrap();
            assert_eq!(numbers(&mut stuck), [8]);
            assert_eq!(numbers(&mut reading.lock().unwrap()), [8]);
            drop((bus, stuck, reading));
            census.expect_all_dropped();
        }
    }
}

#[test]
fn workers_that_are_replaced_while_an_event_is_cloned_pass_it_on_to_the_next() {
    let census = Census::default();
    let bus = two_rings(&ManualClock::new());
    let mut old = [on(&bus, 0), on(&bus, 1)];
    let fresh = Arc::new(Mutex::new(Vec::new()));
    BEFORE_A_CLONE.set(Some(Box::new({
        let (bus, fresh) = (bus.clone(), fresh.clone());
        move || {
            assert!(bus.stop().is_clean());
            bus.start().unwrap();
            *fresh.lock().unwrap() = vec![on(&bus, 0), on(&bus, 1)];
        }
    })));
    bus.publisher().report(event(&census, 7)).ok().unwrap();
    for reader in fresh.lock().unwrap().iter_mut() {
        assert_eq!(numbers(reader), [7]);
    }
    for reader in &mut old {
        assert!(reader.try_recv().err().unwrap().is_closed());
    }
    drop((bus, old, fresh));
    census.expect_all_dropped();
}

#[test]
fn what_was_accepted_is_in_both_rings_and_what_was_refused_in_none() {
    let census = Census::default();
    // No time passes: no claim is taken from the publisher, which would let it drop a subscriber.
    let bus = two_rings(&ManualClock::new());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [0, 1].map(|worker| {
            let (mut reader, over) = (on(&bus, worker), &over);
            scope.spawn(move || {
                let mut seen = Vec::new();
                loop {
                    let ended = over.load(Ordering::Acquire);
                    let before = seen.len();
                    seen.extend(numbers(&mut reader));
                    if ended && seen.len() == before {
                        return seen;
                    }
                    // One is slower than the other, and each of them than the publisher.
                    (0..=worker * 3).for_each(|_| thread::yield_now());
                }
            })
        });
        let mut accepted = Vec::new();
        {
            let _ends = SetOnDrop(&over);
            for n in 0..20_000 {
                match bus.try_report(event(&census, n)) {
                    Ok(()) => accepted.push(n),
                    Err(refused) => {
                        assert!(refused.is_full());
                        expect_back(refused.into_inner(), n);
                        if n % 4 == 0 {
                            thread::yield_now();
                        }
                    }
                }
            }
        }
        for reader in readers {
            assert_eq!(reader.join().unwrap(), accepted);
        }
        assert!(accepted.len() < 20_000, "nothing was refused");
    });
    drop(bus);
    census.expect_all_dropped();
}

#[cfg(feature = "test-hooks")]
mod hooked {
    use super::common::LONG;
    use super::*;
    use ringbus::EvictionReason;
    use ringbus::hooks::{self, Point};
    use std::sync::mpsc::channel;

    const POINTS: [Point; 3] = [Point::Claimed, Point::Entered, Point::Written];

    /// Does something when this thread has reached `point` for the `nth` time, from 0.
    fn at(point: Point, nth: usize, act: impl FnOnce() + 'static) {
        let (mut seen, mut act) = (0, Some(act));
        hooks::set(move |reached| {
            if reached == point {
                if seen == nth {
                    act.take().unwrap()();
                }
                seen += 1;
            }
        });
    }

    #[test]
    fn a_close_between_two_claims_makes_a_hole_and_one_after_both_comes_too_late() {
        for point in POINTS {
            for nth in [0, 1] {
                let census = Census::default();
                let bus = two_rings(&ManualClock::new());
                let mut readers = [on(&bus, 0), on(&bus, 1)];
                let closing = bus.clone();
                at(point, nth, move || closing.close());
                // Both rings are claimed before anything is written.
                let in_time = point != Point::Written && nth == 0;
                match bus.report(event(&census, 7)) {
                    Err(refused) => {
                        assert!(in_time && refused.is_stopped(), "{point:?} {nth}");
                        expect_back(refused.into_inner(), 7);
                        assert_eq!(census.alive(), 0);
                    }
                    Ok(()) => assert!(!in_time, "{point:?} {nth}"),
                }
                for reader in &mut readers {
                    if !in_time {
                        assert_eq!(numbers(reader), [7], "{point:?} {nth}");
                    }
                    assert!(reader.try_recv().err().unwrap().is_closed());
                }
                let holes = bus.stats().workers.iter().map(|w| w.holes).sum::<u64>();
                assert_eq!(holes, u64::from(in_time));
                drop((bus, readers));
                census.expect_all_dropped();
            }
        }
    }

    /// One ring has one slot left, as somebody in it is stuck, and the claim of that slot is taken from its publisher.
    fn robbed_of_the_last_slot(ring: usize) -> (Bus<Event>, Census, [Subscriber<Event>; 3]) {
        let (census, clock) = (Census::default(), ManualClock::new());
        let bus = two_rings(&clock);
        let (stuck, mut waiting) = (on(&bus, ring), on(&bus, ring));
        let mut other = on(&bus, 1 - ring);
        for n in 0..63 {
            bus.try_report(event(&census, n)).ok().unwrap();
            if n < 32 {
                numbers(&mut other);
            }
        }
        numbers(&mut waiting);
        let turning = bus.clone();
        at(Point::Written, ring, move || {
            assert_eq!(turning.turn().rescued, 0);
            clock.advance(Duration::from_secs(1));
            assert_eq!(turning.turn().rescued, 1);
        });
        (bus, census, [stuck, waiting, other])
    }

    #[test]
    fn a_claim_that_is_lost_before_any_commit_refuses_for_both() {
        let (bus, census, [mut stuck, mut waiting, mut other]) = robbed_of_the_last_slot(0);
        let refused = bus.try_report(event(&census, 99)).unwrap_err();
        assert!(refused.is_full());
        expect_back(refused.into_inner(), 99);
        let stats = bus.stats();
        assert_eq!(
            stats.workers.iter().map(|w| w.holes).collect::<Vec<_>>(),
            [1, 1]
        );
        assert!(numbers(&mut waiting).is_empty());
        assert!(numbers(&mut stuck).into_iter().eq(0..63));
        assert!(numbers(&mut other).into_iter().eq(32..63));
        bus.try_report(event(&census, 100)).ok().unwrap();
        for reader in [&mut stuck, &mut waiting, &mut other] {
            assert_eq!(numbers(reader), [100]);
        }
        drop((bus, stuck, waiting, other));
        census.expect_all_dropped();
    }

    #[test]
    fn a_claim_that_is_lost_after_a_commit_is_made_anew_whoever_is_in_the_way() {
        let (bus, census, [stuck, mut waiting, mut other]) = robbed_of_the_last_slot(1);
        bus.try_report(event(&census, 99)).ok().unwrap();
        assert_eq!(stuck.eviction().unwrap().reason, EvictionReason::Lapped);
        assert_eq!(numbers(&mut waiting), [99]);
        assert!(numbers(&mut other).into_iter().eq((32..63).chain([99])));
        drop((bus, stuck, waiting, other));
        census.expect_all_dropped();
    }

    #[test]
    fn a_ring_that_is_exhausted_refuses_for_both() {
        const FROZEN: u64 = 33; // more than half of the ring
        for exhausted in [0, 1] {
            let (census, clock) = (Census::default(), ManualClock::new());
            let bus = two_rings(&clock);
            let mut reader = on(&bus, exhausted);
            let (tell, told) = channel();
            let frozen: Vec<_> = (0..FROZEN)
                .map(|n| {
                    let (go, wait) = channel::<()>();
                    let (bus, event, tell) = (bus.clone(), event(&census, 100 + n), tell.clone());
                    let thread = thread::spawn(move || {
                        at(Point::Entered, 0, move || {
                            tell.send(()).unwrap();
                            let _ = wait.recv_timeout(LONG);
                        });
                        bus.report(event).is_ok()
                    });
                    told.recv_timeout(LONG).unwrap();
                    (go, thread)
                })
                .collect();
            while bus.stats().workers[exhausted].abandoned < FROZEN {
                assert!(reader.try_recv().err().unwrap().is_empty());
                clock.advance(Duration::from_secs(1));
            }

            let mut healthy = on(&bus, 1 - exhausted);
            let refused = loop {
                match bus.try_report(event(&census, 1)) {
                    Ok(()) => assert_eq!(
                        (numbers(&mut reader), numbers(&mut healthy)),
                        (vec![1], vec![1])
                    ),
                    Err(refused) => break refused,
                }
            };
            assert!(matches!(refused, TryReportError::Exhausted(_)));
            expect_back(refused.into_inner(), 1);
            let (made, alive, stats) = (census.made(), census.alive(), bus.stats());
            let refused = bus.report(event(&census, 2)).unwrap_err();
            assert!(refused.is_exhausted());
            expect_back(refused.into_inner(), 2);
            let mut events = (3..6).map(|n| event(&census, n));
            let refused = bus.publisher().report_batch(&mut events).unwrap_err();
            assert!(refused.is_exhausted() && refused.accepted == 0);
            (3..)
                .zip(refused.into_events())
                .for_each(|(n, back)| expect_back(back, n));
            assert_eq!(
                (census.made(), census.alive()),
                (made + 4, alive),
                "no clone"
            );
            let holes = |stats: ringbus::BusStats| stats.workers[1 - exhausted].holes;
            assert_eq!(holes(bus.stats()), holes(stats));
            assert!(healthy.try_recv().err().unwrap().is_empty());
            assert!(bus.stats().workers[exhausted].exhausted >= 3);

            for (go, thread) in frozen {
                go.send(()).unwrap();
                assert!(thread.join().unwrap());
            }
            let mut late = numbers(&mut reader);
            late.sort_unstable();
            assert!(late.into_iter().eq(100..100 + FROZEN));
            drop((bus, reader, healthy));
            census.expect_all_dropped();
        }
    }
}
