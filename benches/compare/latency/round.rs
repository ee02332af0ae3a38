//! One run of one candidate: two threads, pinned, one event at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::ear::Ear;
use super::pace::{self, Publish};
use super::plan::Plan;
use crate::error::Error;
use crate::place::{Pinned, Stay};

/// Something that events come out of.
pub trait Receive: Send {
    /// Shows `ear` the next event. False if there was none; one that sleeps until there is also says so at the end of
    /// the stream, and now and then.
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error>;
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// From the intended time of sending to the receiver's clock, each event, in nanoseconds.
    pub one_way: Vec<u64>,
    /// Each call of the publisher's, in nanoseconds.
    pub calls: Vec<u64>,
    pub lost: u64,
    pub preemptions: u64,
}

/// What the threads tell each other besides events.
#[derive(Debug, Default)]
pub struct Signs {
    arrived: AtomicUsize,
    over: AtomicBool,
}

impl Signs {
    /// The calling thread is at its place.
    pub fn arrive(&self) {
        self.arrived.fetch_add(1, Ordering::Release);
    }

    fn await_arrivals(&self, count: usize) -> Result<(), Error> {
        let start = Instant::now();
        while self.arrived.load(Ordering::Acquire) < count {
            if start.elapsed() > Duration::from_secs(20) {
                return Err("a thread never came to its place".into());
            }
            thread::yield_now();
        }
        Ok(())
    }

    /// Nothing more will be sent.
    pub fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// What the publisher's thread has to say.
pub struct Published {
    calls: Vec<u64>,
    stay: Stay,
}

/// What the receiver's thread has to say.
pub struct Heard {
    pub ear: Ear,
    pub stay: Stay,
}

pub fn run(
    plan: Plan,
    mut publisher: impl Publish,
    receiver: impl Receive,
) -> Result<Outcome, Error> {
    let signs = Signs::default();
    thread::scope(|scope| {
        let hearing = scope.spawn(|| listen(receiver, plan, &signs));
        let publishing = scope.spawn(|| {
            let published = publish(&mut publisher, plan, &signs, 1);
            // Whatever came of it: a receiver that sleeps may wait for the end of the stream.
            publisher.close();
            published
        });
        let published = join(publishing);
        outcome(published?, join(hearing)?)
    })
}

/// The publisher's thread. It begins when so many others are at their places.
pub fn publish(
    publisher: &mut impl Publish,
    plan: Plan,
    signs: &Signs,
    others: usize,
) -> Result<Published, Error> {
    let sent = signs.await_arrivals(others).and_then(|()| {
        let pinned = Pinned::to(plan.cores.publisher)?;
        let calls = pace::publish(publisher, &plan)?;
        let stay = pinned.leave()?;
        Ok(Published { calls, stay })
    });
    signs.end();
    sent
}

/// The receiver's thread.
pub fn listen(mut receiver: impl Receive, plan: Plan, signs: &Signs) -> Result<Heard, Error> {
    let mut ear = Ear::new(plan);
    let pinned = Pinned::to(plan.cores.subscriber);
    signs.arrive();
    while !ear.is_done() {
        if receiver.receive(&mut ear)? {
            continue;
        }
        // What was sent before is there now, if it comes at all.
        if signs.is_over() && !receiver.receive(&mut ear)? {
            break;
        }
    }
    let stay = pinned?.leave()?;
    Ok(Heard { ear, stay })
}

pub fn outcome(published: Published, heard: Heard) -> Result<Outcome, Error> {
    let (one_way, lost) = heard.ear.finish()?;
    Ok(Outcome {
        one_way,
        calls: published.calls,
        lost,
        preemptions: published.stay.preemptions + heard.stay.preemptions,
    })
}

pub fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
