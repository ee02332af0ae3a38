//! One run: a publisher and a healthy subscriber, and whoever else is there.

use std::sync::Arc;
use std::thread;

use ringbus::{Bus, OnLap, SubscribeOptions, Subscriber};
use ringbus_benches::payload::Event48;
use ringbus_benches::publisher::PublisherKind;

use crate::error::Error;
use crate::latency::pace::Publish;
use crate::latency::plan::Plan;
use crate::latency::ringbus::{Manner, Sender, Spinning};
use crate::latency::round::{self, Outcome, Signs, join};
use crate::place::Pinned;

/// Who else is there.
pub enum Company<M> {
    Nobody,
    /// A subscriber that never reads.
    Stalled,
    /// A thread on the subscriber's core. It says when it has arrived, sleeps most of the time, and leaves when the run is
    /// over.
    Visitor(Visit<M>),
}

pub type Visit<M> = fn(&Bus<Event48, M>, &Arc<Signs>) -> Result<(), Error>;

impl<M> Clone for Company<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Company<M> {}

pub fn run<R: PublisherKind<Event = Event48>>(
    plan: Plan,
    company: Company<R::Mode>,
) -> Result<Outcome, Error> {
    let mut sender = Sender::<R>::new(plan.cores, Manner::Evict)?;
    // Should the machine hold it up, it goes on, and what it missed is counted.
    let healthy = sender.subscribe(SubscribeOptions::new().on_lap(OnLap::Rejoin))?;
    let stalled = match company {
        Company::Stalled => Some(sender.subscribe(SubscribeOptions::new())?),
        Company::Nobody | Company::Visitor(_) => None,
    };
    let visit = match company {
        Company::Visitor(visit) => Some((visit, sender.bus.clone())),
        Company::Nobody | Company::Stalled => None,
    };
    let others = 1 + usize::from(visit.is_some());
    let signs = Arc::new(Signs::default());
    let (published, heard, visited) = thread::scope(|scope| {
        let visiting = visit.map(|(visit, bus)| {
            let signs = &signs;
            scope.spawn(move || {
                let pinned = Pinned::to(plan.cores.subscriber);
                visit(&bus, signs)?;
                pinned?.leave()?;
                Ok::<(), Error>(())
            })
        });
        let hearing = scope.spawn(|| round::listen(Spinning(healthy), plan, &signs));
        let publishing = scope.spawn(|| round::publish(&mut sender, plan, &signs, others));
        (
            join(publishing),
            join(hearing),
            visiting.map(join).transpose(),
        )
    });
    let was_dropped = stalled.as_ref().is_none_or(is_dropped);
    // A stop waits for subscribers.
    drop(stalled);
    sender.close();
    visited?;
    let outcome = round::outcome(published?, heard?)?;
    if !was_dropped {
        return Err("a subscriber that never read was not dropped".into());
    }
    Ok(outcome)
}

fn is_dropped(subscriber: &Subscriber<Event48>) -> bool {
    subscriber.eviction().is_some()
}
