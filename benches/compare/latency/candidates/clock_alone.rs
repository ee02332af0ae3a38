//! Nobody sends and nobody receives: what the clock and the pacing put into every latency.

use std::thread;

use ringbus_benches::payload::Event48;

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::{self, Publish};
use crate::latency::plan::Plan;
use crate::latency::round::{Outcome, join};
use crate::place::Pinned;

/// The receiver's end, on the publisher's thread.
struct Heard(Ear);

impl Publish for Heard {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.0.hear(&event);
        true
    }
}

/// A call that does nothing.
struct Nothing;

impl Publish for Nothing {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        std::hint::black_box(&event);
        true
    }
}

/// From the intended time to the clock's next look.
pub fn one_way(plan: Plan) -> Result<Outcome, Error> {
    let mut heard = Heard(Ear::new(plan));
    let mut outcome = paced(plan, &mut heard)?;
    (outcome.one_way, outcome.lost) = heard.0.finish()?;
    Ok(outcome)
}

/// From one look at the clock to the next.
pub fn calls(plan: Plan) -> Result<Outcome, Error> {
    paced(plan, &mut Nothing)
}

fn paced(plan: Plan, publisher: &mut impl Publish) -> Result<Outcome, Error> {
    thread::scope(|scope| {
        join(scope.spawn(|| {
            let pinned = Pinned::to(plan.cores.publisher)?;
            Ok(Outcome {
                calls: pace::publish(publisher, &plan)?,
                preemptions: pinned.leave()?.preemptions,
                ..Outcome::default()
            })
        }))
    })
}
