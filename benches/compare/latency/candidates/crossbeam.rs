//! crossbeam's bounded channel, to a thread that blocks: one to one.

use crossbeam_channel::{Receiver, Sender, bounded};
use ringbus_benches::payload::Event48;

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{CAPACITY, Plan};
use crate::latency::round::{self, Outcome, Receive};

pub fn parked(plan: Plan) -> Result<Outcome, Error> {
    let (sender, receiver) = bounded(CAPACITY);
    round::run(plan, sender, receiver)
}

impl Publish for Sender<Event48> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.try_send(event).is_ok()
    }
}

impl Receive for Receiver<Event48> {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        Ok(self.recv().inspect(|event| ear.hear(event)).is_ok())
    }
}
