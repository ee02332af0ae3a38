//! Stops, closes and readers that are not done by then: nothing that was accepted is lost to them.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, LONG, builder, manual, threaded, until};
use ringbus::{Drive, EvictionReason, HandlerEnd, ManualClock, SubscribeError, SubscribeOptions};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_program_of_one_thread_reads_after_its_stop_what_it_had_reported() {
    for drive in [Drive::Threads, Drive::Manual] {
        let census = Census::default();
        let bus = builder(1024).drive(drive).build().unwrap();
        let options = SubscribeOptions::new().stall_limit(Duration::from_millis(1));
        let mut readers = [
            bus.subscribe().unwrap(),
            bus.subscribe_with(options).unwrap(),
        ];
        for n in 0..800 {
            bus.report(census.value(n)).unwrap();
        }
        for reader in &mut readers {
            assert_eq!(reader.recv().unwrap().number(), 0);
        }
        let report = bus.stop_timeout(Duration::ZERO);
        assert!(!report.is_clean());
        assert_eq!((report.undrained.len(), report.lost()), (2, 0));
        assert!(
            report
                .undrained
                .iter()
                .all(|stopped| !stopped.within_window)
        );
        assert_eq!(report.stats.workers[0].published, 800);
        assert_eq!(report.stats.subscribers.len(), 2);
        for reader in &mut readers {
            let mut seen = Vec::new();
            while let Ok(event) = reader.recv() {
                seen.push(event.number());
            }
            assert!(seen.into_iter().eq(1..800));
            assert!(reader.recv().unwrap_err().is_closed());
            assert_eq!(reader.eviction(), None);
        }
        drop((readers, bus));
        census.expect_all_dropped();
    }
}

#[test]
fn a_stop_drops_no_subscriber_that_was_over_a_soft_limit() {
    const LIMIT: Duration = Duration::from_millis(1);
    for stops in [false, true] {
        let clock = ManualClock::new();
        let bus = builder(64).drive(Drive::Manual).clock(clock.clone());
        let bus = bus.build().unwrap();
        let options = SubscribeOptions::new().stall_limit(LIMIT);
        let mut reader = bus.subscribe_with(options).unwrap();
        bus.report(7).unwrap();
        assert_eq!(bus.turn().evicted, 0, "the first look at it");
        clock.advance(2 * LIMIT);
        if stops {
            let report = bus.stop_timeout(Duration::ZERO);
            assert_eq!(report.undrained.len(), 1);
            assert_eq!(*reader.recv().unwrap(), 7);
            assert!(reader.recv().unwrap_err().is_closed());
        } else {
            assert_eq!(bus.turn().evicted, 1, "what a stop must not do");
            let reason = reader.eviction().map(|eviction| eviction.reason);
            assert_eq!(reason, Some(EvictionReason::Stalled));
        }
    }
}

#[test]
fn a_stop_tells_which_undrained_subscriber_may_only_hold_what_it_was_given() {
    let bus = manual::<u64>(64);
    let [mut holds, behind] = [4, 1].map(|slots| {
        let options = SubscribeOptions::new().window(slots);
        bus.subscribe_with(options).unwrap()
    });
    (0..3).for_each(|n| bus.report(n).unwrap());
    (0..3).for_each(|n| assert_eq!(*holds.recv().unwrap(), n));
    let report = bus.stop_timeout(Duration::ZERO);
    let told: Vec<_> = report
        .undrained
        .iter()
        .map(|s| (s.id, s.lag, s.within_window))
        .collect();
    assert_eq!(told, [(holds.id(), 3, true), (behind.id(), 3, false)]);
}

#[test]
fn a_handler_is_ended_at_the_deadline_and_the_report_counts_what_it_had_not_read() {
    let bus = threaded::<u64>(64);
    let (tell, told) = channel();
    let (go, wait) = channel::<()>();
    let guard = bus
        .handle(SubscribeOptions::new().window(1), move |n: &u64| {
            tell.send(*n).unwrap();
            let _ = wait.recv();
        })
        .unwrap();
    (0..10).for_each(|n| bus.report(n).unwrap());
    assert_eq!(told.recv_timeout(LONG), Ok(0));
    let report = bus.stop_timeout(Duration::from_millis(1));
    assert_eq!((report.undrained.len(), report.running.len()), (1, 1));
    assert_eq!(report.lost(), 10, "the one that it is at counts");
    drop(go);
    assert!(matches!(guard.join(), HandlerEnd::Evicted(_)));
    assert_eq!(told.try_iter().count(), 0);
}

#[test]
fn an_old_subscriber_is_told_that_the_bus_was_restarted() {
    let bus = manual::<u64>(64);
    let mut old = bus.subscribe().unwrap();
    assert!(bus.stop_timeout(Duration::ZERO).is_clean());
    assert_eq!(old.rejoin(), Err(SubscribeError::Stopped));
    bus.start().unwrap();
    assert_eq!(old.rejoin(), Err(SubscribeError::Restarted));
    let error = SubscribeError::Restarted.to_string();
    assert!(error.contains("subscribe anew"), "{error}");
    let mut fresh = bus.subscribe().unwrap();
    bus.report(1).unwrap();
    assert_eq!(fresh.rejoin(), Ok(1));
}

#[test]
fn drained_is_pending_until_each_subscriber_of_a_closed_bus_is_done() {
    let bus = manual::<u64>(64);
    let [mut reads, mut leaves, mut sleeps, unsubscribed] =
        [(); 4].map(|()| bus.subscribe().unwrap());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut drained = pin!(bus.drained());
    let mut other = pin!(bus.drained());
    let forgotten = bus.drained();
    let mut polls = || {
        [
            drained.as_mut().poll(&mut context),
            other.as_mut().poll(&mut context),
        ]
    };
    (0..10).for_each(|n| bus.report(n).unwrap());
    assert_eq!(polls(), [Poll::Pending; 2]);
    drop(forgotten);
    bus.close();
    assert_eq!(polls(), [Poll::Pending; 2]);
    assert!(bus.unsubscribe(unsubscribed.id()));
    let read = |reader: &mut ringbus::Subscriber<u64>| {
        while reader.try_recv().is_ok() {}
    };
    read(&mut sleeps);
    assert_eq!(polls(), [Poll::Pending; 2]);
    leaves.try_recv().unwrap();
    drop(leaves);
    assert_eq!(polls(), [Poll::Pending; 2]);
    let before = woken.count();
    read(&mut reads);
    assert_eq!(woken.count(), before + 2, "no turn was needed");
    assert_eq!(polls(), [Poll::Ready(()); 2]);
    assert!(bus.stop().is_clean());
    // Stopped: the next run has not begun.
    pollster::block_on(bus.drained());
}

#[test]
fn drained_is_woken_by_every_way_to_be_done() {
    let is_woken = |done: &dyn Fn(&ringbus::Bus<u64>, ringbus::Subscriber<u64>)| {
        let bus = manual::<u64>(64);
        let reader = bus.subscribe().unwrap();
        bus.report(7).unwrap();
        bus.close();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let mut drained = pin!(bus.drained());
        assert!(drained.as_mut().poll(&mut context).is_pending());
        done(&bus, reader);
        assert!(drained.as_mut().poll(&mut context).is_ready());
        woken.count() > 0
    };
    assert!(is_woken(&|_, mut reader| {
        assert_eq!(*reader.recv().unwrap(), 7);
        reader.release();
        std::mem::forget(reader);
    }));
    assert!(is_woken(&|bus, reader| {
        assert!(bus.unsubscribe(reader.id()));
        std::mem::forget(reader);
    }));
    assert!(is_woken(&|_, reader| drop(reader)));
}

#[test]
fn drained_waits_for_no_handler_that_is_stuck_and_was_dropped() {
    for by_guard in [true, false] {
        let bus = threaded::<u64>(64);
        let (tell, told) = channel();
        let (go, wait) = channel::<()>();
        let guard = bus
            .handle(SubscribeOptions::new(), move |_: &u64| {
                tell.send(()).unwrap();
                let _ = wait.recv();
            })
            .unwrap();
        (0..40).for_each(|n| bus.report(n).unwrap());
        told.recv_timeout(LONG).unwrap();
        bus.close();
        let drained = bus.drained();
        let waiting = thread::spawn(move || pollster::block_on(drained));
        if by_guard {
            drop(guard);
            waiting.join().unwrap();
        } else {
            let report = bus.stop_timeout(Duration::from_millis(1));
            assert_eq!(report.running.len(), 1);
            waiting.join().unwrap();
            guard.detach();
        }
        drop(go);
    }
}

#[test]
fn drained_of_an_exclusive_bus_too() {
    let (mut publisher, bus) = builder::<u64>(64).build_exclusive().unwrap();
    let mut reader = bus.subscribe().unwrap();
    (0..10).for_each(|n| publisher.report(n).unwrap());
    publisher.close();
    let drained = bus.drained();
    let waiting = thread::spawn(move || pollster::block_on(drained));
    let mut count = 0;
    while reader.recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, 10);
    waiting.join().unwrap();
}

#[test]
fn a_task_of_a_single_threaded_runtime_closes_drains_and_stops() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bus = threaded::<u64>(1024);
        let mut reader = bus.subscribe().unwrap();
        let reading = tokio::spawn(async move {
            let mut count = 0;
            while reader.recv_async().await.is_ok() {
                count += 1;
                tokio::task::yield_now().await;
            }
            count
        });
        (0..500).for_each(|n| bus.report(n).unwrap());
        bus.close();
        bus.drained().await;
        assert!(bus.stop().is_clean());
        assert_eq!(reading.await.unwrap(), 500);
    });
}

#[test]
fn futures_that_are_polled_and_dropped_leave_no_waker_behind() {
    let bus = manual::<u64>(64);
    let _reader = bus.subscribe().unwrap();
    let woken = Arc::new(Woken::default());
    {
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        for _ in 0..100 {
            let mut drained = pin!(bus.drained());
            assert!(drained.as_mut().poll(&mut context).is_pending());
            assert!(drained.as_mut().poll(&mut context).is_pending());
        }
    }
    assert_eq!(Arc::strong_count(&woken), 1);
    bus.close();
    until("nothing to wake", || woken.count() == 0);
}
