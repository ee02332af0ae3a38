//! `bus`: one publisher; without blocking calls, which would park.

use std::ops::Range;

use bus::{Bus, BusReader};
use ringbus_benches::payload::Payload;

use crate::error::Error;
use crate::throughput::work::{Candidate, Check, Idle, Join, Publish, Subscribe, Work, make};

#[derive(Clone, Copy)]
pub struct Broadcast;

impl<P: Payload + Clone> Candidate<P> for Broadcast {
    type Publisher = Bus<P>;
    type Subscriber = BusReader<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let mut bus = Bus::new(work.capacity);
        let readers = (0..work.subscribers).map(|_| bus.add_rx()).collect();
        Ok((bus, readers))
    }
}

impl<P: Payload + Clone> Publish<P> for Bus<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        for number in numbers {
            let mut event = make::<P>(number);
            while let Err(refused) = self.try_broadcast(event) {
                event = refused;
                idle.rest();
            }
        }
    }
}

impl<P: Payload + Clone> Join<P> for Bus<P> {
    type Late = BusReader<P>;

    fn join(&mut self) -> Result<BusReader<P>, Error> {
        Ok(self.add_rx())
    }
}

impl<P: Payload + Clone> Subscribe<P> for BusReader<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        while let Ok(event) = self.try_recv() {
            check.see(&event);
        }
        Ok(check)
    }
}
