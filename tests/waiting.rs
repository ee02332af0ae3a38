//! Waiting: threads and tasks that sleep, and what wakes them. Nothing here measures time.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, builder, manual, threaded, until};
use ringbus::{
    Bus, Drive, EvictionReason, RecvError, RecvTimeoutError, SubscribeOptions, SubscriberState,
    WaitStrategy,
};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

const STRATEGIES: [WaitStrategy; 4] = [
    WaitStrategy::Spin,
    WaitStrategy::Yield,
    WaitStrategy::Backoff,
    WaitStrategy::Park,
];

/// A moment: how long it lasts matters to no assertion.
const MOMENT: Duration = Duration::from_millis(1);

/// Naps so long that only a wake-up can end one.
fn sound_sleeper() -> Bus<u64> {
    builder(64).max_nap(LONG * 10).build().unwrap()
}

#[test]
fn every_strategy_receives_whoever_drives() {
    for drive in [Drive::Manual, Drive::Threads] {
        for workers in STRATEGIES {
            let bus = builder::<u64>(64)
                .drive(drive)
                .wait(workers)
                .build()
                .unwrap();
            for strategy in STRATEGIES {
                let options = SubscribeOptions::new().wait(strategy);
                let mut subscriber = bus.subscribe_with(options).unwrap();
                let reader = thread::spawn(move || {
                    (0..30).for_each(|n| assert_eq!(*subscriber.recv().unwrap(), n));
                    subscriber
                });
                for n in 0..30 {
                    bus.report(n).unwrap();
                    thread::yield_now();
                }
                drop(reader.join().unwrap());
            }
        }
    }
}

#[test]
fn an_exclusive_publishers_sleepers_find_its_events() {
    for strategy in STRATEGIES {
        let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
        let mut subscriber = bus
            .subscribe_with(SubscribeOptions::new().wait(strategy))
            .unwrap();
        let reader = thread::spawn(move || {
            (0..40).for_each(|n| assert_eq!(*subscriber.recv().unwrap(), n));
        });
        for n in 0..40 {
            publisher.report(n).unwrap();
            publisher.wake();
            thread::yield_now();
        }
        reader.join().unwrap();
    }
}

#[test]
fn a_timeout_comes_when_nothing_does() {
    for strategy in STRATEGIES {
        let bus = manual::<u64>(64);
        let mut subscriber = bus
            .subscribe_with(SubscribeOptions::new().wait(strategy))
            .unwrap();
        assert_eq!(
            subscriber.recv_timeout(MOMENT).unwrap_err(),
            RecvTimeoutError::Timeout
        );
        assert!(
            subscriber
                .recv_timeout(Duration::ZERO)
                .unwrap_err()
                .is_timeout()
        );
        assert!(
            subscriber
                .recv_deadline(Instant::now() + MOMENT)
                .unwrap_err()
                .is_timeout()
        );
        assert!(subscriber.wait_timeout(MOMENT).unwrap_err().is_timeout());
        bus.report(7).unwrap();
        subscriber.wait_timeout(Duration::ZERO).unwrap();
        subscriber.wait().unwrap();
        assert_eq!(*subscriber.recv_timeout(Duration::MAX).unwrap(), 7);
        bus.report(8).unwrap();
        assert_eq!(*subscriber.recv_deadline(Instant::now()).unwrap(), 8);
        bus.close();
        assert!(subscriber.recv_timeout(LONG).unwrap_err().is_closed());
        assert!(subscriber.wait_timeout(LONG).unwrap_err().is_closed());
    }
}

#[test]
fn many_and_matching_wait_for_the_first() {
    let bus = threaded::<u64>(64);
    let mut many = bus.subscribe().unwrap();
    let mut odd = bus.subscribe().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut seen = Vec::new();
            while seen.len() < 30 {
                assert!(many.recv_many(8, |n| seen.push(*n)).unwrap() > 0);
            }
            assert!(seen.into_iter().eq(0..30));
        });
        scope.spawn(move || {
            for n in 0..15 {
                assert_eq!(*odd.recv_matching(|n| n % 2 == 1).unwrap(), 2 * n + 1);
            }
        });
        for n in 0..30 {
            bus.report(n).unwrap();
        }
    });
}

#[test]
fn no_wake_up_is_lost_between_two_that_take_turns() {
    let (ping, pong) = (sound_sleeper(), sound_sleeper());
    let parked = || SubscribeOptions::new().wait(WaitStrategy::Park);
    let mut pinged = ping.subscribe_with(parked()).unwrap();
    let mut ponged = pong.subscribe_with(parked()).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            while let Ok(n) = pinged.recv().map(|n| *n) {
                pong.report(n).unwrap();
            }
        });
        for n in 0..2_000 {
            ping.report(n).unwrap();
            assert_eq!(*ponged.recv().unwrap(), n);
        }
        drop(ping);
    });
}

fn asleep(bus: &Bus<u64>) -> impl FnMut() -> bool + '_ {
    || {
        bus.stats()
            .subscribers
            .iter()
            .all(|s| s.state == SubscriberState::Idle)
    }
}

#[test]
fn unsubscribe_stop_close_and_the_last_drop_wake_a_thread() {
    for way in 0..4 {
        let bus = sound_sleeper();
        let mut subscriber = bus.subscribe().unwrap();
        let id = subscriber.id();
        let sleeper = thread::spawn(move || subscriber.recv().map(|n| *n).unwrap_err());
        until("asleep", asleep(&bus));
        match way {
            0 => assert!(bus.unsubscribe(id)),
            1 => assert!(bus.stop().is_clean()),
            2 => bus.close(),
            _ => drop(bus),
        }
        match sleeper.join().unwrap() {
            RecvError::Evicted(eviction) if way == 0 => {
                assert_eq!(eviction.reason, EvictionReason::Unsubscribed);
            }
            RecvError::Closed if way > 0 => {}
            other => panic!("{other:?} in way {way}"),
        }
    }
}

/// Counts its wake-ups.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn unsubscribe_stop_close_and_eviction_wake_a_task() {
    for way in 0..4 {
        let bus = manual::<u64>(64);
        let mut subscriber = bus.subscribe().unwrap();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        assert!(subscriber.poll_ready(&mut context).is_pending());
        assert_eq!(count.get(), 0);
        match way {
            0 => assert!(bus.unsubscribe(subscriber.id())),
            1 => assert!(bus.stop().is_clean()),
            2 => bus.close(),
            _ => {
                (0..100).for_each(|n| bus.report(n).unwrap());
                assert!(bus.wants_turn());
                assert_eq!(bus.turn().woken, 1);
            }
        }
        assert_eq!(count.get(), 1, "way {way}");
        match subscriber.poll_ready(&mut context) {
            Poll::Ready(Err(RecvError::Closed)) => assert!(way == 1 || way == 2),
            Poll::Ready(Err(RecvError::Evicted(eviction))) if way == 0 => {
                assert_eq!(eviction.reason, EvictionReason::Unsubscribed);
            }
            Poll::Ready(Err(RecvError::Evicted(eviction))) => {
                assert_eq!((way, eviction.reason), (3, EvictionReason::Lapped));
            }
            other => panic!("{other:?} in way {way}"),
        }
    }
}

#[test]
fn a_pending_poll_is_woken_by_the_event_in_one_turn() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut context = Context::from_waker(&waker);
    for n in 0..200 {
        assert!(subscriber.poll_ready(&mut context).is_pending());
        assert!(subscriber.poll_ready(&mut context).is_pending(), "again");
        assert!(!bus.turn().did_something());
        bus.report(n).unwrap();
        assert!(bus.wants_turn());
        assert_eq!(bus.turn().woken, 1);
        assert_eq!(count.get() as u64, n + 1);
        assert!(subscriber.poll_ready(&mut context).is_ready());
        assert!(
            subscriber.poll_ready(&mut context).is_ready(),
            "takes nothing"
        );
        assert_eq!(*subscriber.try_recv().unwrap(), n);
    }
}

#[test]
fn only_the_last_waker_is_woken() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
    for count in &counts {
        let waker = Waker::from(count.clone());
        assert!(
            subscriber
                .poll_ready(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    bus.report(1).unwrap();
    bus.turn();
    assert_eq!(counts.each_ref().map(|count| count.get()), [0, 1]);
    drop(subscriber);
    assert!(counts.iter().all(|count| Arc::strong_count(count) == 1));
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let bus = threaded::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let mut other = bus.subscribe().unwrap();
    let waker = Waker::from(Arc::new(Panics));
    assert!(
        subscriber
            .poll_ready(&mut Context::from_waker(&waker))
            .is_pending()
    );
    for n in 0..20 {
        bus.report(n).unwrap();
        assert_eq!(*other.recv().unwrap(), n);
    }
    assert_eq!(*subscriber.recv().unwrap(), 0);
}

// Async runtimes.

#[test]
fn a_plain_executor_receives() {
    let bus = sound_sleeper();
    let mut subscriber = bus.subscribe().unwrap();
    let task = thread::spawn(move || {
        pollster::block_on(async {
            let mut next = 0;
            while let Ok(n) = subscriber.recv_async().await.map(|n| *n) {
                assert_eq!(n, next);
                next += 1;
            }
            next
        })
    });
    for n in 0..500 {
        while bus.try_report(n).is_err() {
            thread::yield_now();
        }
    }
    drop(bus);
    assert_eq!(task.join().unwrap(), 500);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn many_tasks_receive_everything() {
    let bus = sound_sleeper();
    runtime().block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let mut subscriber = bus.subscribe().unwrap();
                tokio::spawn(async move {
                    let mut seen = 0;
                    while let Ok(n) = subscriber.recv_async().await.map(|n| *n) {
                        assert_eq!(n, seen);
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for n in 0..1_000 {
            while bus.try_report(n).is_err() {
                tokio::task::yield_now().await;
            }
        }
        bus.close();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1_000);
        }
    });
}

#[test]
fn a_future_that_is_dropped_loses_no_event() {
    let bus = sound_sleeper();
    let mut subscriber = bus.subscribe().unwrap();
    runtime().block_on(async {
        let (poke, mut poked) = tokio::sync::mpsc::channel(1);
        let publisher = tokio::spawn(async move {
            for n in 0..500 {
                while bus.try_report(n).is_err() {
                    tokio::task::yield_now().await;
                }
                let _ = poke.try_send(());
                if n % 3 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        let (mut next, mut cancelled) = (0, 0);
        loop {
            tokio::select! {
                biased;
                _ = tokio::time::sleep(Duration::from_micros(next % 2)) => cancelled += 1,
                Some(()) = poked.recv() => cancelled += 1,
                event = subscriber.recv_async() => match event {
                    Ok(event) => {
                        assert_eq!(*event, next);
                        next += 1;
                    }
                    Err(error) => break assert!(error.is_closed()),
                },
            }
        }
        assert_eq!(next, 500);
        assert!(cancelled > 0);
        publisher.await.unwrap();
    });
}

#[test]
fn a_future_may_be_dropped_half_way_and_a_thread_goes_on() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    for n in 0..100 {
        {
            let mut future = pin!(subscriber.recv_async());
            assert!(
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
        }
        bus.report(n).unwrap();
        assert_eq!(*subscriber.try_recv().unwrap(), n);
    }
}
