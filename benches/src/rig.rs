//! A bus to measure, and what it costs on one thread.

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use ringbus::{Bus, Drive, Pinning, Publish, SlotLayout, Subscriber};

use crate::payload::Payload;
use crate::publisher::PublisherKind;
use crate::scenario::Scenario;

/// The bus of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Rig {
    /// Slots of the ring.
    pub capacity: usize,
    /// How they are laid out.
    pub slots: SlotLayout,
    /// How many events a publisher hands over at a time; 1 is one by one, without an iterator.
    pub batch: usize,
    /// How many read.
    pub subscribers: usize,
}

impl Default for Rig {
    fn default() -> Self {
        Rig {
            capacity: 1024,
            slots: SlotLayout::InLine,
            batch: 1,
            subscribers: 1,
        }
    }
}

impl Rig {
    /// The publisher, and the subscribers. It alone keeps a shared bus open, so that nobody waits for one that is gone.
    pub(crate) fn build<R: PublisherKind>(&self, drive: Drive) -> (R, Vec<Subscriber<R::Event>>) {
        let builder = Bus::builder()
            .capacity(self.capacity)
            .slots(self.slots)
            .drive(drive)
            .pinning(Pinning::Off);
        let (publisher, bus) = R::build(builder).expect("a small bus can be built");
        let subscribers = (0..self.subscribers)
            .map(|_| bus.subscribe().expect("there is room for a subscriber"))
            .collect();
        (publisher, subscribers)
    }

    /// Published before the clock runs: every slot once.
    pub(crate) fn lap(&self) -> u64 {
        self.capacity as u64
    }

    /// What the publisher pays for so many events, on one thread: subscribers drain while the clock stands still.
    pub fn publish<R: PublisherKind>(&self, events: u64) -> Duration {
        self.take_turns::<R>(events, drain).0
    }

    /// What subscribers pay for so many events, on one thread: they are published while the clock stands still.
    ///
    /// `receive` is to read, and check, all the events with these numbers.
    pub fn receive<R: PublisherKind>(
        &self,
        events: u64,
        receive: impl FnMut(&mut Subscriber<R::Event>, Range<u64>),
    ) -> Duration {
        self.take_turns::<R>(events, receive).1
    }

    /// Half a ring is published, then received. What the publisher took, and what the subscribers did.
    fn take_turns<R: PublisherKind>(
        &self,
        events: u64,
        mut receive: impl FnMut(&mut Subscriber<R::Event>, Range<u64>),
    ) -> (Duration, Duration) {
        let (mut publisher, mut subscribers) = self.build::<R>(Drive::Manual);
        let half = self.capacity / 2;
        let whole_batches = half - half % self.batch;
        let mut turns = |numbers| {
            let mut spent = (Duration::ZERO, Duration::ZERO);
            for numbers in split(numbers, whole_batches) {
                let start = Instant::now();
                self.report(&mut publisher, numbers.clone());
                let reported = Instant::now();
                for subscriber in &mut subscribers {
                    receive(subscriber, numbers.clone());
                }
                spent.0 += reported - start;
                spent.1 += reported.elapsed();
            }
            spent
        };
        turns(0..self.lap());
        turns(self.lap()..self.lap() + events)
    }

    #[inline(always)]
    fn report<R: PublisherKind>(&self, publisher: &mut R, numbers: Range<u64>) {
        match self.batch {
            1 => numbers.for_each(|number| assert!(publisher.report(make(number)).is_ok())),
            batch => split(numbers, batch).for_each(|numbers| {
                assert!(publisher.report_batch(numbers.map(make)).is_ok());
            }),
        }
    }
}

/// The event with this number, which the compiler does not know.
#[inline(always)]
pub fn make<P: Payload>(number: u64) -> P {
    P::new(black_box(number))
}

/// Offers an event. Returns it if there is no room.
#[inline(always)]
pub fn offer<E>(publisher: &mut impl Publish<E>, event: E) -> Option<E> {
    let refused = publisher.try_report(event).err()?;
    assert!(refused.is_full());
    Some(refused.into_inner())
}

/// Drains the events with these numbers, and nothing else.
#[inline(always)]
pub fn drain<P: Payload>(subscriber: &mut Subscriber<P>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    let drained = subscriber.drain(usize::MAX, |event| tally.see(event));
    assert!(drained.is_ok());
    tally.check(numbers);
}

/// In pieces of at most `size`.
#[inline(always)]
pub(crate) fn split(numbers: Range<u64>, size: usize) -> impl Iterator<Item = Range<u64>> {
    let end = numbers.end;
    numbers
        .step_by(size)
        .map(move |from| from..end.min(from + size as u64))
}

/// What a subscriber saw. In a cache line of its own, so that how many lines are stored to does not
/// hang on where a frame lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub struct Tally {
    events: u64,
    /// Their numbers' sum.
    numbers: u64,
    /// Not 0 if an event was not what its number says.
    wrong: u64,
}

impl Tally {
    /// One more event, read to its end.
    #[inline(always)]
    pub fn see<P: Payload>(&mut self, event: &P) {
        let number = event.number();
        self.events += 1;
        self.numbers = self.numbers.wrapping_add(number);
        self.wrong |= event.sum() ^ P::sum_of(number);
    }

    /// How many events it saw.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Panics unless exactly the events with these numbers were seen, in any order.
    pub fn check(&self, numbers: Range<u64>) {
        let below = |number: u64| u128::from(number) * u128::from(number.saturating_sub(1)) / 2;
        let all = Tally {
            events: numbers.end - numbers.start,
            // Modulo 2^64, as the sum is.
            numbers: (below(numbers.end) - below(numbers.start)) as u64,
            wrong: 0,
        };
        assert_eq!(*self, all);
    }
}

/// Throughput of a kind of publisher, by ring and batch: on one thread in cache, and from one thread to another.
pub fn throughput<R: PublisherKind>() -> impl Iterator<Item = Scenario> {
    let rigs = [1024, 8192, 65536].into_iter().flat_map(|capacity| {
        [1, 10, 100].map(|batch| Rig {
            capacity,
            batch,
            ..Rig::default()
        })
    });
    rigs.flat_map(|rig| {
        let group = |what: &str| format!("{}, {what}, ring of {}", R::NAME, rig.capacity);
        let name = match rig.batch {
            1 => "one by one".to_owned(),
            batch => format!("batches of {batch}"),
        };
        [
            Scenario::new(group("in cache"), &name, move |events| {
                rig.publish::<R>(events)
            }),
            Scenario::new(group("to another thread"), &name, move |events| {
                rig.across_threads::<R>(events)
            }),
        ]
    })
}
