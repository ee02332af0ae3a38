//! One run of one candidate: the same threads, the same checks for all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use ringbus_benches::payload::Payload;

use super::work::{Candidate, Check, Idle, Publish, Subscribe, Work, give_up};
use crate::error::Error;
use crate::place::{Misplaced, Pinned, Stay};

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// In the contest's unit: events a second that every subscriber received, or nanoseconds.
    pub value: f64,
    /// From the first publish to the last receipt.
    pub spent: Duration,
    pub lost: u64,
    pub preemptions: u64,
}

/// The work, and how often: `warm` events first, a halt until all of them have arrived, then `events` by the clock.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub work: Work,
    pub warm: u64,
    pub events: u64,
}

impl Plan {
    /// Enough to warm up for every slot to have been used, and for caches and branches to know their part.
    pub fn new(work: &Work, events: u64) -> Plan {
        Plan {
            work: *work,
            warm: (work.capacity as u64 * 3 / 2).max(4096),
            events,
        }
    }

    /// The number after the last.
    pub fn end(&self) -> u64 {
        self.warm + self.events
    }
}

/// Where threads wait for each other, outside of what is measured.
#[derive(Default)]
pub struct Gate {
    arrived: CachePadded<AtomicUsize>,
}

impl Gate {
    pub fn arrive(&self) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
    }

    pub fn await_all(&self, count: usize) {
        let start = Instant::now();
        while self.arrived.load(Ordering::Acquire) < count {
            thread::yield_now();
            if start.elapsed() > Duration::from_secs(20) {
                give_up("a thread never came to the start");
            }
        }
    }
}

/// The subscribers' gates: all are there; all have seen the warm-up.
#[derive(Default)]
pub struct Gates {
    pub ready: Gate,
    pub warmed: Gate,
}

/// What one subscriber saw.
pub struct Received {
    pub end: Instant,
    pub check: Check,
    pub stay: Stay,
}

/// One run, on threads of its own.
pub fn run<P: Payload, C: Candidate<P>>(candidate: &C, plan: Plan) -> Result<Outcome, Error> {
    let gates = Gates::default();
    let (publisher, subscribers) = candidate.build(&plan.work)?;
    thread::scope(|scope| {
        let gates = &gates;
        let receiving: Vec<_> = subscribers
            .into_iter()
            .map(|subscriber| scope.spawn(move || receive(subscriber, plan, gates)))
            .collect();
        let publishing = scope.spawn(move || publish(publisher, plan, gates));
        let received: Vec<_> = receiving.into_iter().map(join).collect();
        let (begin, published, publisher) = join(publishing)?;
        publisher.close();
        let received: Result<Vec<_>, Misplaced> = received.into_iter().collect();
        outcome(begin, published, &received?, plan, C::LOSSY)
    })
}

/// The publisher's thread. It gives the publisher back: some close their channel when they are dropped.
pub fn publish<P: Payload, S: Publish<P>>(
    mut publisher: S,
    plan: Plan,
    gates: &Gates,
) -> Result<(Instant, Stay, S), Misplaced> {
    // A failure is told at the end: until then the others wait for events.
    let pinned = Pinned::to(plan.work.cores.publisher);
    let mut idle = Idle::new(false);
    let batch = plan.work.batch;
    let mut publish = |numbers| match batch {
        1 => publisher.one_by_one(numbers, &mut idle),
        _ => publisher.batches(numbers, batch, &mut idle),
    };
    gates.ready.await_all(plan.work.subscribers);
    publish(0..plan.warm);
    gates.warmed.await_all(plan.work.subscribers);
    let begin = Instant::now();
    publish(plan.warm..plan.end());
    Ok((begin, pinned?.leave()?, publisher))
}

fn receive<P: Payload>(
    mut subscriber: impl Subscribe<P>,
    plan: Plan,
    gates: &Gates,
) -> Result<Received, Misplaced> {
    let pinned = Pinned::to(plan.work.cores.subscriber);
    let mut idle = Idle::new(plan.work.subscribers > 1);
    let mut check = Check::default();
    gates.ready.arrive();
    receive_until(&mut subscriber, &mut check, plan.warm, &mut idle);
    check.forget_missed();
    gates.warmed.arrive();
    receive_until(&mut subscriber, &mut check, plan.end(), &mut idle);
    let end = Instant::now();
    let stay = pinned?.leave()?;
    Ok(Received { end, check, stay })
}

#[inline(always)]
fn receive_until<P: Payload>(
    subscriber: &mut impl Subscribe<P>,
    check: &mut Check,
    next: u64,
    idle: &mut Idle,
) {
    while check.next() < next {
        let after = subscriber.receive(*check).unwrap_or_else(|error| {
            // Its publisher may be waiting for it, for ever.
            give_up(&error.to_string())
        });
        if after.next() == check.next() {
            idle.rest();
        } else {
            idle.reset();
        }
        *check = after;
    }
}

/// Counts up; an error if events are missing that may not.
pub fn outcome(
    begin: Instant,
    published: Stay,
    received: &[Received],
    plan: Plan,
    lossy: bool,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome {
        preemptions: published.preemptions,
        ..Outcome::default()
    };
    for received in received {
        outcome.lost += received.check.missed()?;
        outcome.preemptions += received.stay.preemptions;
        outcome.spent = outcome.spent.max(received.end.duration_since(begin));
    }
    if outcome.lost > 0 && !lossy {
        return Err(format!("{} events were lost", outcome.lost).into());
    }
    let lost_each = outcome.lost as f64 / received.len() as f64;
    outcome.value = (plan.events as f64 - lost_each).max(0.0) / outcome.spent.as_secs_f64();
    Ok(outcome)
}

pub fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
