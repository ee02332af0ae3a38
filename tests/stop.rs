//! Stops, shutdowns and drops: what was accepted is read, what was not comes back, and nothing hangs.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, LONG, builder, until};
use ringbus::{
    Drive, HandlerEnd, ManualClock, Publisher, SlotLayout, StopReport, SubscribeOptions, Subscriber,
};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

/// A publisher in the high digits, its own count in the low ones.
const PUBLISHER: u64 = 10_000;

/// Reports in every way until it is refused, or out of events; how many were accepted.
fn report_on(publisher: &mut Publisher<Counted>, id: u64, most: u64, census: &Census) -> u64 {
    let mut n = 0;
    while n < most {
        let value = |n| census.value(id * PUBLISHER + n);
        let refused = match n % 4 {
            0 => {
                let end = most.min(n + 81);
                let mut batch = (n..end).map(value);
                match publisher.report_batch(&mut batch) {
                    Ok(accepted) => {
                        n += accepted as u64;
                        thread::yield_now();
                        continue;
                    }
                    Err(refused) => {
                        n += refused.accepted as u64;
                        assert!(refused.is_stopped());
                        let back = refused.into_events().chain(batch);
                        let expected = (n..end).map(|n| id * PUBLISHER + n);
                        assert!(back.map(|event| event.number()).eq(expected));
                        return n;
                    }
                }
            }
            1 => publisher
                .report(value(n))
                .map_err(|e| (e.is_stopped(), e.into_inner())),
            2 => publisher
                .try_report(value(n))
                .map_err(|e| (e.is_stopped(), e.into_inner())),
            _ => publisher
                .report_recycling(value(n))
                .map(drop)
                .map_err(|e| (e.is_stopped(), e.into_inner())),
        };
        if let Err((stopped, back)) = refused {
            assert!(stopped);
            assert_eq!(back.number(), id * PUBLISHER + n);
            return n;
        }
        n += 1;
        thread::yield_now();
    }
    n
}

fn read_on(mut subscriber: Subscriber<Counted>) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        match subscriber.recv_many(50, |event| seen.push(event.number())) {
            Ok(_) => {}
            Err(end) => {
                assert!(end.is_closed(), "{end}");
                return seen;
            }
        }
    }
}

/// A publisher's own share of `seen`.
fn share(seen: &[u64], id: u64) -> impl Iterator<Item = u64> + '_ {
    let own = seen.iter().filter(move |n| **n / PUBLISHER == id);
    own.map(|n| n % PUBLISHER)
}

/// Too few events to drop anybody, or to take a claim from anybody: with two rings that could leave one of them without.
fn full_flight(layout: SlotLayout, workers: usize) {
    const PUBLISHERS: u64 = 3;
    const MOST: u64 = 1_300;
    let mut refused = 0;
    for round in 0..20 {
        let census = Census::default();
        let builder = builder(1 << 14).slots(layout).clock(ManualClock::new());
        let bus = builder.workers(workers).build().unwrap();
        let by_handler = Arc::new(Mutex::new(Vec::new()));
        let handled = by_handler.clone();
        let guard = bus
            .handle(SubscribeOptions::new(), move |event: &Counted| {
                handled.lock().unwrap().push(event.number());
            })
            .unwrap();
        thread::scope(|scope| {
            let readers = [0, 1].map(|_| {
                let subscriber = bus.subscribe().unwrap();
                scope.spawn(move || read_on(subscriber))
            });
            let writers: Vec<_> = (0..PUBLISHERS)
                .map(|id| {
                    let (mut publisher, census) = (bus.publisher(), &census);
                    scope.spawn(move || report_on(&mut publisher, id, MOST, census))
                })
                .collect();
            until("some events", || census.made() > round * 60);
            assert!(bus.stop_timeout(LONG).is_clean());
            let accepted: Vec<u64> = writers.into_iter().map(|w| w.join().unwrap()).collect();
            refused += accepted.iter().filter(|n| **n < MOST).count();
            assert_eq!(guard.join(), HandlerEnd::Closed);
            let mut all = readers.map(|reader| reader.join().unwrap()).to_vec();
            all.push(std::mem::take(&mut by_handler.lock().unwrap()));
            for seen in all {
                for (id, accepted) in (0..).zip(&accepted) {
                    assert!(share(&seen, id).eq(0..*accepted), "{id} in round {round}");
                }
            }
        });
        drop(bus);
        census.expect_all_dropped();
    }
    assert!(refused > 0, "no stop came in full flight");
}

#[test]
fn in_full_flight_an_event_is_accepted_and_read_by_all_or_given_back() {
    full_flight(SlotLayout::InLine, 1);
    full_flight(SlotLayout::Dense, 1);
}

#[test]
fn in_full_flight_over_two_rings_too() {
    full_flight(SlotLayout::InLine, 2);
}

#[test]
fn of_stops_at_the_same_time_one_has_the_report() {
    const STOPS: usize = 4;
    for round in 0..20 {
        let bus = builder::<u64>(64).workers(2).build().unwrap();
        let guard = bus.handle(SubscribeOptions::new(), |_| {}).unwrap();
        let names = ["a", "b", "c"];
        let mut subscribers = names.map(|name| {
            let options = SubscribeOptions::new().name(name);
            bus.subscribe_with(options).unwrap()
        });
        for n in 0..round {
            bus.report(n).unwrap();
            for subscriber in &mut subscribers {
                assert_eq!(*subscriber.recv().unwrap(), n);
                subscriber.release();
            }
        }
        let barrier = Barrier::new(STOPS);
        let reports: Vec<StopReport> = thread::scope(|scope| {
            let stop = || {
                barrier.wait();
                bus.stop_timeout(LONG)
            };
            let stops: Vec<_> = (0..STOPS).map(|_| scope.spawn(stop)).collect();
            stops.into_iter().map(|stop| stop.join().unwrap()).collect()
        });
        assert!(reports.iter().all(StopReport::is_clean), "{reports:?}");
        let told = reports.iter().flat_map(|report| &report.drained);
        let mut told: Vec<_> = told.filter_map(|stopped| stopped.name.clone()).collect();
        told.sort();
        assert_eq!(told, names);
        assert_eq!(guard.join(), HandlerEnd::Closed);
        assert!(bus.stop().drained.is_empty());
    }
}

#[test]
fn a_shutdowns_event_is_read_by_all_or_by_none_as_it_says() {
    let mut both = 0;
    for _ in 0..50 {
        let census = Census::default();
        let bus = builder(64).workers(2).build().unwrap();
        let (accepted, seen) = thread::scope(|scope| {
            let readers = [0, 1].map(|_| {
                let subscriber = bus.subscribe().unwrap();
                scope.spawn(move || read_on(subscriber))
            });
            let shutdowns = [1, 2].map(|last| {
                let (bus, event) = (bus.clone(), census.value(last));
                scope.spawn(move || bus.shutdown(event).last_accepted.then_some(last))
            });
            let stop = scope.spawn(|| bus.stop());
            let accepted = shutdowns.map(|shutdown| shutdown.join().unwrap());
            let _ = stop.join().unwrap();
            (accepted, readers.map(|reader| reader.join().unwrap()))
        });
        let accepted: Vec<u64> = accepted.into_iter().flatten().collect();
        both += usize::from(accepted.len() == 2);
        for mut seen in seen {
            seen.sort_unstable();
            assert_eq!(seen, accepted);
        }
        let report = bus.shutdown(census.value(3));
        assert!(!report.last_accepted && !report.is_clean());
        drop(bus);
        census.expect_all_dropped();
    }
    assert!(both < 50, "no shutdown came too late");
}

// Who holds a stop up.

#[test]
fn handlers_that_never_return_are_named_whatever_became_of_them() {
    let bus = builder::<u64>(64).workers(2).build().unwrap();
    let (tell, told) = channel();
    let stuck = |name: &str| {
        let (go, wait) = channel::<()>();
        let (tell, options) = (tell.clone(), SubscribeOptions::new().name(name));
        let guard = bus
            .handle(options, move |_: &u64| {
                let _ = tell.send(());
                let _ = wait.recv();
            })
            .unwrap();
        (guard, go)
    };
    let [reading, unsubscribed, lapped] = ["reading", "unsubscribed", "lapped"].map(stuck);
    let fine = bus
        .handle(SubscribeOptions::new().name("fine"), |_| {})
        .unwrap();
    bus.report(0).unwrap();
    (0..3).for_each(|_| told.recv_timeout(LONG).unwrap());
    for _ in 0..100 {
        // All three are in the way; but the host's word came first for one, and the last is asked no more.
        if bus.unsubscribe(unsubscribed.0.id()) {
            assert!(!bus.unsubscribe(unsubscribed.0.id()));
        }
        if bus.lag_of(lapped.0.id()) < Some(40) {
            bus.report(1).unwrap();
        }
    }
    let report = bus.stop_timeout(Duration::from_millis(200));
    let mut names: Vec<_> = report
        .running
        .iter()
        .map(|s| s.name.clone().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["lapped", "reading", "unsubscribed"]);
    let mut names: Vec<_> = report
        .undrained
        .iter()
        .map(|s| s.name.clone().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["lapped", "reading"]);
    assert_eq!(report.drained.len(), 1);
    assert_eq!(report.drained[0].id, fine.id());
    assert_eq!(fine.join(), HandlerEnd::Closed);
    for (guard, go) in [reading, unsubscribed, lapped] {
        assert!(!guard.is_finished());
        drop(go);
        guard.join();
    }
}

#[test]
fn a_notice_that_never_returns_holds_a_stop_up_no_longer_than_its_deadline() {
    let (go, wait) = channel::<()>();
    let (tell, told) = channel();
    let wait = Mutex::new(wait);
    let bus = builder::<u64>(64)
        .on_evict(move |_| {
            tell.send(()).unwrap();
            let _ = wait.lock().unwrap().recv();
        })
        .build()
        .unwrap();
    let mut reading = bus.subscribe().unwrap();
    let gone = bus.subscribe().unwrap();
    assert!(bus.unsubscribe(gone.id()));
    told.recv_timeout(LONG).unwrap();
    // The worker's thread is in the notice, and readers go on without it.
    bus.report(7).unwrap();
    assert_eq!(*reading.recv().unwrap(), 7);
    let (stopped, stop) = channel();
    let stopping = bus.clone();
    let thread = thread::spawn(move || {
        let _ = stopped.send(stopping.stop_timeout(Duration::from_millis(100)));
    });
    assert!(reading.recv().unwrap_err().is_closed());
    assert!(stop.recv_timeout(LONG).unwrap().is_clean());
    thread.join().unwrap();
    drop(go);
}

#[test]
fn a_stop_may_come_from_the_iterator_of_a_batch() {
    let census = Census::default();
    let bus = builder(256)
        .drive(Drive::Manual)
        .workers(2)
        .build()
        .unwrap();
    let mut readers = Vec::from([0, 1].map(|_| bus.subscribe().unwrap()));
    let mut events = (0..150).map(|n| {
        if n == 140 {
            for mut reader in readers.drain(..) {
                let mut seen = Vec::new();
                let drained = reader.drain(999, |event: &Counted| seen.push(event.number()));
                assert_eq!(drained, Ok(128));
                assert!(seen.into_iter().eq(0..128));
            }
            assert!(bus.stop().is_clean());
        }
        census.value(n)
    });
    let refused = bus.publisher().report_batch(&mut events).unwrap_err();
    assert!(refused.is_stopped());
    assert_eq!(refused.accepted, 128);
    let back = refused
        .into_events()
        .chain(events)
        .map(|event| event.number());
    assert!(back.eq(128..150));
    drop(bus);
    census.expect_all_dropped();
}

/// A task whose waker drains its subscriber to the end and drops it, as any executor may do on another thread meanwhile.
struct Drains(Mutex<Option<Subscriber<u64>>>);

impl Wake for Drains {
    fn wake(self: Arc<Self>) {
        let mut subscriber = self.0.lock().unwrap().take().unwrap();
        assert!(subscriber.recv().unwrap_err().is_closed());
    }
}

#[test]
fn a_stop_reports_who_drained_however_fast() {
    let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    let id = subscriber.id();
    let task = Arc::new(Drains(Mutex::new(Some(subscriber))));
    let waker = Waker::from(task.clone());
    let mut context = Context::from_waker(&waker);
    let poll = |s: &mut Subscriber<u64>| s.poll_ready(&mut context).is_pending();
    assert!(task.0.lock().unwrap().as_mut().is_some_and(poll));
    let report = bus.stop_timeout(LONG);
    let drained: Vec<_> = report.drained.iter().map(|stopped| stopped.id).collect();
    assert_eq!(drained, [id]);
}

#[test]
fn a_stop_does_not_report_as_drained_who_left_with_events_unread() {
    for _ in 0..20 {
        let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
        let mut leaves = bus.subscribe().unwrap();
        let mut stays = bus.subscribe().unwrap();
        (0..40).for_each(|n| bus.report(n).unwrap());
        let report = thread::scope(|scope| {
            let stop = scope.spawn(|| bus.stop_timeout(LONG));
            until("stopping", || bus.stats().workers.is_empty());
            // The stop waits for both; one gives up.
            leaves.try_recv().unwrap();
            drop(leaves);
            while stays.recv().is_ok() {}
            stop.join().unwrap()
        });
        let drained: Vec<_> = report.drained.iter().map(|stopped| stopped.id).collect();
        assert_eq!(drained, [stays.id()], "{report:?}");
    }
}
