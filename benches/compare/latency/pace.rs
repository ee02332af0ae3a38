//! The publishing end: each event at its time, by the clock.

use ringbus_benches::payload::Event48;

use super::ear::touched;
use super::plan::{Plan, WARM_INTERVAL, event};
use crate::error::Error;

/// Something that takes events.
pub trait Publish: Send {
    /// False if there was no room: it is offered again.
    fn offer(&mut self, event: Event48) -> bool;

    /// After the last event: ends threads that would disturb the next run.
    fn close(self)
    where
        Self: Sized,
    {
    }
}

/// The processor's counter may advance in steps (of 10 ns on some): sending at a different point of a step each time makes
/// of quantiles more than multiples of it. In nanoseconds.
const SPREAD: u64 = 50;

fn dither(number: u64) -> u64 {
    number * 17 % SPREAD
}

/// Between the warm-up and what counts, in nanoseconds: whoever lags catches up, whoever sleeps falls asleep.
const HALT: u64 = 1_000_000;
/// No room for so long, in nanoseconds, is for ever.
const GIVE_UP: u64 = 5_000_000_000;

/// Sends everything. How long each call took, in nanoseconds, from the clock's last look before it to the first after.
pub fn publish(publisher: &mut impl Publish, plan: &Plan) -> Result<Vec<u64>, Error> {
    let clock = plan.clock;
    let start = clock.now();
    for number in 0..plan.warm {
        let intended = start + number * WARM_INTERVAL;
        clock.wait_until(intended);
        offer(publisher, plan, number, intended)?;
    }
    let mut calls = touched(plan.events);
    let start = clock.now() + HALT;
    for (number, call) in (plan.warm..).zip(&mut calls) {
        let intended = start + (number - plan.warm) * plan.interval + dither(number);
        let begun = clock.wait_until(intended);
        offer(publisher, plan, number, intended)?;
        *call = clock.now() - begun;
    }
    Ok(calls)
}

#[inline(always)]
fn offer(
    publisher: &mut impl Publish,
    plan: &Plan,
    number: u64,
    intended: u64,
) -> Result<(), Error> {
    let event = event(number, intended);
    if publisher.offer(event) {
        return Ok(());
    }
    insist(publisher, plan, event)
}

#[cold]
fn insist(publisher: &mut impl Publish, plan: &Plan, event: Event48) -> Result<(), Error> {
    let deadline = plan.clock.now() + GIVE_UP;
    while !publisher.offer(event) {
        if plan.clock.now() > deadline {
            return Err("an event found no room for seconds".into());
        }
        std::hint::spin_loop();
    }
    Ok(())
}
