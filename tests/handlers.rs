//! Push subscribers: what they are told, how they end, and what they may do.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, LONG, builder, manual, threaded, until};
use ringbus::{
    Bus, EvictionReason, Handler, HandlerEnd, HandlerGuard, Info, OnLap, SubscribeError,
    SubscribeOptions,
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn options() -> SubscribeOptions {
    SubscribeOptions::new()
}

/// What a handler was told.
#[derive(Debug, PartialEq)]
enum Told {
    Event(u64, bool),
    Lagged(u64),
    End(HandlerEnd),
    Dropped,
}

/// Passes on what it is told; before each event it takes leave from `go`, if there is one.
struct Teller {
    told: Sender<Told>,
    go: Option<Receiver<()>>,
    panics_at: Option<u64>,
}

impl Teller {
    fn gated(mut self, go: Receiver<()>) -> Self {
        self.go = Some(go);
        self
    }
}

impl Handler<u64> for Teller {
    fn event(&mut self, event: &u64, info: Info) {
        let _ = self.told.send(Told::Event(*event, info.end_of_batch));
        if let Some(go) = &self.go {
            let _ = go.recv();
        }
        if self.panics_at == Some(*event) {
            panic!("no more of {event}");
        }
    }

    fn lagged(&mut self, missed: u64) {
        let _ = self.told.send(Told::Lagged(missed));
    }

    fn end(&mut self, end: HandlerEnd) {
        let _ = self.told.send(Told::End(end));
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let _ = self.told.send(Told::Dropped);
    }
}

fn teller(told: &Sender<Told>) -> Teller {
    Teller {
        told: told.clone(),
        go: None,
        panics_at: None,
    }
}

fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(LONG).unwrap()
}

#[test]
fn a_handler_gets_every_event_then_its_end_and_is_dropped() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let guard = bus.handle_with(options(), teller(&tell)).unwrap();
    for n in 0..40 {
        bus.report(n).unwrap();
    }
    for n in 0..40 {
        assert!(matches!(next(&told), Told::Event(event, _) if event == n));
    }
    assert!(bus.stop().is_clean());
    assert_eq!(next(&told), Told::End(HandlerEnd::Closed));
    assert_eq!(next(&told), Told::Dropped);
    assert_eq!(guard.join(), HandlerEnd::Closed);
}

#[test]
fn the_end_of_a_batch_is_the_last_event_that_is_there() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let (go, wait) = channel();
    let handler = teller(&tell).gated(wait);
    let guard = bus.handle_with(options(), handler).unwrap();
    bus.report(0).unwrap();
    assert_eq!(next(&told), Told::Event(0, true));
    for n in 1..=20 {
        bus.report(n).unwrap();
    }
    go.send(()).unwrap();
    for n in 1..=20 {
        assert_eq!(next(&told), Told::Event(n, n == 20));
        go.send(()).unwrap();
    }
    drop(guard);
    assert_eq!(next(&told), Told::End(HandlerEnd::Unsubscribed));
}

#[test]
fn one_that_rejoins_is_told_what_it_missed_and_goes_on() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let (go, wait) = channel();
    let handler = teller(&tell).gated(wait);
    let guard = bus
        .handle_with(options().on_lap(OnLap::Rejoin), handler)
        .unwrap();
    bus.report(0).unwrap();
    assert_eq!(next(&told), Told::Event(0, true));
    for n in 1..=300 {
        bus.report(n).unwrap();
    }
    drop(go);
    // What its window covered may still be handled.
    let mut seen = 0;
    let missed = loop {
        match next(&told) {
            Told::Event(n, _) => {
                assert_eq!(n, seen + 1);
                seen = n;
            }
            Told::Lagged(missed) => break missed,
            other => panic!("{other:?}"),
        }
    };
    assert!(
        missed >= 300 - seen && missed <= 300 + 64,
        "{missed} after {seen}"
    );
    bus.report(301).unwrap();
    assert_eq!(next(&told), Told::Event(301, true));
    drop(guard);
}

#[test]
fn one_that_is_too_slow_ends_as_evicted() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let (go, wait) = channel();
    let handler = teller(&tell).gated(wait);
    let guard = bus.handle_with(options(), handler).unwrap();
    bus.report(0).unwrap();
    assert_eq!(next(&told), Told::Event(0, true));
    for n in 1..=300 {
        bus.report(n).unwrap();
    }
    drop(go);
    let HandlerEnd::Evicted(eviction) = guard.join() else {
        panic!("not evicted");
    };
    assert_eq!(eviction.reason, EvictionReason::Lapped);
    assert!(eviction.lag >= 300 - 8);
}

#[test]
fn a_panic_is_contained_told_and_nobody_elses_business() {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let noted = notices.clone();
    let bus = builder(64)
        .on_evict(move |notice| noted.lock().unwrap().push(notice.clone()))
        .build()
        .unwrap();
    let (tell, told) = channel();
    let mut handler = teller(&tell);
    handler.panics_at = Some(3);
    let panics = bus.handle_with(options().name("brittle"), handler).unwrap();
    let mut other = bus.subscribe().unwrap();
    for n in 0..10 {
        bus.report(n).unwrap();
    }
    let id = panics.id();
    let end = HandlerEnd::Panicked(Some("no more of 3".to_owned()));
    assert_eq!(panics.join(), end);
    assert!((0..4).all(|n| matches!(next(&told), Told::Event(event, _) if event == n)));
    assert_eq!(next(&told), Told::End(end));
    for n in 0..10 {
        assert_eq!(*other.recv().unwrap(), n);
    }
    until("the notice", || !notices.lock().unwrap().is_empty());
    drop(other);
    let _ = bus.stop();
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].subscriber, id);
    assert_eq!(notices[0].name.as_deref(), Some("brittle"));
    assert_eq!(notices[0].eviction.reason, EvictionReason::Panicked);
    assert_eq!(notices[0].panic_message.as_deref(), Some("no more of 3"));
}

/// Panics at every turn, with what panics when it is dropped.
struct Brittle;

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("even dropped");
    }
}

impl Handler<u64> for Brittle {
    fn event(&mut self, _: &u64, _: Info) {
        std::panic::panic_any(Bomb);
    }

    fn end(&mut self, _: HandlerEnd) {
        panic!("even at its end");
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the payload too");
        }
    }
}

#[test]
fn a_handler_may_panic_wherever_it_is_called() {
    struct AtItsEnd(Brittle);
    impl Handler<u64> for AtItsEnd {
        fn event(&mut self, _: &u64, _: Info) {
            std::panic::panic_any(Bomb);
        }
    }
    let bus = threaded(64);
    let guard = bus.handle_with(options(), AtItsEnd(Brittle)).unwrap();
    bus.report(1).unwrap();
    assert_eq!(guard.join(), HandlerEnd::Panicked(None));
    assert!(bus.stop().is_clean());
}

#[test]
fn dropping_the_guard_unsubscribes_and_wakes() {
    let census = Census::default();
    let bus = threaded(64);
    let counted = census.value(1);
    let guard = bus
        .handle(options(), move |_: &u64| assert_eq!(counted.number(), 1))
        .unwrap();
    assert!(!guard.is_finished());
    drop(guard);
    // It sleeps, and ends all the same; with it goes what it captured.
    census.expect_all_dropped();
    until("gone", || bus.stats().subscribers.is_empty());
}

#[test]
fn a_guard_dropped_while_its_rejoining_handler_is_lapped_ends_it() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let (go, wait) = channel();
    let handler = teller(&tell).gated(wait);
    let guard = bus
        .handle_with(options().on_lap(OnLap::Rejoin), handler)
        .unwrap();
    bus.report(0).unwrap();
    assert_eq!(next(&told), Told::Event(0, true));
    for n in 1..=300 {
        bus.report(n).unwrap();
    }
    drop(guard); // its cursor is marked as lapped already
    drop(go);
    until("gone", || bus.stats().subscribers.is_empty());
}

#[test]
fn a_detached_handler_lives_as_long_as_the_bus() {
    let bus = threaded(64);
    let (tell, told) = channel();
    bus.handle_with(options(), teller(&tell)).unwrap().detach();
    bus.report(5).unwrap();
    assert_eq!(next(&told), Told::Event(5, true));
    drop(bus);
    assert_eq!(next(&told), Told::End(HandlerEnd::Closed));
}

#[test]
fn a_forgotten_guard_leaves_its_handler_alone() {
    let bus = threaded(64);
    let (tell, told) = channel();
    std::mem::forget(bus.handle_with(options(), teller(&tell)).unwrap());
    bus.report(5).unwrap();
    assert_eq!(next(&told), Told::Event(5, true));
    assert!(bus.stop().is_clean());
}

#[test]
fn unsubscribing_by_id_ends_a_handler_once() {
    let bus = threaded::<u64>(64);
    let guard = bus.handle(options(), |_| {}).unwrap();
    let id = guard.id();
    assert!(bus.unsubscribe(id));
    assert!(!bus.unsubscribe(id));
    assert_eq!(guard.join(), HandlerEnd::Unsubscribed);
}

/// A handler that is handed its own guard.
fn with_own_guard(bus: &Bus<u64>, act: impl Fn(HandlerGuard) + Send + 'static) {
    let (give, take) = channel::<HandlerGuard>();
    let guard = bus
        .handle(options(), move |_| {
            // Given once; later events find nothing.
            if let Ok(guard) = take.recv() {
                act(guard);
            }
        })
        .unwrap();
    bus.report(1).unwrap();
    give.send(guard).unwrap();
}

#[test]
fn a_handler_may_join_or_drop_its_own_guard() {
    let bus = threaded(64);
    let (tell, told) = channel();
    with_own_guard(&bus, move |guard| tell.send(guard.join()).unwrap());
    assert_eq!(told.recv_timeout(LONG).unwrap(), HandlerEnd::Running);
    with_own_guard(&bus, drop);
    until("only the first is left", || {
        bus.stats().subscribers.len() == 1
    });
    assert!(bus.stop().is_clean());
}

#[test]
fn a_handler_may_stop_the_bus() {
    let bus = threaded(64);
    let other = bus.handle(options(), |_| {}).unwrap();
    let (tell, told) = channel();
    let stopping = bus.clone();
    let guard = bus
        .handle(options(), move |_| tell.send(stopping.stop()).unwrap())
        .unwrap();
    bus.report(1).unwrap();
    let report = told.recv_timeout(LONG).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(guard.join(), HandlerEnd::Closed);
    assert_eq!(other.join(), HandlerEnd::Closed);
}

#[test]
fn a_notice_may_stop_the_bus() {
    let (tell, told) = channel();
    let own: Arc<Mutex<Option<Bus<u64>>>> = Arc::default();
    let stopping = own.clone();
    let bus = builder(64)
        .on_evict(move |_| {
            // Not locked during the stop, which may tell of another eviction.
            let bus = stopping.lock().unwrap().take();
            if let Some(bus) = bus {
                tell.send(bus.stop()).unwrap();
            }
        })
        .build()
        .unwrap();
    *own.lock().unwrap() = Some(bus.clone());
    let guard = bus.handle(options(), |_| {}).unwrap();
    let stuck = bus.subscribe().unwrap();
    for n in 0..100 {
        let _ = bus.report(n); // until the notice comes
    }
    let report = told.recv_timeout(LONG).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert!(matches!(
        guard.join(),
        HandlerEnd::Closed | HandlerEnd::Evicted(_)
    ));
    drop(stuck);
}

#[test]
fn a_handler_may_report_and_subscribe() {
    let bus = threaded::<u64>(64);
    let (tell, told) = channel();
    let inner = bus.clone();
    let guard = bus.handle(options(), move |n| {
        if *n < 20 {
            let mut late = inner.subscribe().unwrap();
            inner.report(n + 1).unwrap();
            tell.send(*late.recv().unwrap()).unwrap();
        }
    });
    bus.report(0).unwrap();
    for n in 1..=20 {
        assert_eq!(told.recv_timeout(LONG).unwrap(), n);
    }
    drop(guard);
}

#[test]
fn a_handler_that_never_returns_is_reported_as_running() {
    let bus = threaded(64);
    let (tell, told) = channel();
    let (go, wait) = channel();
    let handler = teller(&tell).gated(wait);
    let guard = bus.handle_with(options().name("stuck"), handler).unwrap();
    let fine = bus.handle(options(), |_| {}).unwrap();
    bus.report(1).unwrap();
    bus.report(2).unwrap();
    assert!(matches!(next(&told), Told::Event(1, _)));
    let report = bus.stop_timeout(Duration::from_millis(300));
    assert_eq!(report.running.len(), 1, "{report:?}");
    assert_eq!(report.running[0].name.as_deref(), Some("stuck"));
    assert!(
        report
            .undrained
            .iter()
            .all(|stopped| stopped.id == guard.id())
    );
    assert!(!report.is_clean());
    assert_eq!(fine.join(), HandlerEnd::Closed);
    assert!(!guard.is_finished());
    drop(go);
    guard.join();
}

#[test]
#[cfg(target_os = "linux")]
fn a_core_that_cannot_be_had_is_an_error_and_leaves_nobody_behind() {
    let bus = manual::<u64>(64);
    let cores = ringbus::affinity::cores();
    let wrong = cores.last().unwrap() + 5_000;
    let refused = bus.handle(options().core(wrong), |_| {}).unwrap_err();
    assert!(matches!(refused, SubscribeError::Pin(_)), "{refused:?}");
    // Its thread was told first, and lets go of it next.
    until("gone", || bus.stats().subscribers.is_empty());
    let subscriber = bus.subscribe_with(options().core(wrong)).unwrap();
    assert!(subscriber.pin_current_thread().is_err());
    drop(bus.handle(options().core(cores[0]), |_| {}).unwrap());
}
