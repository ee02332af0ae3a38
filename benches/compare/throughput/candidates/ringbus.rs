//! Ours, at its gentlest: `try_report`, which waits for the slowest subscriber as the peers do, instead of dropping it.

use std::ops::Range;

use ringbus::{Bus, ExclusivePublisher, Pinning, Publisher, SlotLayout, Subscriber};
use ringbus_benches::payload::Payload;
use ringbus_benches::publisher::PublisherKind;

use crate::error::Error;
use crate::throughput::work::{
    Candidate, Check, Idle, Join, Publish, Subscribe, Work, batches_of, give_up, make, renew,
};

/// Any number of publishers.
#[derive(Clone, Copy)]
pub struct Many(pub SlotLayout);

/// One publisher.
#[derive(Clone, Copy)]
pub struct One(pub SlotLayout);

/// One publisher that takes what its slots held, so that buffers are used again.
pub struct Recycling;

/// One publisher that changes what its slots hold.
pub struct InPlace(pub SlotLayout);

/// A publisher of either kind, and its bus.
pub struct Ours<R: PublisherKind> {
    publisher: R,
    bus: Bus<R::Event, R::Mode>,
}

type Built<R, P> = Result<(Ours<R>, Vec<Subscriber<P>>), Error>;

fn build<P: Payload, R: PublisherKind<Event = P>>(work: &Work, slots: SlotLayout) -> Built<R, P> {
    // One worker, whose thread looks after the subscribers; it sleeps while they spin.
    let builder = Bus::builder()
        .capacity(work.capacity)
        .slots(slots)
        .pinning(Pinning::Cores(vec![work.cores.subscriber]));
    let (publisher, bus) = R::build(builder).map_err(|error| error.to_string())?;
    let subscribers: Result<_, _> = (0..work.subscribers).map(|_| subscribe(&bus)).collect();
    Ok((Ours { publisher, bus }, subscribers?))
}

fn subscribe<P: Payload, M>(bus: &Bus<P, M>) -> Result<Subscriber<P>, Error> {
    bus.subscribe().map_err(|error| error.to_string().into())
}

impl<P: Payload> Candidate<P> for Many {
    type Publisher = Ours<Publisher<P>>;
    type Subscriber = Subscriber<P>;

    fn build(&self, work: &Work) -> Built<Publisher<P>, P> {
        build(work, self.0)
    }
}

impl<P: Payload> Candidate<P> for One {
    type Publisher = Ours<ExclusivePublisher<P>>;
    type Subscriber = Subscriber<P>;

    fn build(&self, work: &Work) -> Built<ExclusivePublisher<P>, P> {
        build(work, self.0)
    }
}

impl<P: Payload, R: PublisherKind<Event = P>> Publish<P> for Ours<R> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        for number in numbers {
            let mut event = make::<P>(number);
            while let Err(refused) = self.publisher.try_report(event) {
                expect(refused.is_full());
                event = refused.into_inner();
                idle.rest();
            }
        }
    }

    #[inline]
    fn batches(&mut self, numbers: Range<u64>, batch: usize, idle: &mut Idle) {
        for Range { mut start, end } in batches_of(numbers, batch) {
            loop {
                let next = start + self.publisher.carried() as u64;
                let events = (next..end).map(make::<P>);
                start += self.publisher.try_report_batch(events) as u64;
                if start == end {
                    break;
                }
                idle.rest();
            }
        }
    }

    fn close(self) {
        self.publisher.stop(&self.bus);
    }
}

impl<P: Payload, R: PublisherKind<Event = P>> Join<P> for Ours<R> {
    type Late = Subscriber<P>;

    fn join(&mut self) -> Result<Subscriber<P>, Error> {
        subscribe(&self.bus)
    }
}

#[inline(always)]
fn expect(full: bool) {
    if !full {
        give_up("ringbus refused an event, and not for want of room");
    }
}

impl<P: Payload> Subscribe<P> for Subscriber<P> {
    #[inline]
    fn receive(&mut self, check: Check) -> Result<Check, Error> {
        let mut check = check;
        self.drain(usize::MAX, |event| check.see(event))
            .map_err(|error| error.to_string())?;
        Ok(check)
    }
}

impl<P: Payload> Candidate<P> for Recycling {
    type Publisher = OfRecycling<P>;
    type Subscriber = Subscriber<P>;

    fn build(&self, work: &Work) -> Result<(OfRecycling<P>, Vec<Subscriber<P>>), Error> {
        let (ours, subscribers) = build(work, SlotLayout::InLine)?;
        let capacity = work.capacity;
        Ok((OfRecycling { ours, capacity }, subscribers))
    }
}

pub struct OfRecycling<P: Payload> {
    ours: Ours<ExclusivePublisher<P>>,
    capacity: usize,
}

impl<P: Payload> Publish<P> for OfRecycling<P> {
    // `report_recycling` would drop a subscriber that leaves less than an eighth of the ring free, so that much is kept.
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        let publisher = &mut self.ours.publisher;
        let mut spare = P::new(0);
        let mut room = 0;
        for number in numbers {
            while room == 0 {
                room = publisher.free().saturating_sub(self.capacity / 4);
                if room == 0 {
                    idle.rest();
                }
            }
            room -= 1;
            renew(&mut spare, number);
            match publisher.report_recycling(spare) {
                Ok(old) => spare = old.unwrap_or_else(|| P::new(number)),
                Err(_) => give_up("ringbus refused an event"),
            }
        }
    }

    fn close(self) {
        self.ours.close();
    }
}

impl<P: Payload> Candidate<P> for InPlace {
    type Publisher = OfInPlace<P>;
    type Subscriber = Subscriber<P>;

    fn build(&self, work: &Work) -> Result<(OfInPlace<P>, Vec<Subscriber<P>>), Error> {
        let (ours, subscribers) = build(work, self.0)?;
        Ok((OfInPlace(ours), subscribers))
    }
}

pub struct OfInPlace<P: Payload>(Ours<ExclusivePublisher<P>>);

impl<P: Payload> Publish<P> for OfInPlace<P> {
    #[inline]
    fn one_by_one(&mut self, numbers: Range<u64>, idle: &mut Idle) {
        let publisher = &mut self.0.publisher;
        for number in numbers {
            while let Err(refused) = publisher.try_report_with(|event| renew(event, number)) {
                expect(refused.is_full());
                idle.rest();
            }
        }
    }

    #[inline]
    fn batches(&mut self, numbers: Range<u64>, batch: usize, idle: &mut Idle) {
        let publisher = &mut self.0.publisher;
        for Range { mut start, end } in batches_of(numbers, batch) {
            while start < end {
                let mut events = start..end;
                let some = publisher.try_report_batch_with((end - start) as usize, |slots| {
                    for (event, number) in slots.zip(&mut events) {
                        renew(event, number);
                    }
                });
                start += some as u64;
                if some == 0 {
                    idle.rest();
                }
            }
        }
    }

    fn close(self) {
        self.0.close();
    }
}
