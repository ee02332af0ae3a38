//! The bus called from inside its own callbacks: from every place where user code runs, everything may be done.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{LONG, builder, until};
use ringbus::{Bus, Drive, Handler, HandlerEnd, Info, OnLap, SubscribeOptions, Subscriber};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

/// What is to happen once, at a place that the bus calls.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Option<Deed>>>);

type Deed = Box<dyn FnOnce() + Send>;

impl Trap {
    fn set(&self, deed: Deed) {
        *self.0.lock().unwrap() = Some(deed);
    }

    fn spring(&self) {
        // Taken out first: the deed may come back here.
        let deed = self.0.lock().unwrap().take();
        if let Some(deed) = deed {
            deed();
        }
    }

    fn is_sprung(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

/// An event with traps, or none.
#[derive(Default)]
struct Event {
    cloned: Trap,
    dropped: Trap,
}

impl Clone for Event {
    fn clone(&self) -> Self {
        self.cloned.spring();
        Event {
            cloned: self.cloned.clone(),
            dropped: self.dropped.clone(),
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        self.dropped.spring();
    }
}

impl Wake for Trap {
    fn wake(self: Arc<Self>) {
        self.spring();
    }
}

impl Handler<Event> for Trap {
    fn event(&mut self, _: &Event, _: Info) {}

    fn end(&mut self, _: HandlerEnd) {
        self.spring();
    }
}

/// Told of a loss, which it takes care to have: it does nothing until the sender is gone, neither with an event nor, if
/// it was lapped before its first look, with the loss.
struct Loser(Trap, std::sync::mpsc::Receiver<()>);

impl Handler<Event> for Loser {
    fn event(&mut self, _: &Event, _: Info) {
        let _ = self.1.recv();
    }

    fn lagged(&mut self, _: u64) {
        let _ = self.1.recv();
        self.0.spring();
    }
}

/// Every place where the bus runs user code.
#[derive(Clone, Copy, Debug)]
enum Place {
    Clone,
    Drop,
    LastDrop,
    Iterator,
    Closure,
    Matching,
    Waker,
    Notice,
    NoticeInStop,
    Handler,
    HandlerLagged,
    HandlerEnd,
}

const PLACES: [Place; 12] = [
    Place::Clone,
    Place::Drop,
    Place::LastDrop,
    Place::Iterator,
    Place::Closure,
    Place::Matching,
    Place::Waker,
    Place::Notice,
    Place::NoticeInStop,
    Place::Handler,
    Place::HandlerLagged,
    Place::HandlerEnd,
];

const NOW: Duration = Duration::ZERO;

/// Brings the bus to run user code at `place`, with the trap set there.
fn go_to(place: Place, bus: &Bus<Event>, notice: &Trap, deed: Deed) {
    let trap = Trap::default();
    trap.set(deed);
    let with = |cloned: &Trap, dropped: &Trap| Event {
        cloned: cloned.clone(),
        dropped: dropped.clone(),
    };
    let none = Trap::default();
    let mut readers = [bus.subscribe().unwrap(), bus.subscribe().unwrap()];
    match place {
        Place::Clone => {
            let _ = bus.report(with(&trap, &none));
        }
        Place::Drop => {
            let _ = bus.report(with(&none, &trap));
            lap(bus, &mut readers);
        }
        Place::LastDrop => {
            let _ = bus.report(with(&none, &trap));
            drop(readers);
            let _ = bus.stop_timeout(NOW);
            return; // the ring's last user may be the worker's thread
        }
        Place::Iterator => {
            let mut events = std::iter::repeat_with(|| {
                trap.spring();
                Event::default()
            });
            let _ = bus.publisher().report_batch(&mut events.by_ref().take(40));
            bus.publisher().try_report_batch(&mut events.take(40));
        }
        Place::Closure => {
            bus.report(Event::default()).unwrap();
            let _ = readers[0].drain(9, |_| trap.spring());
        }
        Place::Matching => {
            bus.report(Event::default()).unwrap();
            let matches = readers[0].try_recv_matching(|_| {
                trap.spring();
                true
            });
            assert!(matches.is_ok());
        }
        Place::Waker => {
            let waker = Waker::from(Arc::new(trap.clone()));
            let mut context = Context::from_waker(&waker);
            assert!(readers[0].poll_ready(&mut context).is_pending());
            bus.unsubscribe(readers[0].id());
        }
        Place::Notice | Place::NoticeInStop => {
            let deed = trap.0.lock().unwrap().take();
            notice.set(deed.unwrap());
            if matches!(place, Place::Notice) {
                bus.unsubscribe(readers[0].id());
                bus.turn();
            } else {
                // Without a turn before, the stop's own turn tells.
                bus.unsubscribe(readers[0].id());
                let _ = bus.stop_timeout(NOW);
            }
            until("the notice", || notice.is_sprung());
        }
        Place::Handler | Place::HandlerLagged | Place::HandlerEnd => handle(place, bus, &trap),
    }
    assert!(trap.is_sprung(), "{place:?}");
}

/// Brings the bus to run a handler's own code, with `trap` in it: each event, a loss, or its end.
fn handle(place: Place, bus: &Bus<Event>, trap: &Trap) {
    let options = SubscribeOptions::new;
    match place {
        Place::Handler => {
            let inner = trap.clone();
            let guard = bus.handle(options(), move |_| inner.spring()).unwrap();
            bus.report(Event::default()).unwrap();
            until("handled", || trap.is_sprung());
            drop(guard);
        }
        Place::HandlerLagged => {
            let (go, wait) = channel();
            let guard = bus
                .handle_with(options().on_lap(OnLap::Rejoin), Loser(trap.clone(), wait))
                .unwrap();
            for _ in 0..200 {
                bus.report(Event::default()).unwrap();
            }
            drop(go);
            until("told of its loss", || trap.is_sprung());
            drop(guard);
        }
        _ => {
            let guard = bus.handle_with(options(), trap.clone()).unwrap();
            bus.unsubscribe(guard.id());
            guard.join();
        }
    }
}

/// Until what was reported is dropped by whoever takes its slot.
fn lap(bus: &Bus<Event>, readers: &mut [Subscriber<Event>]) {
    for _ in 0..100 {
        if bus.report(Event::default()).is_err() {
            return;
        }
        for reader in readers.iter_mut() {
            let _ = reader.drain(9, |_| {});
        }
    }
}

/// Each deed at each place, with a bus that works before and after.
fn everywhere(deed: impl Fn(&Bus<Event>) + Clone + Send + 'static) {
    let (tell, told) = channel();
    // A thread of its own, so that a deadlock is a failure and not a hang.
    let test = thread::spawn(move || {
        for drive in [Drive::Manual, Drive::Threads] {
            for (place, workers) in PLACES
                .into_iter()
                .flat_map(|place| [(place, 1), (place, 2)])
            {
                if matches!((place, workers), (Place::Clone, 1)) {
                    continue; // one ring clones nothing
                }
                at(place, workers, drive, &deed);
            }
        }
        tell.send(()).unwrap();
    });
    let ended = told.recv_timeout(LONG);
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a deadlock");
    test.join().unwrap();
}

fn at(
    place: Place,
    workers: usize,
    drive: Drive,
    deed: &(impl Fn(&Bus<Event>) + Clone + Send + 'static),
) {
    let notice = Trap::default();
    let springing = notice.clone();
    let bus = builder(64)
        .workers(workers)
        .drive(drive)
        .on_evict(move |_| springing.spring())
        .stop_timeout(NOW)
        .build()
        .unwrap();
    let (inner, deed) = (bus.clone(), deed.clone());
    let (tell, told) = channel();
    let deed = move || {
        deed(&inner);
        // Not needed any more, and not to be kept by what it may be kept in.
        drop(inner);
        tell.send(()).unwrap();
    };
    go_to(place, &bus, &notice, Box::new(deed));
    told.recv_timeout(LONG).expect("the deed was done");
    let _ = bus.stop_timeout(NOW);
    bus.start().unwrap();
    let mut after = bus.subscribe().unwrap();
    bus.report(Event::default()).unwrap();
    assert!(after.recv().is_ok(), "{place:?}");
}

#[test]
fn everything_may_be_done_everywhere() {
    everywhere(|bus| {
        let mut publisher = bus.publisher();
        let mut subscriber = bus.subscribe();
        let _ = bus.report(Event::default());
        let _ = bus.try_report(Event::default());
        let _ = publisher.report_recycling(Event::default());
        let _ = publisher.report_timeout(Event::default(), NOW);
        let _ = publisher.report_batch(&mut (0..9).map(|_| Event::default()));
        publisher.try_report_batch(&mut (0..9).map(|_| Event::default()));
        if let Ok(subscriber) = &mut subscriber {
            assert!(subscriber.recv().is_ok(), "joined before them all");
            let _ = subscriber.rejoin();
            assert_eq!(bus.lag_of(subscriber.id()), Some(0));
        }
        drop(bus.handle(SubscribeOptions::new(), |_| {}));
        bus.turn();
        bus.stats();
        drop(subscriber);
    });
}

#[test]
fn everybody_may_be_unsubscribed_everywhere() {
    everywhere(|bus| {
        for subscriber in bus.stats().subscribers {
            bus.unsubscribe(subscriber.id);
        }
    });
}

#[test]
fn the_bus_may_be_closed_everywhere() {
    everywhere(Bus::close);
}

#[test]
fn the_bus_may_be_stopped_everywhere() {
    everywhere(|bus| {
        let _ = bus.stop();
        assert!(bus.report(Event::default()).unwrap_err().is_stopped());
    });
}

#[test]
fn the_bus_may_be_stopped_and_started_everywhere() {
    everywhere(|bus| {
        let _ = bus.stop();
        let works = || {
            bus.start().unwrap();
            let mut subscriber = bus.subscribe().ok()?;
            bus.report(Event::default()).ok()?;
            subscriber.recv().ok()?;
            Some(())
        };
        // The test's own stop may come between once, where a worker's thread does the deed.
        assert!((0..2).any(|_| works().is_some()));
        let _ = bus.shutdown(Event::default());
    });
}

#[test]
fn an_event_that_keeps_its_bus_goes_with_a_stop() {
    // A circle: the event keeps the bus, and the bus the event.
    struct Keeper(#[allow(dead_code)] Bus<Keeper>, #[allow(dead_code)] Arc<()>);
    let kept = Arc::new(());
    let bus = builder::<Keeper>(64).drive(Drive::Manual).build().unwrap();
    let subscriber = bus.subscribe().unwrap();
    bus.report(Keeper(bus.clone(), Arc::clone(&kept))).unwrap();
    drop(subscriber);
    let _ = bus.stop();
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn an_event_may_hold_a_subscriber_of_its_own_bus() {
    #[derive(Default)]
    struct Nested(#[allow(dead_code)] Option<Mutex<Subscriber<Nested>>>);
    let bus = builder::<Nested>(64).drive(Drive::Manual).build().unwrap();
    let mut reading = bus.subscribe().unwrap();
    let inner = bus.subscribe().unwrap();
    let mut report = |event| {
        bus.report(event).unwrap();
        assert!(reading.try_recv().is_ok());
    };
    // Beyond its own window, which it would pin for ever from inside.
    (0..10).for_each(|_| report(Nested::default()));
    report(Nested(Some(Mutex::new(inner))));
    (0..200).for_each(|_| report(Nested::default()));
    // Lapped as one that does not read, and dropped inside a report.
    assert_eq!(bus.stats().subscribers.len(), 1);
    assert_eq!(bus.turn().notices, 1);
}

#[test]
fn the_bus_may_be_used_from_the_end_of_a_thread() {
    use std::cell::RefCell;
    struct Last(Bus<u64>, std::sync::mpsc::Sender<u64>);
    impl Drop for Last {
        fn drop(&mut self) {
            let mut subscriber = self.0.subscribe().unwrap();
            self.0.report(7).unwrap();
            let _ = self.1.send(*subscriber.recv().unwrap());
            // Sleeps, where the thread's own handle is gone already.
            let nothing = subscriber.recv_timeout(Duration::from_millis(1));
            assert!(nothing.unwrap_err().is_timeout());
            let _ = self.0.stop_timeout(NOW);
        }
    }
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    let bus = builder::<u64>(64).build().unwrap();
    let (tell, told) = channel();
    let inner = bus.clone();
    let ending = thread::spawn(move || LAST.set(Some(Last(inner, tell))));
    ending.join().unwrap();
    assert_eq!(told.recv_timeout(LONG).unwrap(), 7);
    assert!(bus.subscribe().unwrap_err().is_stopped());
}
