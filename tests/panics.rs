//! User code that panics, at every point where it runs: each act is repeated with the first, the second, the third
//! call of user code in it panicking, until the act runs through. Nothing is dropped twice, nothing is kept, and the bus
//! works on.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, LONG, builder, until};
use ringbus::{
    Bus, Drive, ExclusivePublisher, Handler, HandlerEnd, Info, OnLap, Publisher, SlotLayout,
    SubscribeError, SubscribeOptions, Subscriber,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

const NEVER: usize = usize::MAX;

thread_local! {
    /// Calls of user code before the one that panics. It panics once.
    static LEFT: Cell<usize> = const { Cell::new(NEVER) };
}

/// A call of user code.
fn trip() {
    let left = LEFT.get();
    if left != NEVER {
        LEFT.set(left.wrapping_sub(1));
        if left == 0 {
            // A panic that no hook makes a noise about.
            resume_unwind(Box::new("tripped"));
        }
    }
}

/// An event whose clone and drop may trip.
struct Fragile(Counted);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        trip();
        Fragile(self.0.clone())
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        trip();
    }
}

/// Looks at every part of an event.
fn check(event: &Fragile) {
    event.0.number();
}

/// An event's number, in a closure that may trip.
fn number(event: &Fragile) -> u64 {
    trip();
    event.0.number()
}

/// Runs `act` with the first call in it panicking, then the second, and so on until none does; each time `settle`
/// follows. How many did.
fn at_every_call<S>(state: &mut S, act: impl Fn(&mut S), settle: impl Fn(&mut S)) -> usize {
    for call in 0.. {
        LEFT.set(call);
        let outcome = catch_unwind(AssertUnwindSafe(|| act(state)));
        let tripped = LEFT.replace(NEVER) == NEVER;
        assert_eq!(
            outcome.is_err(),
            tripped,
            "another panic than the one that was asked for"
        );
        settle(state);
        if !tripped {
            return call;
        }
    }
    unreachable!("an act has an end");
}

/// A bus with readers that have just read, so that the next lap drops what they read.
struct Full {
    census: Census,
    bus: Bus<Fragile>,
    readers: Vec<Subscriber<Fragile>>,
}

impl Full {
    fn new(workers: usize, layout: SlotLayout) -> Self {
        let census = Census::default();
        let bus = builder(64)
            .workers(workers)
            .drive(Drive::Manual)
            .slots(layout)
            .build()
            .unwrap();
        let readers = (0..workers).map(|_| bus.subscribe().unwrap()).collect();
        let mut full = Full {
            census,
            bus,
            readers,
        };
        for n in 0..64 {
            full.bus.report(full.event(n)).unwrap();
        }
        full.read();
        full
    }

    fn event(&self, n: u64) -> Fragile {
        Fragile(self.census.value(n))
    }

    /// Everybody reads everything, and lets go of it.
    fn read(&mut self) {
        for reader in &mut self.readers {
            reader.drain(usize::MAX, check).unwrap();
            reader.release();
        }
    }

    /// The bus works, and knows of every value that there is.
    fn end(mut self) {
        self.read();
        self.bus.report(self.event(7)).unwrap();
        for reader in &mut self.readers {
            assert_eq!(reader.try_recv().unwrap().0.number(), 7);
        }
        assert!(self.bus.stats().workers.iter().all(|w| w.abandoned == 0));
        let rings = self.readers.len();
        assert_eq!(self.census.alive(), 64 * rings, "kept somewhere");
        drop((self.bus, self.readers));
        self.census.expect_all_dropped();
    }
}

type Act = fn(&Bus<Fragile>, &mut Publisher<Fragile>, Fragile);

/// Every way to report an event that takes no iterator.
const ACTS: [Act; 6] = [
    |bus, _, event| drop(bus.report(event)),
    |bus, _, event| drop(bus.try_report(event)),
    |_, publisher, event| drop(publisher.report(event)),
    |_, publisher, event| drop(publisher.try_report(event)),
    |_, publisher, event| drop(publisher.report_timeout(event, Duration::ZERO)),
    |_, publisher, event| drop(publisher.report_recycling(event)),
];

#[test]
fn a_report_may_trip_anywhere() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        for act in ACTS {
            let mut full = Full::new(1, layout);
            let publisher = RefCell::new(full.bus.publisher());
            let act = |full: &mut Full| {
                act(&full.bus, &mut publisher.borrow_mut(), full.event(1));
            };
            let calls: usize = (0..200)
                .map(|_| at_every_call(&mut full, act, Full::read))
                .sum();
            assert_eq!(calls, 200, "what was in the slot, each time");
            drop(publisher);
            full.end();
        }
    }
}

#[test]
fn a_report_that_is_refused_may_trip() {
    let mut full = Full::new(1, SlotLayout::InLine);
    let publisher = RefCell::new(full.bus.publisher());
    while full.bus.try_report(full.event(1)).is_ok() {}
    let refused = |full: &mut Full| drop(publisher.borrow_mut().try_report(full.event(2)));
    let calls = at_every_call(&mut full, refused, |_| {});
    assert_eq!(calls, 1, "its event came back and was dropped");
    let refused = |full: &mut Full| {
        let mut batch = (0..3).map(|n| full.event(n));
        assert_eq!(publisher.borrow_mut().try_report_batch(&mut batch), 0);
    };
    let calls = at_every_call(&mut full, refused, |_| {});
    assert_eq!(calls, 0, "took nothing");
    drop(publisher);
    full.end();
}

#[test]
fn a_batch_may_trip_anywhere() {
    for whole in [true, false] {
        let mut full = Full::new(1, SlotLayout::InLine);
        let publisher = RefCell::new(full.bus.publisher());
        let report = |full: &mut Full| {
            let mut batch = (0..40).map(|n| {
                trip();
                full.event(n)
            });
            let mut publisher = publisher.borrow_mut();
            let accepted = match whole {
                true => publisher.report_batch(&mut batch).unwrap(),
                false => publisher.try_report_batch(&mut batch),
            };
            assert_eq!(accepted, 40);
        };
        let calls = at_every_call(&mut full, report, Full::read);
        assert_eq!(calls, 80, "40 events made, 40 dropped");
        assert_eq!(publisher.borrow().carried(), 0);
        drop(publisher);
        full.end();
    }
}

#[test]
fn a_clone_may_trip_and_has_touched_nothing() {
    let mut full = Full::new(3, SlotLayout::InLine);
    let mut publisher = full.bus.publisher();
    for n in 0..150 {
        // The two clones, and nothing behind them.
        for call in [0, 1] {
            let event = full.event(n);
            LEFT.set(call);
            let refused = catch_unwind(AssertUnwindSafe(|| publisher.report(event)));
            assert!(refused.is_err());
            assert_eq!(LEFT.replace(NEVER), NEVER);
        }
        publisher.report(full.event(n)).unwrap();
        for reader in &mut full.readers {
            assert_eq!(reader.try_recv().unwrap().0.number(), n);
            assert!(reader.try_recv().err().unwrap().is_empty());
        }
    }
    assert!(full.bus.stats().workers.iter().all(|w| w.holes == 0));
    drop(publisher);
    full.end();
}

#[test]
fn an_exclusive_publisher_may_trip_anywhere() {
    type Act = fn(&mut ExclusivePublisher<Fragile>, &Census, u64);
    let acts: [Act; 6] = [
        |publisher, census, n| drop(publisher.report(Fragile(census.value(n)))),
        |publisher, census, n| drop(publisher.try_report(Fragile(census.value(n)))),
        |publisher, census, n| {
            let event = Fragile(census.value(n));
            drop(publisher.report_timeout(event, Duration::ZERO));
        },
        |publisher, census, n| drop(publisher.report_recycling(Fragile(census.value(n)))),
        |publisher, census, n| {
            let mut batch = (n..n + 9).map(|n| {
                trip();
                Fragile(census.value(n))
            });
            assert_eq!(publisher.report_batch(&mut batch).unwrap(), 9);
        },
        |publisher, census, n| {
            let mut batch = (n..n + 9).map(|n| {
                trip();
                Fragile(census.value(n))
            });
            publisher.try_report_batch(&mut batch);
        },
    ];
    for act in acts {
        let census = Census::default();
        let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
        let reader = RefCell::new(bus.subscribe().unwrap());
        let read = |_: &mut _| _ = reader.borrow_mut().drain(usize::MAX, check).unwrap();
        for n in 0..30 {
            at_every_call(&mut publisher, |publisher| act(publisher, &census, n), read);
        }
        let mut reader = reader.into_inner();
        while census.alive() < 64 {
            publisher.report(Fragile(census.value(1))).unwrap();
            reader.drain(usize::MAX, check).unwrap();
        }
        publisher.report(Fragile(census.value(7))).unwrap();
        assert_eq!(reader.try_recv().unwrap().0.number(), 7);
        assert_eq!(census.alive(), 64, "kept somewhere");
        drop((publisher, bus, reader));
        census.expect_all_dropped();
    }
}

#[test]
fn reading_may_trip_anywhere_and_loses_only_that_event() {
    type Read = fn(&mut Subscriber<Fragile>);
    let ways: [Read; 7] = [
        |reader| _ = reader.drain(9, |event| _ = number(event)),
        |reader| _ = reader.recv_many(9, |event| _ = number(event)),
        |reader| drop(reader.recv_matching(|event| number(event) % 3 == 2)),
        |reader| drop(reader.try_recv_matching(|event| number(event) > 99)),
        |reader| drop(reader.iter().take(3).collect::<Vec<_>>()),
        |reader| drop(reader.try_iter().take(3).collect::<Vec<_>>()),
        |reader| _ = reader.latest().map(|event| number(&event)),
    ];
    for read in ways {
        let mut full = Full::new(1, SlotLayout::InLine);
        let mut trips = 0;
        for _ in 0..20 {
            (0..9).for_each(|n| full.bus.report(full.event(n)).unwrap());
            let reader = &mut full.readers[0];
            // One panic in each, then what is left: what was met at the panic is read.
            for call in 0..4 {
                LEFT.set(call);
                let before = reader.lag();
                let tripped = catch_unwind(AssertUnwindSafe(|| {
                    if before > 3 {
                        read(reader);
                    }
                }));
                LEFT.set(NEVER);
                trips += usize::from(tripped.is_err());
                assert!(before <= 3 || reader.lag() < before);
            }
            full.read();
        }
        assert!(trips >= 20, "{trips}");
        full.end();
    }
}

/// Trips where it is told of a loss.
struct Loser(std::sync::mpsc::Receiver<()>);

impl Handler<u64> for Loser {
    fn event(&mut self, _: &u64, _: Info) {
        let _ = self.0.recv();
    }

    fn lagged(&mut self, _: u64) {
        panic!("a loss")
    }
}

#[test]
fn a_handler_that_cannot_bear_a_loss_ends_alone() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let bus = builder(64)
        .on_evict(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            // With what panics once more.
            std::panic::panic_any(Bomb);
        })
        .build()
        .unwrap();
    let (go, wait) = channel();
    let options = SubscribeOptions::new().on_lap(OnLap::Rejoin);
    let guard = bus.handle_with(options, Loser(wait)).unwrap();
    let mut reading = bus.subscribe().unwrap();
    for n in 0..200u64 {
        bus.report(n).unwrap();
        assert_eq!(*reading.recv().unwrap(), n);
    }
    drop((go, reading));
    assert_eq!(guard.join(), HandlerEnd::Panicked(Some("a loss".into())));
    // Its loss, then its panic.
    until("both told", || told.load(Ordering::Relaxed) == 2);
    until("counted", || bus.stats().workers[0].notice_panics == 2);
    assert!(bus.stop_timeout(LONG).is_clean());
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
fn a_handler_that_cannot_start_may_panic_when_it_is_dropped() {
    struct Unwanted(#[allow(dead_code)] Arc<()>);
    impl Drop for Unwanted {
        fn drop(&mut self) {
            panic!("not wanted");
        }
    }
    impl Handler<u64> for Unwanted {
        fn event(&mut self, _: &u64, _: Info) {}
    }
    let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
    let life = Arc::new(());
    let nowhere = SubscribeOptions::new().worker(7);
    let refused = catch_unwind(AssertUnwindSafe(|| {
        bus.handle_with(nowhere, Unwanted(Arc::clone(&life)))
    }));
    assert!(refused.is_err(), "dropped by its caller");
    let nowhere = SubscribeOptions::new().core(usize::MAX);
    if cfg!(target_os = "linux") {
        let refused = bus.handle_with(nowhere, Unwanted(Arc::clone(&life)));
        assert!(matches!(refused, Err(SubscribeError::Pin(_))));
    }
    until("let go", || Arc::strong_count(&life) == 1);
    until("nobody left behind", || bus.stats().subscribers.is_empty());
}

#[test]
fn a_waker_may_panic_when_it_is_woken_or_replaced() {
    struct Broken;
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic!("woken");
        }
    }
    impl Drop for Broken {
        fn drop(&mut self) {
            trip();
        }
    }
    let bus = builder::<u64>(64).drive(Drive::Manual).build().unwrap();
    let mut subscriber = bus.subscribe().unwrap();
    fn poll(subscriber: &mut Subscriber<u64>, waker: &Waker) -> bool {
        let mut context = Context::from_waker(waker);
        subscriber.poll_ready(&mut context).is_ready()
    }
    for n in 0..10 {
        let broken = Waker::from(Arc::new(Broken));
        assert!(!poll(&mut subscriber, &broken));
        drop(broken);
        // The last of it goes as another takes its place.
        LEFT.set(0);
        let replaced = catch_unwind(AssertUnwindSafe(|| poll(&mut subscriber, Waker::noop())));
        assert!(replaced.is_err());
        LEFT.set(NEVER);
        assert!(!poll(&mut subscriber, &Waker::from(Arc::new(Broken))));
        bus.report(n).unwrap();
        bus.turn(); // wakes, and is not told that it panicked
        assert!(poll(&mut subscriber, Waker::noop()));
        assert_eq!(*subscriber.try_recv().unwrap(), n);
    }
}

/// An event that panics when it is cloned, if it is told to.
struct Numbered(u64);

impl Clone for Numbered {
    fn clone(&self) -> Self {
        trip();
        Numbered(self.0)
    }
}

#[test]
fn what_is_carried_to_two_rings_outlives_a_clone_that_panics() {
    let bus = builder::<Numbered>(64)
        .drive(Drive::Manual)
        .workers(2)
        .build()
        .unwrap();
    let mut readers = [0, 1].map(|worker| {
        let options = SubscribeOptions::new().worker(worker);
        bus.subscribe_with(options).unwrap()
    });
    let mut publisher = bus.publisher();
    let mut numbers = 0..20;
    let events = std::iter::from_fn(|| {
        if numbers.start == 19 {
            while bus.try_report(Numbered(99)).is_ok() {}
        }
        numbers.next().map(Numbered)
    });
    assert_eq!(publisher.try_report_batch(events), 0);
    assert_eq!(publisher.carried(), 20);
    for reader in &mut readers {
        reader
            .drain(usize::MAX, |event| assert_eq!(event.0, 99))
            .unwrap();
        reader.release();
    }
    LEFT.set(2);
    let none = || std::iter::empty();
    catch_unwind(AssertUnwindSafe(|| publisher.try_report_batch(none()))).unwrap_err();
    LEFT.set(NEVER);
    assert_eq!(publisher.carried(), 17);
    assert_eq!(publisher.try_report_batch(none()), 17);
    for reader in &mut readers {
        let mut seen = Vec::new();
        reader
            .drain(usize::MAX, |event| seen.push(event.0))
            .unwrap();
        assert_eq!(seen, [0, 1].into_iter().chain(3..20).collect::<Vec<_>>());
    }
}
