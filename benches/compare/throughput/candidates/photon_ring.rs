//! `photon-ring` in its two lossless modes: the bounded channel of plain data, and the event channel of anything.
//!
//! Its publishers wait for room themselves, spinning. In the bounded channel `publish_batch` publishes one by one, so
//! batches are left out.

use std::ops::Range;

use photon_ring::{
    EventPublisher, EventSubscriber, Pod, Publisher, Subscriber, channel_bounded, event_channel,
};
use ringbus_benches::payload::{Event48, Event200, Payload, Word};

use crate::error::Error;
use crate::throughput::work::{Candidate, Check, Idle, Publish, Subscribe, Work, make, renew};

/// An event of words only, as photon-ring's plain mode asks for it.
pub trait Plain: Payload + Copy {
    type Words: Pod;
    fn into_words(self) -> Self::Words;
    fn from_words(words: Self::Words) -> Self;
}

macro_rules! plain {
    ($payload:ident, $words:literal) => {
        impl Plain for $payload {
            type Words = [u64; $words];

            #[inline(always)]
            fn into_words(self) -> Self::Words {
                self.0
            }

            #[inline(always)]
            fn from_words(words: Self::Words) -> Self {
                Self(words)
            }
        }
    };
}
plain!(Word, 1);
plain!(Event48, 6);
plain!(Event200, 25);

/// `channel_bounded`: each subscriber takes a copy.
pub struct Bounded;

/// `event_channel`: slots are mutated and read in place.
pub struct Events;

impl<P: Plain> Candidate<P> for Bounded {
    type Publisher = Publisher<P::Words>;
    type Subscriber = Subscriber<P::Words>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let (publisher, subscribable) = channel_bounded(work.capacity, 0);
        let subscribers = (0..work.subscribers)
            .map(|_| subscribable.subscribe())
            .collect();
        Ok((publisher, subscribers))
    }
}

impl<P: Plain> Publish<P> for Publisher<P::Words> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, _: &mut Idle) {
        for number in numbers {
            self.publish(make::<P>(number).into_words());
        }
    }
}

impl<P: Plain> Subscribe<P> for Subscriber<P::Words> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        while let Ok(words) = self.try_recv() {
            check.see(&P::from_words(words));
        }
        Ok(check)
    }
}

impl<P: Payload> Candidate<P> for Events {
    type Publisher = EventPublisher<P>;
    type Subscriber = EventSubscriber<P>;

    fn build(&self, work: &Work) -> Result<(Self::Publisher, Vec<Self::Subscriber>), Error> {
        let (publisher, subscribable) = event_channel(work.capacity, || P::new(0));
        let subscribers = (0..work.subscribers)
            .map(|_| subscribable.subscribe())
            .collect();
        Ok((publisher, subscribers))
    }
}

impl<P: Payload> Publish<P> for EventPublisher<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, _: &mut Idle) {
        for number in numbers {
            self.publish(|event| renew(event, number));
        }
    }
}

impl<P: Payload> Subscribe<P> for EventSubscriber<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        while self.process(|event| check.see(event)).is_some() {}
        Ok(check)
    }
}
