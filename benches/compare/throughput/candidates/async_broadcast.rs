//! `async-broadcast`, without a runtime, in its lossless mode.

use std::ops::Range;

use async_broadcast::{Receiver, Sender, TrySendError, broadcast};
use ringbus_benches::payload::Payload;

use crate::error::Error;
use crate::throughput::work::{
    Candidate, Check, Idle, Join, Publish, Subscribe, Work, give_up, make,
};

#[derive(Clone, Copy)]
pub struct Broadcast;

impl<P: Payload + Clone> Candidate<P> for Broadcast {
    type Publisher = Sender<P>;
    type Subscriber = Receiver<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let (sender, receiver) = broadcast(work.capacity);
        let mut receivers = vec![receiver];
        receivers.extend((1..work.subscribers).map(|_| sender.new_receiver()));
        Ok((sender, receivers))
    }
}

impl<P: Payload + Clone> Publish<P> for Sender<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        for number in numbers {
            let mut event = make::<P>(number);
            loop {
                match self.try_broadcast(event) {
                    Ok(_) => break,
                    Err(TrySendError::Full(refused)) => event = refused,
                    Err(_) => give_up("async-broadcast refused an event"),
                }
                idle.rest();
            }
        }
    }
}

impl<P: Payload + Clone> Join<P> for Sender<P> {
    type Late = Receiver<P>;

    fn join(&mut self) -> Result<Receiver<P>, Error> {
        Ok(self.new_receiver())
    }
}

impl<P: Payload + Clone> Subscribe<P> for Receiver<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        while let Ok(event) = self.try_recv() {
            check.see(&event);
        }
        Ok(check)
    }
}
