//! `tokio::sync::broadcast`, without a runtime: its `send` never waits, so a slow receiver misses events, which are
//! counted.

use std::ops::Range;

use ringbus_benches::payload::Payload;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::error::Error;
use crate::throughput::work::{Candidate, Check, Idle, Join, Publish, Subscribe, Work, make};

#[derive(Clone, Copy)]
pub struct Broadcast;

impl<P: Payload + Clone> Candidate<P> for Broadcast {
    type Publisher = Sender<P>;
    type Subscriber = Receiver<P>;
    const LOSSY: bool = true;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let (sender, receiver) = channel(work.capacity);
        let mut receivers = vec![receiver];
        receivers.extend((1..work.subscribers).map(|_| sender.subscribe()));
        Ok((sender, receivers))
    }
}

impl<P: Payload + Clone> Publish<P> for Sender<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, _: &mut Idle) {
        for number in numbers {
            // An error would say that no receiver is left.
            let _ = self.send(make::<P>(number));
        }
    }
}

impl<P: Payload + Clone> Join<P> for Sender<P> {
    type Late = Receiver<P>;

    fn join(&mut self) -> Result<Receiver<P>, Error> {
        Ok(self.subscribe())
    }
}

impl<P: Payload + Clone> Subscribe<P> for Receiver<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        loop {
            match self.try_recv() {
                Ok(event) => check.see(&event),
                // The gap shows in the next event's number.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty) => return Ok(check),
                Err(TryRecvError::Closed) => return Err("tokio's channel was closed".into()),
            }
        }
    }
}
