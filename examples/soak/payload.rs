//! Events that check themselves, and that are counted from the first to the last of them.

use std::cell::Cell;
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

use crate::dice::{Dice, mix};
use crate::violation;

/// What subscribers are sent.
pub trait Payload: Clone + Send + Sync + 'static {
    fn new(publisher: usize, number: u64, dice: &mut Dice) -> Self;

    /// Whose it is, and which; `None` if a single bit of it is not what it was.
    fn read(&self) -> Option<(usize, u64)>;
}

/// The living values of the counted kinds, by their seals. Many counters, so that they seldom meet.
static CENSUS: [AtomicI32; 1 << 16] = [const { AtomicI32::new(0) }; 1 << 16];

/// How many live. No good while they come and go.
pub fn live() -> i64 {
    let counters = CENSUS.iter();
    counters
        .map(|counter| i64::from(counter.load(Relaxed)))
        .sum()
}

/// Forgets those that live, once they are told.
pub fn forget() {
    CENSUS.iter().for_each(|counter| counter.store(0, Relaxed));
}

/// Two words and their checksum. It needs no drop, so that it can only be lost, torn or doubled.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    publisher: u64,
    number: u64,
    checksum: u64,
}

impl Bare {
    fn of(publisher: usize, number: u64, body: &[u64]) -> Self {
        let publisher = publisher as u64;
        let checksum = checksum(publisher, number, body);
        Self {
            publisher,
            number,
            checksum,
        }
    }

    fn read_with(&self, body: &[u64]) -> Option<(usize, u64)> {
        let Self {
            publisher,
            number,
            checksum: told,
        } = *black_box(self);
        (told == checksum(publisher, number, body)).then_some((publisher as usize, number))
    }
}

fn checksum(publisher: u64, number: u64, body: &[u64]) -> u64 {
    let start = mix(publisher) ^ number;
    black_box(body)
        .iter()
        .fold(mix(start), |sum, word| mix(sum ^ word))
}

impl Payload for Bare {
    fn new(publisher: usize, number: u64, _dice: &mut Dice) -> Self {
        Self::of(publisher, number, &[])
    }

    fn read(&self) -> Option<(usize, u64)> {
        self.read_with(&[])
    }
}

/// Some words without a heap, over more than one cache line.
#[derive(Clone, Debug)]
pub struct Plain {
    tag: Bare,
    body: [u64; 6],
    seal: Seal,
}

impl Payload for Plain {
    fn new(publisher: usize, number: u64, dice: &mut Dice) -> Self {
        let body = [dice.below(u64::MAX); 6];
        Self {
            tag: Bare::of(publisher, number, &body),
            body,
            seal: Seal::new(),
        }
    }

    fn read(&self) -> Option<(usize, u64)> {
        self.tag
            .read_with(&self.body)
            .filter(|_| self.seal.is_whole())
    }
}

/// Words on the heap, sometimes more and sometimes less.
#[derive(Debug)]
pub struct Heap {
    tag: Bare,
    body: ManuallyDrop<Box<[u64]>>,
    seal: Seal,
}

impl Payload for Heap {
    fn new(publisher: usize, number: u64, dice: &mut Dice) -> Self {
        let body = vec![dice.below(u64::MAX); dice.within(1..33) as usize].into_boxed_slice();
        Self {
            tag: Bare::of(publisher, number, &body),
            body: ManuallyDrop::new(body),
            seal: Seal::new(),
        }
    }

    fn read(&self) -> Option<(usize, u64)> {
        // The seal first: of a value that is gone the heap must not be touched.
        self.seal
            .is_whole()
            .then(|| self.tag.read_with(&self.body))
            .flatten()
    }
}

impl Clone for Heap {
    fn clone(&self) -> Self {
        Self {
            tag: self.tag,
            body: self.body.clone(),
            seal: self.seal.clone(),
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // A second drop is to be told by the seal, not to end in the allocator.
        if self.seal.is_whole() {
            // SAFETY: the first drop, as the one of the seal follows.
            unsafe { ManuallyDrop::drop(&mut self.body) };
        }
    }
}

/// One living value. It is known outside of the value, so that a second drop of the same bits is noticed as well, be it
/// where the value was or where it was copied to.
#[derive(Debug)]
struct Seal(u64);

/// Seals in a row, so that values that live at the same time seldom share a counter; each thread takes some at once.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

const AT_ONCE: u64 = 64;

thread_local! {
    static NUMBERS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl Seal {
    fn new() -> Self {
        let seal = Self(NUMBERS.with(|numbers| {
            let (next, end) = numbers.get();
            let (next, end) = match next == end {
                true => {
                    let next = NEXT_NUMBER.fetch_add(AT_ONCE, Relaxed);
                    (next, next + AT_ONCE)
                }
                false => (next, end),
            };
            numbers.set((next + 1, end));
            next
        }));
        seal.census().fetch_add(1, Relaxed);
        seal
    }

    fn census(&self) -> &'static AtomicI32 {
        &CENSUS[self.0 as usize % CENSUS.len()]
    }

    fn is_whole(&self) -> bool {
        self.census().load(Relaxed) > 0
    }
}

impl Clone for Seal {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Seal {
    fn drop(&mut self) {
        if self.census().fetch_sub(1, Relaxed) <= 0 {
            self.census().fetch_add(1, Relaxed); // it must not be held against another value
            violation::record("a value was dropped twice, or never was one");
        }
    }
}
