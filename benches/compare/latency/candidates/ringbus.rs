//! Ours: one publisher or any number, a subscriber that spins or one that parks.

use ringbus::{Bus, Pinning, SubscribeOptions, Subscriber, WaitStrategy};
use ringbus_benches::payload::Event48;
use ringbus_benches::publisher::PublisherKind;
use tokio::runtime::Runtime;

use super::tokio::runtime;
use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{CAPACITY, Plan};
use crate::latency::round::{self, Outcome, Receive};
use crate::place::Cores;

/// What a publisher does when the ring is full, and after each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `try_report` until there is room.
    Wait,
    /// The same, and the worker is woken after each event.
    WaitAndWake,
    /// `report`, which drops whoever is in the way.
    Evict,
}

pub struct Sender<R: PublisherKind<Event = Event48>> {
    publisher: R,
    pub bus: Bus<Event48, R::Mode>,
    manner: Manner,
}

impl<R: PublisherKind<Event = Event48>> Sender<R> {
    /// The worker's thread is on the subscriber's core.
    pub fn new(cores: Cores, manner: Manner) -> Result<Sender<R>, Error> {
        let builder = Bus::builder()
            .capacity(CAPACITY)
            .pinning(Pinning::Cores(vec![cores.subscriber]));
        let (publisher, bus) = R::build(builder).map_err(|error| error.to_string())?;
        Ok(Sender {
            publisher,
            bus,
            manner,
        })
    }

    pub fn subscribe(&self, options: SubscribeOptions) -> Result<Subscriber<Event48>, Error> {
        let subscriber = self.bus.subscribe_with(options);
        Ok(subscriber.map_err(|error| error.to_string())?)
    }
}

impl<R: PublisherKind<Event = Event48>> Publish for Sender<R> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        match self.manner {
            Manner::Evict => self.publisher.report(event).is_ok(),
            Manner::Wait => self.publisher.try_report(event).is_ok(),
            Manner::WaitAndWake => {
                let taken = self.publisher.try_report(event).is_ok();
                self.publisher.wake();
                taken
            }
        }
    }

    fn close(self) {
        self.publisher.stop(&self.bus);
    }
}

pub struct Spinning(pub Subscriber<Event48>);

pub struct Parked(pub Subscriber<Event48>);

impl Receive for Spinning {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        match self.0.try_recv() {
            Ok(event) => {
                ear.hear(&event);
                Ok(true)
            }
            // What was missed shows in the next event's number, or at the end; one that was dropped cannot rejoin a bus
            // that has ended meanwhile.
            Err(_) => Ok(false),
        }
    }
}

impl Receive for Parked {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        match self.0.recv() {
            Ok(event) => {
                ear.hear(&event);
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }
}

/// A task that a runtime polls on the receiver's thread.
pub struct Task {
    runtime: Runtime,
    subscriber: Subscriber<Event48>,
}

impl Receive for Task {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        let received = self.runtime.block_on(self.subscriber.recv_async());
        Ok(received.inspect(|event| ear.hear(event)).is_ok())
    }
}

pub fn spinning<R: PublisherKind<Event = Event48>>(
    plan: Plan,
    manner: Manner,
) -> Result<Outcome, Error> {
    let sender = Sender::<R>::new(plan.cores, manner)?;
    let on_lap = match manner {
        Manner::Evict => ringbus::OnLap::Rejoin,
        Manner::Wait | Manner::WaitAndWake => ringbus::OnLap::Evict,
    };
    let subscriber = sender.subscribe(SubscribeOptions::new().on_lap(on_lap))?;
    round::run(plan, sender, Spinning(subscriber))
}

pub fn parked<R: PublisherKind<Event = Event48>>(
    plan: Plan,
    manner: Manner,
) -> Result<Outcome, Error> {
    let sender = Sender::<R>::new(plan.cores, manner)?;
    let subscriber = sender.subscribe(SubscribeOptions::new().wait(WaitStrategy::Park))?;
    round::run(plan, sender, Parked(subscriber))
}

pub fn task<R: PublisherKind<Event = Event48>>(
    plan: Plan,
    manner: Manner,
) -> Result<Outcome, Error> {
    let sender = Sender::<R>::new(plan.cores, manner)?;
    let subscriber = sender.subscribe(SubscribeOptions::new())?;
    let runtime = runtime()?;
    round::run(
        plan,
        sender,
        Task {
            runtime,
            subscriber,
        },
    )
}
