//! One word in a cache line of its own, written by one thread and read by the other: what any bus has to pay.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use ringbus_benches::payload::Event48;

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{Plan, event};
use crate::latency::round::{self, Outcome, Receive};

/// The word has the event's number, from 1, above so many bits of its time: a quarter of an hour in nanoseconds.
const TIME_BITS: u32 = 40;

/// The next event overwrites the last, so a receiver that is held up misses some.
#[derive(Default)]
struct Flag {
    word: CachePadded<AtomicU64>,
    sleeper: OnceLock<Thread>,
}

struct Spinning<'a> {
    flag: &'a Flag,
    last: u64,
}

struct Parked<'a>(Spinning<'a>);

struct Writer<'a>(&'a Flag);

struct Waker<'a>(Writer<'a>);

/// The receiver spins on the flag.
pub fn spinning(plan: Plan) -> Result<Outcome, Error> {
    let flag = Flag::default();
    let receiver = Spinning {
        flag: &flag,
        last: 0,
    };
    round::run(plan, Writer(&flag), receiver)
}

/// The receiver parks, and the publisher unparks it.
pub fn parked(plan: Plan) -> Result<Outcome, Error> {
    let flag = Flag::default();
    let receiver = Spinning {
        flag: &flag,
        last: 0,
    };
    round::run(plan, Waker(Writer(&flag)), Parked(receiver))
}

impl Publish for Writer<'_> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        let Event48([number, intended, ..]) = event;
        let word = (number + 1) << TIME_BITS | intended;
        self.0.word.store(word, Ordering::Release);
        true
    }
}

impl Publish for Waker<'_> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.0.offer(event);
        if let Some(sleeper) = self.0.0.sleeper.get() {
            sleeper.unpark();
        }
        true
    }
}

impl Receive for Spinning<'_> {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        let word = self.flag.word.load(Ordering::Acquire);
        if word == self.last {
            return Ok(false);
        }
        self.last = word;
        let intended = word & ((1 << TIME_BITS) - 1);
        ear.hear(&event((word >> TIME_BITS) - 1, intended));
        Ok(true)
    }
}

impl Receive for Parked<'_> {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        self.0.flag.sleeper.get_or_init(thread::current);
        if self.0.receive(ear)? {
            return Ok(true);
        }
        // The bound is for the end, which nobody tells it.
        thread::park_timeout(Duration::from_millis(100));
        self.0.receive(ear)
    }
}
