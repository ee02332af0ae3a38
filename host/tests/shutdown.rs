//! The event manager: the last event of a shutdown, and events that reach nobody.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "common/manager.rs"]
mod manager;

use common::{builder, until};
use manager::{numbered, numbers, started, stopped};
use ringbus::RecvError;
use ringbus_host::Event;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;

/// One test at a time: whether a place logs at all is settled for all threads, by whoever comes there first.
static ALONE: Mutex<()> = Mutex::new(());

// Reports that reach nobody.

/// Counts the warnings of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn during(&self, what: impl FnOnce()) {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, what);
    }
}

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut lines = self.0.lock().unwrap();
        lines.push(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn reports_before_a_start_and_after_a_stop_are_counted_and_logged_once_an_incident() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let manager = stopped(builder(64));
    let log = Log::default();
    let expect = |stopped, incidents| {
        let found = manager.stats().undelivered;
        assert_eq!((found.stopped, found.incidents), (stopped, incidents));
        assert_eq!(found.total(), stopped);
        assert_eq!(log.lines().len() as u64, incidents);
    };
    log.during(|| {
        (0..5).for_each(|n| manager.report(numbered(n)));
        expect(5, 1);
        manager.start(1).unwrap();
        let mut subscriber = manager.subscribe().unwrap();
        manager.report(numbered(5));
        assert_eq!(numbers(&mut subscriber), [5]);
        expect(5, 1);
        let _ = manager.stop();
        (6..9).for_each(|n| manager.report(numbered(n)));
        expect(8, 2);
        assert!(subscriber.recv().unwrap_err().is_closed());
        // Started again, with nothing delivered yet: the same incident still.
        manager.start(1).unwrap();
        let _ = manager.stop();
        manager.report(numbered(9));
        expect(9, 2);
    });
    assert!(log.lines()[0].contains("WARN") && log.lines()[0].contains("not running"));
}

#[test]
fn with_nobody_listening_an_event_is_delivered_to_nobody() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let manager = started(1);
    manager.report(numbered(1));
    assert_eq!(manager.stats().undelivered.total(), 0);
}

// The shutdown.

#[test]
fn the_notice_of_a_shutdown_is_the_last_event_of_every_subscriber() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    const THREADS: u64 = 3;
    const EACH: u64 = 2_000;
    let manager = stopped(builder(1 << 14));
    manager.start(2).unwrap();
    let ready = Barrier::new(THREADS as usize + 1);
    let subscribers: Vec<_> = (0..4).map(|_| manager.subscribe().unwrap()).collect();
    let seen: Vec<u64> = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                ready.wait();
                (0..EACH).for_each(|n| manager.report(numbered(n)));
            });
        }
        let readers: Vec<_> = subscribers
            .into_iter()
            .map(|mut subscriber| {
                scope.spawn(move || {
                    let (mut before, mut noticed) = (0, false);
                    loop {
                        match subscriber.recv() {
                            Ok(event) if **event == Event::OsctldShutdown => noticed = true,
                            Ok(_) => {
                                assert!(!noticed, "after the notice");
                                before += 1;
                            }
                            Err(RecvError::Closed) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    assert!(noticed);
                    before
                })
            })
            .collect();
        ready.wait();
        until("some were reported", || {
            manager.stats().bus.workers[0].published >= EACH / 2
        });
        assert!(manager.shutdown().is_clean());
        readers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    let undelivered = manager.stats().undelivered.stopped;
    for seen in seen {
        assert_eq!(seen + undelivered, THREADS * EACH, "seen, or counted");
    }
}

#[test]
fn a_shutdown_of_what_is_stopped_has_nobody_to_tell() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let manager = started(1);
    assert!(manager.shutdown().last_accepted);
    let report = manager.shutdown();
    assert!(!report.last_accepted && report.drained.is_empty());
    assert_eq!(manager.stats().undelivered.stopped, 1, "its notice");
}

#[cfg(feature = "test-hooks")]
mod with_a_frozen_reporter {
    use super::*;
    use common::LONG;
    use ringbus::Drive;
    use ringbus::hooks::{self, Point};
    use ringbus::{Bus, BusBuilder, ManualClock};
    use ringbus_host::EventManager;
    use std::sync::mpsc::{Sender, channel};
    use std::thread::JoinHandle;

    /// A reporter that stands in the middle of a report until it is told to go on.
    fn frozen(manager: &EventManager, event: Event) -> (Sender<()>, JoinHandle<()>) {
        let (tell, told) = channel();
        let (go, wait) = channel::<()>();
        let manager = manager.clone();
        let thread = thread::spawn(move || {
            let mut first = true;
            hooks::set(move |point| {
                if point == Point::Entered && std::mem::take(&mut first) {
                    tell.send(()).unwrap();
                    let _ = wait.recv_timeout(LONG);
                }
            });
            manager.report(event);
        });
        told.recv_timeout(LONG).unwrap();
        (go, thread)
    }

    #[test]
    fn a_report_that_is_under_way_comes_before_the_notice_of_a_shutdown() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let manager = stopped(builder(4096));
        manager.start(1).unwrap();
        let mut subscriber = manager.subscribe().unwrap();
        let (go, thread) = frozen(&manager, numbered(1));
        let ends = manager.clone();
        let shutdown = thread::spawn(move || ends.shutdown());
        let mut kinds = Vec::new();
        until("others are refused meanwhile, without waiting", || {
            manager.report(numbered(2));
            while let Ok(event) = subscriber.try_recv() {
                kinds.push(event.kind().to_owned());
            }
            manager.stats().undelivered.stopped > 0
        });
        go.send(()).unwrap();
        thread.join().unwrap();
        loop {
            match subscriber.recv() {
                Ok(event) => kinds.push(event.kind().to_owned()),
                Err(error) => break assert!(error.is_closed(), "{error}"),
            }
        }
        assert!(shutdown.join().unwrap().is_clean());
        assert_eq!(kinds.pop().as_deref(), Some("osctld_shutdown"));
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "n"));
    }

    #[test]
    fn reports_to_an_exhausted_ring_are_counted() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        const FROZEN: u64 = 33; // more than half of the ring
        let clock = ManualClock::new();
        let bus: BusBuilder<Arc<Event>> = Bus::builder().capacity(64).clock(clock.clone());
        let manager = stopped(bus.drive(Drive::Manual));
        manager.start(1).unwrap();
        let mut reader = manager.subscribe().unwrap();
        let frozen: Vec<_> = (0..FROZEN).map(|n| frozen(&manager, numbered(n))).collect();
        while manager.stats().bus.workers[0].abandoned < FROZEN {
            assert!(reader.try_recv().unwrap_err().is_empty());
            clock.advance(LONG);
        }
        let mut delivered = 0;
        while manager.stats().undelivered.exhausted == 0 {
            manager.report(numbered(1));
            delivered += numbers(&mut reader).len();
        }
        assert!(delivered <= 64);
        manager.report(numbered(2));
        let found = manager.stats().undelivered;
        assert_eq!((found.exhausted, found.incidents, found.stopped), (2, 1, 0));
        for (go, thread) in frozen {
            go.send(()).unwrap();
            thread.join().unwrap();
        }
    }
}
