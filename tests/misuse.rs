//! The right calls in the wrong order, too often, or with nothing in them: each says so, and changes nothing else.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, LONG, builder, manual, threaded, until};
use ringbus::{
    Bus, Clock, Drive, EvictionReason, HandlerEnd, ManualClock, RecvError, SubscribeError,
    SubscribeOptions, Subscriber, TryRecvError,
};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

const NOW: Duration = Duration::ZERO;

/// Every way to read says the same, again and again.
fn always(reader: &mut Subscriber<u64>, is_it: fn(RecvError) -> bool) {
    let again = |error: TryRecvError| match error {
        TryRecvError::Closed => is_it(RecvError::Closed),
        TryRecvError::Evicted(eviction) => is_it(RecvError::Evicted(eviction)),
        _ => false,
    };
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(again(reader.try_recv().unwrap_err()));
        assert!(again(reader.latest().unwrap_err()));
        assert!(again(reader.try_recv_matching(|_| true).unwrap_err()));
        assert!(is_it(reader.recv().unwrap_err()));
        assert!(is_it(reader.recv_matching(|_| true).unwrap_err()));
        assert!(is_it(reader.recv_many(9, |_| {}).unwrap_err()));
        assert!(is_it(reader.drain(9, |_| {}).unwrap_err()));
        assert!(is_it(reader.wait().unwrap_err()));
        assert!(!reader.recv_timeout(Duration::MAX).unwrap_err().is_timeout());
        assert!(!reader.recv_timeout(NOW).unwrap_err().is_timeout());
        assert!(
            !reader
                .recv_deadline(Instant::now())
                .unwrap_err()
                .is_timeout()
        );
        assert!(!reader.wait_timeout(Duration::MAX).unwrap_err().is_timeout());
        assert!(reader.poll_ready(&mut context).is_ready());
        assert!(pollster::block_on(reader.recv_async()).is_err_and(is_it));
        assert!(reader.iter().take(9).count() <= 1);
        assert!(reader.try_iter().take(9).count() <= 1);
        reader.release();
    }
}

#[test]
fn the_end_is_told_for_ever() {
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = builder(64).drive(drive).build().unwrap();
        let mut reader = bus.subscribe().unwrap();
        bus.report(1).unwrap();
        bus.close();
        bus.close();
        // Refused, and what is there is there.
        assert_eq!(reader.rejoin(), Err(SubscribeError::Stopped));
        assert_eq!(*reader.recv().unwrap(), 1);
        always(&mut reader, |error| error.is_closed());
        assert!(reader.eviction().is_none());
    }
}

#[test]
fn a_drop_is_told_for_ever_and_a_rejoin_ends_it() {
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    for n in 0..200u64 {
        bus.report(n).unwrap();
    }
    let lapped = |error| matches!(error, RecvError::Evicted(eviction) if eviction.reason == EvictionReason::Lapped);
    while reader.try_recv().is_ok() {}
    always(&mut reader, lapped);
    assert!(!bus.unsubscribe(reader.id()), "dropped already");
    let missed = reader.rejoin().unwrap();
    assert!(missed >= 130, "{missed}");
    assert_eq!(reader.rejoin(), Ok(0), "nothing was missed since");
    assert!(reader.eviction().is_none());
    bus.report(7).unwrap();
    assert_eq!(*reader.try_recv().unwrap(), 7);
    bus.close();
    always(&mut reader, |error| error.is_closed());
}

#[test]
fn a_rejoin_of_ones_own_will_passes_over_what_is_there() {
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    for n in 0..10u64 {
        bus.report(n).unwrap();
    }
    assert_eq!(*reader.try_recv().unwrap(), 0);
    assert_eq!(reader.rejoin(), Ok(9));
    assert!(reader.try_recv().unwrap_err().is_empty());
    bus.report(10).unwrap();
    assert_eq!(*reader.try_recv().unwrap(), 10);
    assert_eq!(bus.turn().notices, 0);
}

#[test]
fn nothing_asked_for_is_nothing_read() {
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    reader.release();
    assert_eq!(reader.drain(0, |_: &u64| unreachable!()), Ok(0));
    assert_eq!(reader.drain(9, |_| unreachable!()), Ok(0));
    assert_eq!(
        reader.recv_many(0, |_| unreachable!()),
        Ok(0),
        "does not wait"
    );
    assert!(reader.recv_timeout(NOW).unwrap_err().is_timeout());
    assert!(
        reader
            .recv_deadline(Instant::now())
            .unwrap_err()
            .is_timeout()
    );
    assert!(reader.wait_timeout(NOW).unwrap_err().is_timeout());
    assert!(reader.latest().unwrap_err().is_empty());

    let mut publisher = bus.publisher();
    assert_eq!(publisher.report_batch(&mut std::iter::empty()).unwrap(), 0);
    assert_eq!(publisher.try_report_batch(&mut std::iter::empty()), 0);
    assert_eq!(bus.stats().workers[0].published, 0);
    bus.report(1).unwrap();
    assert_eq!(reader.drain(0, |_| unreachable!()), Ok(0));
    assert_eq!(reader.drain_while(0, |_| unreachable!()), Ok(0));
    assert_eq!(reader.recv_many(0, |_| unreachable!()), Ok(0));
    assert_eq!(reader.wait(), Ok(()));
    assert_eq!(reader.wait_timeout(Duration::MAX), Ok(()));
    assert_eq!(
        reader.drain_while(usize::MAX, |_| ControlFlow::Break(())),
        Ok(1)
    );
    bus.report(2).unwrap();
    assert_eq!(*reader.recv_timeout(Duration::MAX).unwrap(), 2);
    while publisher.report_timeout(3, NOW).is_ok() {}
    assert!(publisher.report_timeout(3, NOW).unwrap_err().is_full());
    assert_eq!(publisher.free(), 0);

    let (mut publisher, _bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
    let _reader = _bus.subscribe().unwrap();
    assert_eq!(
        publisher
            .report_batch(&mut std::iter::empty::<u64>())
            .unwrap(),
        0
    );
    assert_eq!(publisher.try_report_batch(&mut std::iter::empty()), 0);
    assert_eq!(_bus.stats().workers[0].published, 0);
    publisher.report_timeout(1, Duration::MAX).unwrap();
}

#[test]
fn what_is_stopped_stops_and_starts_as_often_as_one_likes() {
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = builder(64)
            .drive(drive)
            .stop_timeout(Duration::MAX)
            .build()
            .unwrap();
        let mut publisher = bus.publisher();
        let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
        let id = guard.id();
        for n in 0..3u64 {
            assert!(bus.stop().is_clean());
            let empty = bus.stop_timeout(Duration::MAX);
            assert!(empty.is_clean() && empty.drained.is_empty());
            assert!(!bus.shutdown(n).last_accepted);
            bus.close();
            assert!(bus.report(n).unwrap_err().is_stopped());
            assert!(publisher.try_report(n).unwrap_err().is_stopped());
            assert!(
                publisher
                    .report_timeout(n, Duration::MAX)
                    .unwrap_err()
                    .is_stopped()
            );
            assert!(
                bus.handle(SubscribeOptions::new(), |_| {})
                    .unwrap_err()
                    .is_stopped()
            );
            assert!(!bus.unsubscribe(id));
            assert_eq!(bus.lag_of(id), None);
            assert_eq!(bus.turn().notices, 0);
            assert!(!bus.wants_turn());
            bus.start().unwrap();
            bus.start().unwrap();
            let mut reader = bus.subscribe().unwrap();
            publisher.report(n).unwrap();
            assert_eq!(*reader.recv().unwrap(), n);
        }
        assert!(guard.is_finished());
        assert_eq!(guard.join(), HandlerEnd::Closed);
    }
}

#[test]
fn a_close_wants_a_stop_before_a_start() {
    let bus = manual::<u64>(64);
    bus.close();
    bus.start().unwrap();
    assert!(
        bus.report(1).unwrap_err().is_stopped(),
        "a start does nothing to what runs"
    );
    assert!(bus.subscribe().unwrap_err().is_stopped());
    let _ = bus.stop();
    bus.start().unwrap();
    bus.report(1).unwrap();
}

/// All orders of so many things.
fn orders(things: usize) -> Vec<Vec<usize>> {
    let Some(last) = things.checked_sub(1) else {
        return vec![vec![]];
    };
    let with_last = |order: Vec<usize>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    orders(last).into_iter().flat_map(with_last).collect()
}

#[test]
fn things_are_dropped_in_any_order() {
    let orders = orders(5);
    assert_eq!(orders.len(), 120);
    for (drive, order) in [Drive::Manual, Drive::Threads]
        .into_iter()
        .flat_map(|drive| orders.iter().map(move |order| (drive, order)))
    {
        let census = Census::default();
        let bus: Bus<Counted> = builder(64).drive(drive).workers(2).build().unwrap();
        let mut publisher = bus.publisher();
        let mut asleep = bus.subscribe().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(asleep.poll_ready(&mut context).is_pending());
        let mut reading = bus.subscribe().unwrap();
        let guard = bus
            .handle(SubscribeOptions::new(), |event: &Counted| {
                _ = event.number()
            })
            .unwrap();
        for n in 0..70 {
            publisher.report(census.value(n)).unwrap();
            assert_eq!(reading.recv().unwrap().number(), n);
        }
        let mut things: Vec<Option<Box<dyn std::any::Any>>> = vec![
            Some(Box::new(bus)),
            Some(Box::new(publisher)),
            Some(Box::new(asleep)),
            Some(Box::new(reading)),
            Some(Box::new(guard)),
        ];
        order.iter().for_each(|&thing| things[thing] = None);
        census.expect_all_dropped();
    }
}

#[test]
fn the_host_may_turn_while_threads_run_and_each_drop_is_told_once() {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    let bus = builder(64)
        .on_evict(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    let done = AtomicBool::new(false);
    let drops = 50;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    bus.turn();
                    thread::yield_now();
                }
            });
        }
        let _done = common::SetOnDrop(&done);
        let mut reading = bus.subscribe().unwrap();
        for _ in 0..drops {
            let gone = bus.subscribe().unwrap();
            while gone.eviction().is_none() {
                bus.report(7u64).unwrap();
                assert_eq!(*reading.recv().unwrap(), 7);
            }
        }
        until("all told", || told.load(Ordering::Relaxed) == drops);
    });
    assert!(bus.stop_timeout(LONG).is_clean());
    assert_eq!(told.load(Ordering::Relaxed), drops, "and none twice");
}

#[test]
fn ids_and_workers_that_are_nobodys_are_nobodys() {
    let (bus, other) = (manual::<u64>(64), threaded::<u64>(64));
    let strangers: Vec<_> = (0..9).map(|_| other.subscribe().unwrap()).collect();
    let reader = bus.subscribe().unwrap();
    let stranger = strangers.last().unwrap().id();
    assert!(!bus.unsubscribe(stranger));
    assert_eq!(bus.lag_of(stranger), None);
    let id = reader.id();
    drop(reader);
    assert!(!bus.unsubscribe(id), "left");
    assert_eq!(bus.lag_of(id), None);
    let nowhere = SubscribeOptions::new().worker(1);
    assert_eq!(
        bus.subscribe_with(nowhere).unwrap_err(),
        SubscribeError::NoSuchWorker {
            worker: 1,
            workers: 1
        }
    );
}

#[test]
fn a_future_polled_after_its_end_is_pending_for_ever() {
    use std::future::Future;
    let bus = manual(64);
    let mut reader = bus.subscribe().unwrap();
    bus.report(1u64).unwrap();
    bus.report(2).unwrap();
    {
        let mut future = std::pin::pin!(reader.recv_async());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_ready());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(*reader.try_recv().unwrap(), 2);
}

#[test]
fn limits_of_hardly_any_time_and_of_all_time_are_limits() {
    const INSTANT: Duration = Duration::from_nanos(1);
    let clock = ManualClock::new();
    let bus = builder(64)
        .drive(Drive::Manual)
        .clock(clock.clone())
        .build()
        .unwrap();
    let options = SubscribeOptions::new;
    let mut hasty = bus.subscribe_with(options().stall_limit(INSTANT)).unwrap();
    let mut prompt = bus.subscribe_with(options().lag_limit(0, INSTANT)).unwrap();
    let patient = bus
        .subscribe_with(options().stall_limit(Duration::MAX))
        .unwrap();
    let tolerant = bus
        .subscribe_with(options().lag_limit(63, INSTANT))
        .unwrap();
    bus.report(1u64).unwrap();
    bus.turn();
    assert!(
        hasty.try_recv().is_ok() && prompt.try_recv().is_ok(),
        "not before time moves"
    );
    bus.report(2).unwrap();
    bus.turn();
    clock.advance(2 * INSTANT);
    bus.turn();
    clock.advance(Duration::from_secs(1 << 33));
    assert!(clock.now() >= Duration::from_secs(1 << 33));
    bus.turn();
    let reason = |reader: &Subscriber<u64>| reader.eviction().map(|eviction| eviction.reason);
    assert_eq!(reason(&hasty), Some(EvictionReason::Stalled));
    assert_eq!(reason(&prompt), Some(EvictionReason::Lagging));
    assert_eq!((reason(&patient), reason(&tolerant)), (None, None));
}
