//! A report wakes one thread that sleeps, and leaves all others to the worker.
#![cfg(all(feature = "test-hooks", not(loom)))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;
#[path = "common/stopped.rs"]
mod stopped;

use common::{LONG, builder, until};
use ringbus::hooks::Point;
use ringbus::{Bus, Drive, SubscribeOptions, Subscriber, SubscriberState, WaitStrategy};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use stopped::Stopped;

/// Longer than any test may take.
const FOR_EVER: Duration = LONG.saturating_mul(10);

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A thread that is parked in `recv`, and what it receives.
fn parked<M>(bus: &Bus<u64, M>) -> Receiver<u64> {
    let options = SubscribeOptions::new().wait(WaitStrategy::Park);
    let mut subscriber = bus.subscribe_with(options).unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        while let Ok(n) = subscriber.recv().map(|n| *n) {
            tell.send(n).unwrap();
        }
    });
    told
}

/// A task that waits.
fn waiting<M>(bus: &Bus<u64, M>, wakes: &Arc<Wakes>) -> Subscriber<u64> {
    let mut subscriber = bus.subscribe().unwrap();
    let waker = Waker::from(Arc::clone(wakes));
    let mut context = Context::from_waker(&waker);
    assert!(subscriber.poll_ready(&mut context).is_pending());
    subscriber
}

fn all_asleep<M>(bus: &Bus<u64, M>) {
    until("all asleep", || {
        let subscribers = bus.stats().subscribers.into_iter();
        subscribers
            .map(|s| s.state)
            .all(|s| s == SubscriberState::Idle)
    });
}

#[track_caller]
fn expect(reader: &Receiver<u64>, number: u64) {
    assert_eq!(reader.recv_timeout(LONG), Ok(number), "sleeps on");
}

/// Each number of threads and tasks that a report finds asleep. Their naps have no end, and no turn
/// comes but the test's.
fn each_crowd<M>(bus: &Bus<u64, M>, mut report: impl FnMut(u64)) {
    for (threads, tasks) in [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 0),
        (0, 1),
        (0, 2),
        (1, 1),
        (2, 2),
    ] {
        let readers: Vec<_> = (0..threads).map(|_| parked(bus)).collect();
        let wakes = Arc::new(Wakes::default());
        let waiting: Vec<_> = (0..tasks).map(|_| waiting(bus, &wakes)).collect();
        all_asleep(bus);
        bus.turn(); // what their sleep asked for
        assert!(!bus.wants_turn());

        let before = bus.stats().workers[0].wakes;
        report(7);
        let is_last = threads + tasks <= 1;
        let is_done = is_last && tasks == 0;
        assert_eq!(bus.wants_turn(), !is_done, "{threads}, {tasks}");
        let by_itself = u64::from(threads > 0);
        let wakes_now = bus.stats().workers[0].wakes;
        assert_eq!(wakes_now - before, by_itself + u64::from(!is_done));
        if is_done {
            readers.iter().for_each(|reader| expect(reader, 7));
        }
        assert_eq!(wakes.count(), 0, "a waker is user code");
        let woken = bus.turn().woken;
        // One of several threads may have gone on already.
        let most = threads + tasks - by_itself as usize;
        assert!(woken <= most, "{woken} of {most}");
        assert_eq!(wakes.count(), tasks);
        if !is_done {
            readers.iter().for_each(|reader| expect(reader, 7));
        }
        drop(waiting);
        for subscriber in bus.stats().subscribers {
            bus.unsubscribe(subscriber.id);
        }
        until("all gone", || {
            bus.turn();
            bus.stats().subscribers.is_empty()
        });
    }
}

#[test]
fn a_report_wakes_one_thread_and_tells_the_worker_of_all_others() {
    let manual = || builder::<u64>(64).drive(Drive::Manual).max_nap(FOR_EVER);
    let bus = manual().build().unwrap();
    each_crowd(&bus, |n| bus.report(n).unwrap());
    let mut publisher = bus.publisher();
    each_crowd(&bus, |n| {
        assert_eq!(publisher.report_batch([n]).unwrap(), 1)
    });
    let (mut publisher, bus) = manual().build_exclusive().unwrap();
    each_crowd(&bus, |n| publisher.report(n).unwrap());
    each_crowd(&bus, |n| {
        assert_eq!(publisher.report_batch([n]).unwrap(), 1)
    });
    each_crowd(&bus, |n| publisher.report_with(|slot| *slot = n).unwrap());
    each_crowd(&bus, |n| {
        let put = |slots: ringbus::SlotsMut<'_, u64>| slots.for_each(|slot| *slot = n);
        assert_eq!(publisher.report_batch_with(1, put).unwrap(), 1);
    });
}

/// A publisher that stops in the wake-up of one of `readers`, which all have got its event before
/// or get it now. Reports until it stops, because a reader may be awake for a moment between two
/// naps. Returns the number of its event, too.
fn stop_in_a_wake_up(
    bus: &Bus<u64>,
    readers: &[Receiver<u64>],
    point: Point,
) -> (Stopped<()>, u64) {
    for number in 0.. {
        all_asleep(bus);
        let mut publisher = bus.publisher();
        match Stopped::try_at(point, 0, move || publisher.report(number).unwrap()) {
            Ok(stopped) => return (stopped, number),
            Err(()) => readers.iter().for_each(|reader| expect(reader, number)),
        }
    }
    unreachable!("the numbers have no end")
}

/// The others are the worker's, which knows of them; the one is too, until its cell is taken.
#[test]
fn a_publisher_that_is_frozen_before_the_wake_up_delays_nobody() {
    let bus = builder(64).max_nap(FOR_EVER).build().unwrap();
    let readers: Vec<_> = (0..3).map(|_| parked(&bus)).collect();
    let (frozen, number) = stop_in_a_wake_up(&bus, &readers, Point::Raised);
    readers.iter().for_each(|reader| expect(reader, number));
    bus.report(number + 1).unwrap();
    readers.iter().for_each(|reader| expect(reader, number + 1));
    frozen.go_on();
}

/// It has the cell of one thread, which wakes by itself when its nap ends, and cannot sleep
/// meanwhile.
#[test]
fn a_publisher_that_is_frozen_in_the_wake_up_delays_one_thread_by_a_nap() {
    let nap = Duration::from_millis(1);
    let bus = builder(64).max_nap(nap).build().unwrap();
    let readers: Vec<_> = (0..3).map(|_| parked(&bus)).collect();
    let (frozen, number) = stop_in_a_wake_up(&bus, &readers, Point::Waking);
    readers.iter().for_each(|reader| expect(reader, number));
    for n in number + 1..number + 10 {
        bus.report(n).unwrap();
        readers.iter().for_each(|reader| expect(reader, n));
    }
    frozen.go_on();
    bus.report(number).unwrap();
    readers.iter().for_each(|reader| expect(reader, number));
}

/// Whatever it is about to be woken for, it finds.
#[test]
fn an_eviction_or_a_close_meets_a_publisher_in_the_wake_up() {
    for point in [Point::Raised, Point::Waking] {
        for closes in [false, true] {
            let nap = Duration::from_millis(1);
            let bus = builder(64).max_nap(nap).build().unwrap();
            let readers = [parked(&bus)];
            let (frozen, number) = stop_in_a_wake_up(&bus, &readers, point);
            let [reader] = readers;
            if closes {
                bus.close();
                expect(&reader, number);
            } else {
                bus.unsubscribe(bus.stats().subscribers[0].id);
            }
            until("its end", || match reader.try_recv() {
                Ok(n) => {
                    assert_eq!(n, number);
                    false
                }
                Err(error) => error == TryRecvError::Disconnected,
            });
            frozen.go_on();
        }
    }
}

/// Its first nap is as short as a worker's would be. It tells the worker of the next, also where a
/// publisher that was in its cell kept it from napping for a while.
#[test]
fn a_thread_tells_the_worker_when_it_naps_on() {
    let nap = Duration::from_millis(1);
    let bus = builder(64).drive(Drive::Manual).max_nap(nap);
    let bus = bus.build().unwrap();
    let readers = [parked(&bus)];
    until("it tells the worker", || bus.wants_turn());
    let (frozen, number) = stop_in_a_wake_up(&bus, &readers, Point::Waking);
    expect(&readers[0], number);
    // It looks again and again now, and cannot nap.
    thread::sleep(20 * nap);
    bus.turn();
    frozen.go_on();
    until("it tells the worker once more", || bus.wants_turn());
}
