//! `disruptor` with event pollers: our threads receive, as with every other candidate.
//!
//! Its publishers wait for room themselves, in a bare loop. An event is mutated in place, so that what it owns is used
//! again.

use std::ops::Range;

use disruptor::{
    BusySpin, EventPoller, MultiConsumerBarrier, MultiProducer, MultiProducerBarrier, Polling,
    Producer, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier, build_multi_producer,
    build_single_producer,
};
use ringbus_benches::payload::Payload;

use crate::error::Error;
use crate::throughput::work::{
    Candidate, Check, Idle, Publish, Subscribe, Work, batches_of, renew,
};

/// One producer, one consumer: the barrier that is made for it.
pub struct Single;

/// One producer, several consumers.
pub struct SingleToMany;

/// Any number of producers, one consumer.
pub struct Multi;

impl<P: Payload> Candidate<P> for Single {
    type Publisher = Of<SingleProducer<P, SingleConsumerBarrier>>;
    type Subscriber = EventPoller<P, SingleProducerBarrier>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let builder = build_single_producer(work.capacity, || P::new(0), BusySpin);
        let (poller, builder) = builder.new_event_poller();
        Ok((Of(builder.build()), vec![poller]))
    }
}

impl<P: Payload> Candidate<P> for SingleToMany {
    type Publisher = Of<SingleProducer<P, MultiConsumerBarrier>>;
    type Subscriber = EventPoller<P, SingleProducerBarrier>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let mut builder =
            build_single_producer(work.capacity, || P::new(0), BusySpin).with_multi_consumer();
        let mut pollers = Vec::new();
        for _ in 0..work.subscribers {
            let (poller, next) = builder.new_event_poller();
            pollers.push(poller);
            builder = next;
        }
        Ok((Of(builder.build()), pollers))
    }
}

impl<P: Payload> Candidate<P> for Multi {
    type Publisher = Of<MultiProducer<P, SingleConsumerBarrier>>;
    type Subscriber = EventPoller<P, MultiProducerBarrier>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let builder = build_multi_producer(work.capacity, || P::new(0), BusySpin);
        let (poller, builder) = builder.new_event_poller();
        Ok((Of(builder.build()), vec![poller]))
    }
}

/// A producer of any kind.
pub struct Of<D>(pub D);

impl<P: Payload, D: Producer<P> + Send> Publish<P> for Of<D> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, _: &mut Idle) {
        for number in numbers {
            self.0.publish(|event| renew(event, number));
        }
    }

    #[inline]
    fn batches(&mut self, numbers: Range<u64>, batch: usize, _: &mut Idle) {
        for batch in batches_of(numbers, batch) {
            let count = (batch.end - batch.start) as usize;
            self.0.batch_publish(count, |events| {
                for (event, number) in events.zip(batch) {
                    renew(event, number);
                }
            });
        }
    }
}

macro_rules! subscribe {
    ($barrier:ident) => {
        impl<P: Payload> Subscribe<P> for EventPoller<P, $barrier> {
            #[inline]
            fn receive(&mut self, check: Check) -> Result<Check, Error> {
                let mut check = check;
                match self.poll() {
                    Ok(mut events) => (&mut events).for_each(|event| check.see(event)),
                    Err(Polling::NoEvents) => {}
                    Err(Polling::Shutdown) => return Err("disruptor was shut down".into()),
                }
                Ok(check)
            }
        }
    };
}
subscribe!(SingleProducerBarrier);
subscribe!(MultiProducerBarrier);
