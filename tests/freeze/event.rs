//! Events that check themselves, and what a reader may find of them.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What was made and what was dropped: how many, and the sum of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Census {
    made: (AtomicU64, AtomicU64),
    dropped: (AtomicU64, AtomicU64),
}

fn add((count, sum): &(AtomicU64, AtomicU64), number: u64) {
    sum.fetch_add(number, Ordering::Relaxed);
    count.fetch_add(1, Ordering::Release);
}

impl Census {
    /// Every value was dropped once. The ring goes with whoever holds it last, perhaps the worker's thread.
    pub(crate) fn expect_all_dropped(&self, patience: impl Fn() -> bool) {
        let read = |(count, sum): &(AtomicU64, AtomicU64)| {
            let count = count.load(Ordering::Acquire);
            (count, sum.load(Ordering::Relaxed))
        };
        while read(&self.dropped).0 < read(&self.made).0 && patience() {
            thread::yield_now();
        }
        assert_eq!(read(&self.dropped), read(&self.made), "values dropped");
    }
}

const WORDS: usize = 24;

/// The bulk of an event: in the slot, or on the heap.
pub(crate) trait Body: AsRef<[u64]> + Debug + Send + Sync + 'static {
    fn of(words: [u64; WORDS]) -> Self;
    /// What a dropped one looks like.
    fn spoil(&mut self);
}

/// Allocates nothing. So large that a publisher spends some time between its claim and its commit.
pub(crate) type InPlace = [u64; WORDS];

impl Body for InPlace {
    fn of(words: [u64; WORDS]) -> Self {
        words
    }

    fn spoil(&mut self) {
        self[0] = !self[0];
    }
}

impl Body for Box<[u64]> {
    fn of(words: [u64; WORDS]) -> Self {
        words.into()
    }

    fn spoil(&mut self) {
        self[0] = !self[0];
    }
}

/// The `number`th event of a publisher.
#[derive(Debug)]
pub(crate) struct Event<B: Body> {
    pub(crate) publisher: usize,
    pub(crate) number: u64,
    /// Its rank among the events of all publishers, roughly: how far behind is who reads it.
    pub(crate) ticket: u64,
    body: B,
    census: &'static Census,
}

impl<B: Body> Event<B> {
    pub(crate) fn new(publisher: usize, number: u64, ticket: u64, census: &'static Census) -> Self {
        add(&census.made, number);
        Event {
            publisher,
            number,
            ticket,
            body: B::of(std::array::from_fn(|word| {
                Self::word(publisher, number, word)
            })),
            census,
        }
    }

    fn word(publisher: usize, number: u64, word: usize) -> u64 {
        number.rotate_left(word as u32 + 1) ^ publisher as u64
    }

    /// Whole, and not dropped.
    pub(crate) fn check(&self) {
        let whole = |(at, &word)| word == Self::word(self.publisher, self.number, at);
        assert!(
            self.body.as_ref().iter().enumerate().all(whole),
            "overwritten, torn or dropped: {self:x?}"
        );
    }
}

impl<B: Body> Drop for Event<B> {
    fn drop(&mut self) {
        self.check();
        self.body.spoil(); // a second drop would find it
        add(&self.census.dropped, self.number);
    }
}

/// What one reader saw: each publisher's events in order, and no gap but those that it was told of.
#[derive(Debug)]
pub(crate) struct Seen {
    publishers: Vec<Progress>,
    /// Sequences that it was told of as missed, and that no gap has used up.
    told: u64,
}

#[derive(Debug)]
struct Progress {
    /// What comes next: one number, or any of those that were under way at the join.
    next: RangeInclusive<u64>,
    /// It was told of a loss since this publisher's last event.
    may_skip: bool,
}

impl Seen {
    /// One that was there before the first event.
    pub(crate) fn from_the_start(publishers: usize) -> Self {
        Seen::starting((0..publishers).map(|_| 0..=0))
    }

    /// One that joined: of each publisher none of the events that were reported `before`, and all of those that were
    /// begun after it.
    pub(crate) fn joined(reported: &[u64], begun: &[u64]) -> Self {
        Seen::starting(
            reported
                .iter()
                .zip(begun)
                .map(|(&first, &last)| first..=last),
        )
    }

    fn starting(nexts: impl Iterator<Item = RangeInclusive<u64>>) -> Self {
        let progress = |next| Progress {
            next,
            may_skip: false,
        };
        Seen {
            publishers: nexts.map(progress).collect(),
            told: 0,
        }
    }

    pub(crate) fn add<B: Body>(&mut self, event: &Event<B>) {
        event.check();
        let (of, number) = (&mut self.publishers[event.publisher], event.number);
        let (first, last) = (*of.next.start(), *of.next.end());
        assert!(
            number >= first,
            "{number} came again, or too late: {first} is next"
        );
        if of.may_skip {
            of.may_skip = false;
            self.told = spend(self.told, number.saturating_sub(last));
        } else {
            assert!(number <= last, "{number} came: {last} is missing");
        }
        of.next = number + 1..=number + 1;
    }

    /// It was told that so many sequences were missed.
    pub(crate) fn missed(&mut self, sequences: u64) {
        self.told = self.told.saturating_add(sequences);
        for of in &mut self.publishers {
            of.may_skip = true;
        }
    }

    /// Everything that was accepted was seen, but for what it was told of.
    pub(crate) fn expect_all(mut self, accepted: &[u64]) {
        for (publisher, (of, &accepted)) in self.publishers.iter().zip(accepted).enumerate() {
            let next = *of.next.end();
            if of.may_skip {
                self.told = spend(self.told, accepted - next);
            } else {
                assert_eq!(next, accepted, "of publisher {publisher}, at the end");
            }
        }
    }
}

fn spend(told: u64, gap: u64) -> u64 {
    let left = told.checked_sub(gap);
    left.unwrap_or_else(|| panic!("{gap} events are missing, and {told} sequences were told"))
}
