//! `photon-ring`'s channels of plain data: the lossy one, which it calls its fastest, and the one that loses nothing.

use photon_ring::{Publisher, Subscribable, Subscriber, TryRecvError, channel, channel_bounded};
use ringbus_benches::payload::Event48;

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{CAPACITY, Plan};
use crate::latency::round::{self, Outcome, Receive};

type Words = [u64; 6];

pub fn lossy(plan: Plan) -> Result<Outcome, Error> {
    run(plan, channel(CAPACITY))
}

pub fn bounded(plan: Plan) -> Result<Outcome, Error> {
    run(plan, channel_bounded(CAPACITY, 0))
}

fn run(
    plan: Plan,
    (publisher, subscribable): (Publisher<Words>, Subscribable<Words>),
) -> Result<Outcome, Error> {
    round::run(plan, publisher, subscribable.subscribe())
}

impl Publish for Publisher<Words> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.try_publish(event.0).is_ok()
    }
}

impl Receive for Subscriber<Words> {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        match self.try_recv() {
            Ok(words) => {
                ear.hear(&Event48(words));
                Ok(true)
            }
            // What was missed shows in the next event's number.
            Err(TryRecvError::Empty | TryRecvError::Lagged { .. }) => Ok(false),
        }
    }
}
