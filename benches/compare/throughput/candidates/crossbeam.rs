//! `crossbeam-channel`: not a broadcast, so one bounded channel for each subscriber.

use std::ops::Range;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use ringbus_benches::payload::Payload;

use crate::error::Error;
use crate::throughput::work::{Candidate, Check, Idle, Publish, Subscribe, Work, give_up, make};

pub struct Channels;

impl<P: Payload> Candidate<P> for Channels {
    type Publisher = Vec<Sender<P>>;
    type Subscriber = Receiver<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        Ok((0..work.subscribers)
            .map(|_| bounded(work.capacity))
            .unzip())
    }
}

impl<P: Payload> Publish<P> for Vec<Sender<P>> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        for number in numbers {
            for sender in self.iter() {
                let mut event = make::<P>(number);
                while let Err(refused) = sender.try_send(event) {
                    match refused {
                        TrySendError::Full(refused) => event = refused,
                        TrySendError::Disconnected(_) => give_up("a channel was closed"),
                    }
                    idle.rest();
                }
            }
        }
    }
}

impl<P: Payload> Subscribe<P> for Receiver<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        while let Ok(event) = self.try_recv() {
            check.see(&event);
        }
        Ok(check)
    }
}
