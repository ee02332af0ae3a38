//! Readers that are parked in whatever call, and what ends their sleep: nothing here wakes by itself.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, builder, until};
use ringbus::{
    Bus, Drive, EvictionReason, HandlerEnd, RecvError, RecvTimeoutError, SubscribeOptions,
    Subscriber, SubscriberState, WaitStrategy,
};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any test may take.
const FOR_EVER: Duration = LONG.saturating_mul(10);

const DRIVES: [Drive; 2] = [Drive::Manual, Drive::Threads];

fn sound_sleepers(drive: Drive, workers: usize) -> Bus<u64> {
    let builder = builder(64).drive(drive).max_nap(FOR_EVER);
    builder.workers(workers).build().unwrap()
}

fn untimed(error: RecvTimeoutError) -> RecvError {
    match error {
        RecvTimeoutError::Closed => RecvError::Closed,
        RecvTimeoutError::Evicted(eviction) => RecvError::Evicted(eviction),
        other => panic!("{other:?}"),
    }
}

/// Receives an event or more.
type Way = fn(&mut Subscriber<u64>, &mut Vec<u64>) -> Result<(), RecvError>;

const WAYS: [Way; 9] = [
    |subscriber, seen| subscriber.recv().map(|n| seen.push(*n)),
    |subscriber, seen| {
        let received = subscriber.recv_timeout(FOR_EVER);
        received.map(|n| seen.push(*n)).map_err(untimed)
    },
    |subscriber, seen| {
        let received = subscriber.recv_deadline(Instant::now() + FOR_EVER);
        received.map(|n| seen.push(*n)).map_err(untimed)
    },
    |subscriber, seen| subscriber.recv_many(9, |n| seen.push(*n)).map(drop),
    |subscriber, seen| subscriber.recv_matching(|_| true).map(|n| seen.push(*n)),
    |subscriber, seen| {
        subscriber.wait()?;
        seen.push(*subscriber.try_recv().unwrap());
        Ok(())
    },
    |subscriber, seen| {
        subscriber.wait_timeout(FOR_EVER).map_err(untimed)?;
        seen.push(*subscriber.try_recv().unwrap());
        Ok(())
    },
    |subscriber, seen| match subscriber.iter().next() {
        Some(event) => event.map(|n| seen.push(n)),
        None => Err(RecvError::Closed),
    },
    |subscriber, seen| {
        pollster::block_on(async { subscriber.recv_async().await.map(|n| seen.push(*n)) })
    },
];

/// What a reader saw, and its end.
type Ended = (Vec<u64>, RecvError);

/// A reader for each way, asleep. Their threads are not joined: a reader that sleeps on is to fail its test.
fn parked<M>(bus: &Bus<u64, M>) -> Vec<(ringbus::SubscriberId, Receiver<Ended>)> {
    let readers: Vec<_> = WAYS
        .iter()
        .map(|receive| {
            let options = SubscribeOptions::new().wait(WaitStrategy::Park);
            let mut subscriber = bus.subscribe_with(options).unwrap();
            let id = subscriber.id();
            let (tell, told) = channel();
            thread::spawn(move || {
                let mut seen = Vec::new();
                let end = loop {
                    if let Err(end) = receive(&mut subscriber, &mut seen) {
                        break end;
                    }
                };
                tell.send((seen, end)).unwrap();
            });
            (id, told)
        })
        .collect();
    all_asleep(bus);
    readers
}

fn all_asleep<M>(bus: &Bus<u64, M>) {
    until("all asleep", || {
        let stats = bus.stats();
        let states = stats.subscribers.iter().map(|s| s.state);
        states
            .into_iter()
            .all(|state| state == SubscriberState::Idle)
    });
}

#[track_caller]
fn ended(way: usize, told: &Receiver<Ended>) -> Ended {
    let ended = told.recv_timeout(LONG);
    ended.unwrap_or_else(|_| panic!("way {way} sleeps on"))
}

#[test]
fn unsubscribing_wakes_a_reader_in_any_call_and_nobody_else() {
    for drive in DRIVES {
        let bus = sound_sleepers(drive, 1);
        for (way, (id, told)) in parked(&bus).into_iter().enumerate() {
            let others = bus.stats().subscribers.len() - 1;
            assert!(bus.unsubscribe(id));
            match ended(way, &told) {
                (seen, RecvError::Evicted(eviction)) => {
                    assert!(seen.is_empty());
                    assert_eq!(eviction.reason, EvictionReason::Unsubscribed);
                }
                other => panic!("{other:?} in way {way}"),
            }
            until("gone", || bus.stats().subscribers.len() == others);
            all_asleep(&bus);
        }
    }
}

#[test]
fn whatever_ends_the_bus_wakes_readers_in_any_call_and_they_drain() {
    for drive in DRIVES {
        for workers in [1, 2] {
            for end in 0..4 {
                let bus = sound_sleepers(drive, workers);
                let readers = parked(&bus);
                // Without our threads and without a turn these wake nobody.
                (0..3).for_each(|n| bus.report(n).unwrap());
                match end {
                    0 => assert!(bus.stop_timeout(LONG).is_clean()),
                    1 => assert!(bus.shutdown(3).is_clean()),
                    2 => bus.close(),
                    _ => drop(bus),
                }
                let last = if end == 1 { 4 } else { 3 };
                for (way, (_, told)) in readers.iter().enumerate() {
                    let (seen, error) = ended(way, told);
                    assert!(error.is_closed(), "{error:?} in way {way}");
                    assert!(seen.into_iter().eq(0..last), "way {way}");
                }
            }
        }
    }
}

#[test]
fn an_exclusive_publishers_end_wakes_readers_in_any_call_and_they_drain() {
    for end in 0..3 {
        let builder = builder(64).max_nap(FOR_EVER);
        let (mut publisher, bus) = builder.build_exclusive().unwrap();
        let readers = parked(&bus);
        (0..3).for_each(|n| publisher.report(n).unwrap());
        match end {
            0 => assert!(publisher.stop_timeout(LONG).is_clean()),
            1 => publisher.close(),
            _ => drop(publisher),
        }
        for (way, (_, told)) in readers.iter().enumerate() {
            let (seen, error) = ended(way, told);
            assert!(error.is_closed(), "{error:?} in way {way}");
            assert_eq!(seen, [0, 1, 2], "way {way}");
        }
    }
}

#[test]
fn a_sleeping_handler_is_woken_by_its_unsubscription_its_guard_and_a_stop() {
    for drive in DRIVES {
        for way in 0..3 {
            let bus = sound_sleepers(drive, 1);
            let (tell, told) = channel();
            struct Tells(std::sync::mpsc::Sender<HandlerEnd>);
            impl ringbus::Handler<u64> for Tells {
                fn event(&mut self, _: &u64, _: ringbus::Info) {}
                fn end(&mut self, end: HandlerEnd) {
                    let _ = self.0.send(end);
                }
            }
            let options = SubscribeOptions::new().wait(WaitStrategy::Park);
            let guard = bus.handle_with(options, Tells(tell)).unwrap();
            all_asleep(&bus);
            let mut guard = Some(guard);
            let end = match way {
                0 => {
                    assert!(bus.unsubscribe(guard.as_ref().unwrap().id()));
                    HandlerEnd::Unsubscribed
                }
                1 => {
                    guard = None;
                    HandlerEnd::Unsubscribed
                }
                _ => {
                    assert!(bus.stop_timeout(LONG).is_clean());
                    HandlerEnd::Closed
                }
            };
            assert_eq!(told.recv_timeout(LONG), Ok(end.clone()), "sleeps on");
            if let Some(guard) = guard {
                assert_eq!(guard.join(), end);
            }
        }
    }
}
