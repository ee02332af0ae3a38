//! Options that nobody should ask for: each gives an error that says so, or a bus that keeps its promises.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
mod options;

use common::{Census, Counted, builder};
use options::{Build, MANY, NOWHERE, Wish, build, wish};
use proptest::prelude::*;
use ringbus::{
    BuildError, Bus, Drive, HandlerGuard, RecvError, RecvTimeoutError, SubscribeOptions, Subscriber,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One that reads by itself, what it saw last, and how many.
struct Reader {
    subscriber: Subscriber<Counted>,
    last: Option<u64>,
    seen: u64,
    lost: bool,
}

impl Reader {
    /// Reads what is there, in every way that does not wait.
    fn read(&mut self, round: u64) {
        let (last, seen) = (&mut self.last, &mut self.seen);
        let mut note = |event: &Counted| {
            assert!(
                last.is_none_or(|last| last < event.number()),
                "out of order"
            );
            (*last, *seen) = (Some(event.number()), *seen + 1);
        };
        let subscriber = &mut self.subscriber;
        let told = match round % 4 {
            0 => subscriber.drain(0, &mut note).map(drop),
            1 => match subscriber.recv_timeout(Duration::ZERO) {
                Ok(event) => {
                    note(&event);
                    Ok(())
                }
                Err(RecvTimeoutError::Evicted(eviction)) => Err(RecvError::Evicted(eviction)),
                Err(RecvTimeoutError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(_) => Ok(()),
            },
            2 => match subscriber.recv_deadline(Instant::now()) {
                Ok(event) => {
                    note(&event);
                    Ok(())
                }
                Err(error) => {
                    self.lost |= error.is_lagged() || error.is_evicted();
                    Ok(())
                }
            },
            _ => subscriber.drain(usize::MAX, &mut note).map(drop),
        };
        self.lost |= told.is_err();
    }

    /// Up to the end of the bus, whatever comes before it.
    fn finish(mut self, accepted: u64) {
        loop {
            self.read(3);
            match self.subscriber.wait_timeout(Duration::MAX) {
                Ok(()) => {}
                Err(error) if error.is_lagged() => self.lost = true,
                Err(error) => {
                    self.lost |= error.is_evicted();
                    break;
                }
            }
        }
        assert!(self.lost || self.seen == accepted, "lost and not told");
    }
}

struct Party {
    readers: Vec<Reader>,
    guards: Vec<HandlerGuard>,
    handled: Arc<AtomicUsize>,
}

fn subscribe<M>(bus: &Bus<Counted, M>, wishes: &[Wish], workers: usize) -> Party {
    let (mut readers, mut guards) = (Vec::new(), Vec::new());
    let handled = Arc::new(AtomicUsize::new(0));
    for wish in wishes {
        if wish.handles {
            let (count, mut last) = (Arc::clone(&handled), None);
            let guard = bus.handle(wish.options(), move |event: &Counted| {
                assert!(
                    last.is_none_or(|last| last < event.number()),
                    "out of order"
                );
                last = Some(event.number());
                count.fetch_add(1, Ordering::Relaxed);
            });
            match guard {
                Ok(guard) => {
                    assert!(!wish.is_bad(bus.capacity()));
                    guards.push(guard);
                }
                Err(error) => wish.expect(&error, workers),
            }
        } else {
            match bus.subscribe_with(wish.options()) {
                Ok(subscriber) => {
                    assert!(!wish.is_bad(bus.capacity()));
                    let pinned = subscriber.pin_current_thread();
                    assert!(pinned.is_ok() || wish.core == Some(NOWHERE));
                    readers.push(Reader {
                        subscriber,
                        last: None,
                        seen: 0,
                        lost: false,
                    });
                }
                Err(error) => wish.expect(&error, workers),
            }
        }
    }
    Party {
        readers,
        guards,
        handled,
    }
}

fn end(party: Party, accepted: u64) {
    for reader in party.readers {
        reader.finish(accepted);
    }
    let handlers = party.guards.len();
    for guard in party.guards {
        let end = guard.join();
        assert!(!matches!(end, ringbus::HandlerEnd::Panicked(_)), "{end:?}");
    }
    assert!(party.handled.load(Ordering::Relaxed) as u64 <= accepted * handlers as u64);
}

fn shared(options: &Build, wishes: &[Wish], census: &Census) {
    let bus = match options.builder().build() {
        Ok(bus) => bus,
        Err(error) => {
            assert!(options.is_bad(), "{error}");
            return;
        }
    };
    assert!(!options.is_bad());
    let mut publisher = bus.publisher();
    for _ in 0..2 {
        let mut party = subscribe(&bus, wishes, options.workers);
        let mut accepted = 0;
        for n in 0..150 {
            let event = census.value(accepted);
            accepted += match n % 5 {
                0 => u64::from(bus.report(event).is_ok()),
                1 => u64::from(bus.try_report(event).is_ok()),
                2 => u64::from(publisher.report_timeout(event, Duration::ZERO).is_ok()),
                3 => u64::from(publisher.report_recycling(event).is_ok()),
                _ => {
                    let mut batch = (accepted..).take(7).map(|n| census.value(n));
                    publisher.report_batch(&mut batch).unwrap() as u64
                }
            };
            party.readers.iter_mut().for_each(|reader| reader.read(n));
            if n % 40 == 0 {
                bus.turn();
                bus.stats();
            }
        }
        // An endless stop awaits whoever has not read.
        party.readers.iter_mut().for_each(|reader| reader.read(3));
        let _ = bus.stop();
        assert!(bus.report(census.value(0)).unwrap_err().is_stopped());
        assert!(bus.subscribe().unwrap_err().is_stopped());
        end(party, accepted);
        bus.start().unwrap();
    }
}

fn exclusive(options: &Build, wishes: &[Wish], census: &Census) {
    let (mut publisher, bus) = match options.builder().build_exclusive() {
        Ok(built) => built,
        Err(error) => {
            assert!(options.is_bad() || options.workers > 1, "{error}");
            return;
        }
    };
    assert!(!options.is_bad() && options.workers == 1);
    let mut party = subscribe(&bus, wishes, 1);
    let mut accepted = 0;
    for n in 0..150 {
        let event = census.value(accepted);
        accepted += match n % 4 {
            0 => u64::from(publisher.report(event).is_ok()),
            1 => u64::from(publisher.try_report(event).is_ok()),
            2 => u64::from(publisher.report_timeout(event, Duration::ZERO).is_ok()),
            _ => {
                let mut batch = (accepted..).take(7).map(|n| census.value(n));
                publisher.report_batch(&mut batch).unwrap() as u64
            }
        };
        party.readers.iter_mut().for_each(|reader| reader.read(n));
        bus.turn();
    }
    party.readers.iter_mut().for_each(|reader| reader.read(3));
    let _ = publisher.stop();
    end(party, accepted);
}

/// Some by default; `PROPTEST_CASES` asks for more or fewer.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES");
    ProptestConfig {
        cases: cases.ok().and_then(|n| n.parse().ok()).unwrap_or(500),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_bus_is_refused_or_works(options in build(), wishes in prop::collection::vec(wish(), 0..4)) {
        let census = Census::default();
        shared(&options, &wishes, &census);
        exclusive(&options, &wishes, &census);
        census.expect_all_dropped();
    }
}

#[test]
fn as_many_workers_as_there_may_be_work() {
    // The most that a bus has, as its error says.
    let refused = builder::<u64>(64).workers(MANY).build().unwrap_err();
    let BuildError::TooManyWorkers {
        workers: MANY,
        most,
    } = refused
    else {
        panic!("{refused}");
    };
    for drive in [Drive::Manual, Drive::Threads] {
        let bus = builder::<u64>(64).workers(1).drive(drive).build().unwrap();
        let _ = bus.stop();
        for workers in [most + 1, usize::MAX] {
            let refused = bus.start_with(workers);
            assert_eq!(refused, Err(BuildError::TooManyWorkers { workers, most }));
        }
        // Threads enough to be many, few enough for a small machine.
        let workers = if drive == Drive::Threads { 50 } else { most };
        bus.start_with(workers).unwrap();
        let mut readers: Vec<_> = (0..workers).map(|_| bus.subscribe().unwrap()).collect();
        bus.report(7).unwrap();
        for (n, reader) in readers.iter_mut().enumerate() {
            assert_eq!((reader.worker(), *reader.recv().unwrap()), (n, 7));
        }
        let refused = bus.start_with(1);
        assert_eq!(refused, Err(BuildError::Running { workers }));
        readers.iter_mut().for_each(Subscriber::release);
        assert!(bus.stop().is_clean());
    }
}

#[test]
fn a_name_may_be_anything_that_is_no_control_wherever_it_is_told() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let names = ["", " ", "\u{202e}", "\u{540d}", &"m".repeat(1 << 20)].map(str::to_owned);
    let noted = Arc::clone(&told);
    let bus = builder::<u64>(1024)
        .drive(Drive::Manual)
        .on_evict(move |notice| noted.lock().unwrap().push(notice.name.clone().unwrap()))
        .build()
        .unwrap();
    let mut guards = Vec::new();
    for name in &names {
        let options = SubscribeOptions::new().name(name);
        guards.push(bus.handle(options, |_| {}).unwrap());
        assert_eq!(
            bus.stats().subscribers.last().unwrap().name.as_ref(),
            Some(name)
        );
    }
    for guard in &guards {
        assert!(bus.unsubscribe(guard.id()));
    }
    bus.turn();
    assert_eq!(told.lock().unwrap().as_slice(), names);
}
