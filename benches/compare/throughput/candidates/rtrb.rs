//! `rtrb`: one to one, not a broadcast: what a queue can do that knows of one reader only.

use std::ops::Range;

use ringbus_benches::payload::Payload;
use rtrb::{Consumer, Producer, PushError, RingBuffer};

use crate::error::Error;
use crate::throughput::work::{Candidate, Check, Idle, Publish, Subscribe, Work, batches_of, make};

pub struct OneToOne;

impl<P: Payload> Candidate<P> for OneToOne {
    type Publisher = Producer<P>;
    type Subscriber = Consumer<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let (producer, consumer) = RingBuffer::new(work.capacity);
        Ok((producer, vec![consumer]))
    }
}

impl<P: Payload> Publish<P> for Producer<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        for number in numbers {
            let mut event = make::<P>(number);
            while let Err(PushError::Full(refused)) = self.push(event) {
                event = refused;
                idle.rest();
            }
        }
    }

    #[inline]
    fn batches(&mut self, numbers: Range<u64>, batch: usize, idle: &mut Idle) {
        for batch in batches_of(numbers, batch) {
            let count = (batch.end - batch.start) as usize;
            let chunk = loop {
                match self.write_chunk_uninit(count) {
                    Ok(chunk) => break chunk,
                    Err(_) => idle.rest(),
                }
            };
            chunk.fill_from_iter(batch.map(make::<P>));
        }
    }
}

impl<P: Payload> Subscribe<P> for Consumer<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        let ready = self.slots();
        if ready > 0 {
            let chunk = self.read_chunk(ready).map_err(|error| error.to_string())?;
            for event in chunk {
                check.see(&event);
            }
        }
        Ok(check)
    }
}
