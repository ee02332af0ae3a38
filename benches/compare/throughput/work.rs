//! What every candidate has to do, and how it is seen whether it did.

use std::ops::Range;
use std::time::{Duration, Instant};

use ringbus_benches::payload::Payload;

use crate::error::Error;
use crate::place::Cores;

/// One publisher, its subscribers, and the ring between them.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub capacity: usize,
    /// How many events a publisher hands over at a time; 1 is one by one.
    pub batch: usize,
    /// All of them share the subscriber's core.
    pub subscribers: usize,
    pub cores: Cores,
}

/// A way to bring events from one thread to others; built anew for every run.
pub trait Candidate<P: Payload>: 'static {
    type Publisher: Publish<P>;
    type Subscriber: Subscribe<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error>;

    /// Whether subscribers may miss events: then losses are counted, otherwise they end the run.
    const LOSSY: bool = false;
}

/// The publishing side. It waits for room, where its library lets it.
pub trait Publish<P: Payload>: Send {
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle);

    /// Where a library has no batches, its events go one by one.
    fn batches(&mut self, numbers: Range<u64>, batch: usize, idle: &mut Idle) {
        let _ = batch;
        self.one_by_one(numbers, idle);
    }

    /// After the last subscriber is gone: ends threads that would disturb the next run.
    fn close(self)
    where
        Self: Sized,
    {
    }
}

/// A publisher whose stream can be joined while it runs.
pub trait Join<P: Payload>: Publish<P> {
    type Late: Subscribe<P>;

    /// A reader of what is published from now on.
    fn join(&mut self) -> Result<Self::Late, Error>;
}

/// The receiving side.
pub trait Subscribe<P: Payload>: Send {
    /// Shows `check` what is there now, and returns it.
    ///
    /// Each candidate moves it to a variable of its own first, so that it lives in registers. A
    /// parameter of its size stays in memory, unless the function happens to be inlined: some
    /// candidates would then store three words for each event, and others none.
    fn receive(&mut self, check: Check) -> Result<Check, Error>;
}

/// Whether all events came, whole and in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Check {
    next: u64,
    missed: u64,
    wrong: u64,
}

impl Check {
    #[inline(always)]
    pub fn see<P: Payload>(&mut self, event: &P) {
        let number = alone(event.number());
        let gap = number.wrapping_sub(self.next);
        self.missed = self.missed.wrapping_add(gap);
        // A gap backwards has its highest bit set.
        self.wrong |= (gap >> 63) | (event.sum() ^ P::sum_of(number));
        self.next = number + 1;
    }

    /// The number that the next event should have.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What was missed up to now does not count.
    pub fn forget_missed(&mut self) {
        self.missed = 0;
    }

    /// How many events were missed.
    pub fn missed(&self) -> Result<u64, Error> {
        match self.wrong {
            0 => Ok(self.missed),
            _ => Err("events came out of order, or changed".into()),
        }
    }
}

/// The number, through a register that the compiler cannot see into: no two events are made or looked at in one
/// instruction, as they would not be where they come from the world and go to a handler. It costs next to nothing,
/// other than `black_box`, which goes through memory.
#[inline(always)]
pub fn alone(number: u64) -> u64 {
    #[cfg(all(not(miri), any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let mut number = number;
        // SAFETY: no instruction at all; the register keeps its value.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) number,
                options(nomem, nostack, preserves_flags));
        }
        number
    }
    #[cfg(not(all(not(miri), any(target_arch = "x86_64", target_arch = "aarch64"))))]
    std::hint::black_box(number)
}

/// The event with this number, made on its own.
#[inline(always)]
pub fn make<P: Payload>(number: u64) -> P {
    P::new(alone(number))
}

/// The same in place.
#[inline(always)]
pub fn renew<P: Payload>(event: &mut P, number: u64) {
    event.renew(alone(number));
}

/// The pause of a thread that has nothing to do just now.
#[derive(Clone, Debug)]
pub struct Idle {
    crowded: bool,
    looks: u32,
    since: Option<Instant>,
}

impl Idle {
    /// Between two of these, a thread that has its core alone may be preempted by one that has none.
    const LOOKS_BEFORE_YIELD: u32 = 1 << 16;
    const PATIENCE: Duration = Duration::from_secs(20);

    /// `crowded`: several threads share the core, so that the pause gives it away.
    pub fn new(crowded: bool) -> Idle {
        Idle {
            crowded,
            looks: 0,
            since: None,
        }
    }

    /// Something came, or there was room.
    #[inline(always)]
    pub fn reset(&mut self) {
        self.looks = 0;
        self.since = None;
    }

    #[inline(always)]
    pub fn rest(&mut self) {
        std::hint::spin_loop();
        self.looks += 1;
        if self.crowded {
            std::thread::yield_now();
        }
        if self.looks >= Self::LOOKS_BEFORE_YIELD {
            self.rest_longer();
        }
    }

    #[cold]
    #[inline(never)]
    fn rest_longer(&mut self) {
        std::thread::yield_now();
        self.looks = 0;
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() > Self::PATIENCE {
            give_up("a thread has waited for 20 seconds");
        }
    }
}

/// Ends the program: some peers' publishers cannot be called back from a wait.
#[cold]
pub fn give_up(why: &str) -> ! {
    eprintln!("compare: {why}: nothing that was measured counts");
    std::process::exit(1)
}

/// The ranges of at most `batch` numbers that `numbers` is made of.
#[inline(always)]
pub fn batches_of(numbers: Range<u64>, batch: usize) -> impl Iterator<Item = Range<u64>> {
    let mut from = numbers.start;
    std::iter::from_fn(move || {
        let to = numbers.end.min(from + batch as u64);
        let next = from..to;
        from = to;
        (!next.is_empty()).then_some(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringbus_benches::payload::Word;

    #[test]
    fn losses_are_counted() {
        let mut check = Check::default();
        for number in [0, 1, 4, 5] {
            check.see(&Word::new(number));
        }
        assert_eq!((check.next(), check.missed().ok()), (6, Some(2)));
    }

    #[test]
    fn disorder_is_seen_even_if_it_evens_out() {
        let mut check = Check::default();
        for number in [0, 2, 1, 3] {
            check.see(&Word::new(number));
        }
        assert!(check.missed().is_err());
    }

    #[test]
    fn batches_cover_all() {
        let batches: Vec<_> = batches_of(3..10, 3).collect();
        assert_eq!(batches, [3..6, 6..9, 9..10]);
    }
}
