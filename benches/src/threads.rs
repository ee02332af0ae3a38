//! The same busses between threads, each on a core of its own as far as there are cores.

#![allow(clippy::disallowed_types)] // the gate's atomic is no part of the bus

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ringbus::{Drive, Publisher, Subscriber, affinity};

use crate::payload::Payload;
use crate::publisher::PublisherKind;
use crate::rig::{Rig, Tally, make, offer, split};

impl Rig {
    /// How long so many events take from one publisher to all subscribers, from the first report to the last receipt.
    ///
    /// The publisher waits for room, where `report` would drop who is too far behind; subscribers spin, then yield.
    pub fn across_threads<R: PublisherKind>(&self, events: u64) -> Duration {
        let (publisher, subscribers) = self.build::<R>(Drive::Threads);
        self.run(vec![publisher], subscribers, events)
    }

    /// The same with several publishers, which share the events out.
    pub fn from_publishers<P: Payload>(&self, publishers: usize, events: u64) -> Duration {
        let (publisher, subscribers) = self.build::<Publisher<P>>(Drive::Threads);
        self.run(vec![publisher; publishers], subscribers, events)
    }

    fn run<R: PublisherKind>(
        &self,
        publishers: Vec<R>,
        subscribers: Vec<Subscriber<R::Event>>,
        events: u64,
    ) -> Duration {
        let (warm, end) = (self.lap(), self.lap() + events);
        let gate = &Gate::new(publishers.len() + subscribers.len());
        let count = publishers.len() as u64;
        thread::scope(|scope| {
            let reading: Vec<_> = (0..)
                .zip(subscribers)
                .map(|(place, mut subscriber)| {
                    scope.spawn(move || {
                        pin_subscriber(place);
                        let mut tally = Tally::default();
                        receive_until(warm, &mut subscriber, &mut tally);
                        gate.meet();
                        receive_until(end, &mut subscriber, &mut tally);
                        let last = Instant::now();
                        tally.check(0..end);
                        last
                    })
                })
                .collect();
            let reporting: Vec<_> = (0..)
                .zip(publishers)
                .map(|(place, mut publisher)| {
                    scope.spawn(move || {
                        pin_publisher(place);
                        self.report_all(&mut publisher, share(0..warm, place as u64, count));
                        gate.meet();
                        let first = Instant::now();
                        self.report_all(&mut publisher, share(warm..end, place as u64, count));
                        // Given back, as a bus ends with its publisher.
                        (first, publisher)
                    })
                })
                .collect();
            let lasts = reading.into_iter().map(join).max();
            let firsts = reporting.into_iter().map(|thread| join(thread).0).min();
            match (firsts, lasts) {
                (Some(first), Some(last)) => last - first,
                _ => unreachable!("a run has a publisher and a subscriber"),
            }
        })
    }

    #[inline(always)]
    fn report_all<R: PublisherKind>(&self, publisher: &mut R, numbers: Range<u64>) {
        match self.batch {
            1 => numbers.for_each(|number| {
                let mut event = make(number);
                let mut patience = Patience::default();
                while let Some(back) = offer(publisher, event) {
                    event = back;
                    patience.rest();
                }
            }),
            batch => split(numbers, batch).for_each(|numbers| {
                let mut left = (numbers.end - numbers.start) as usize;
                let mut events = numbers.map(make);
                let mut patience = Patience::default();
                loop {
                    left -= publisher.try_report_batch(&mut events);
                    if left == 0 {
                        break;
                    }
                    patience.rest();
                }
            }),
        }
    }
}

#[inline(always)]
fn receive_until<P: Payload>(events: u64, subscriber: &mut Subscriber<P>, tally: &mut Tally) {
    let mut patience = Patience::default();
    while tally.events() < events {
        match subscriber.drain(usize::MAX, |event| tally.see(event)) {
            Ok(0) => patience.rest(),
            Ok(_) => patience = Patience::default(),
            Err(end) => panic!("{end}, and events are missing"),
        }
    }
}

/// The numbers that one of `count` publishers reports.
fn share(numbers: Range<u64>, place: u64, count: u64) -> Range<u64> {
    let length = numbers.end - numbers.start;
    let cut = |place| numbers.start + length * place / count;
    cut(place)..cut(place + 1)
}

/// Publishers go round all cores, from the first on.
pub fn pin_publisher(place: usize) {
    pin(&affinity::cores(), place);
}

/// Subscribers leave the first publisher's core alone, if there is another.
pub fn pin_subscriber(place: usize) {
    match affinity::cores().as_slice() {
        [_, others @ ..] if !others.is_empty() => pin(others, place),
        cores => pin(cores, place),
    }
}

fn pin(cores: &[usize], place: usize) {
    let core = cores[place % cores.len()];
    affinity::pin_current(core).expect("a core of this process can be had");
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where all threads wait for each other, outside of what is measured.
struct Gate {
    missing: AtomicUsize,
}

impl Gate {
    fn new(threads: usize) -> Self {
        Gate {
            missing: AtomicUsize::new(threads),
        }
    }

    fn meet(&self) {
        self.missing.fetch_sub(1, Ordering::AcqRel);
        let mut patience = Patience::default();
        while self.missing.load(Ordering::Acquire) > 0 {
            patience.rest();
        }
    }
}

/// The pauses of one wait: it spins, yields now and then, and panics when what it waits for must have failed.
#[derive(Default)]
struct Patience {
    looks: u32,
    since: Option<Instant>,
}

impl Patience {
    const SPINS: u32 = 64;
    const END: Duration = Duration::from_secs(20);

    #[inline(always)]
    fn rest(&mut self) {
        self.looks += 1;
        match self.looks % Self::SPINS {
            0 => self.rest_longer(),
            _ => std::hint::spin_loop(),
        }
    }

    #[cold]
    #[inline(never)]
    fn rest_longer(&mut self) {
        thread::yield_now();
        let since = self.since.get_or_insert_with(Instant::now);
        assert!(since.elapsed() < Self::END, "waited too long");
    }
}
