//! A bus under test: ours in its two kinds, and whatever else the harness is held against.

use crate::event::{Body, Event};
use crate::role::Role;
use crate::signal;
use ringbus::{
    BusBuilder, Clock, Exclusive, ExclusivePublisher, OnLap, Pinning, Publish, RecvTimeoutError,
    SubscribeOptions, TryRecvError, WaitStrategy,
};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How a subscriber waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Spin,
    Park,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Event,
    Empty,
    /// It was dropped, told so, and is back; so many sequences were missed at most.
    Missed(u64),
    /// It was dropped, and the bus ended before it was back.
    Lost,
    Closed,
}

pub(crate) trait Bus<B: Body>: Send + Sync + 'static {
    type Publisher: Publisher<B>;
    type Subscriber: Subscriber<B>;

    /// Whether it has a thread of its own.
    const HAS_WORKER: bool;

    fn publisher(&self) -> Self::Publisher;
    fn subscribe(&self, how: How) -> Option<Self::Subscriber>;
    /// Drops it, as the host.
    fn unsubscribe(&self, subscriber: &Self::Subscriber);
    /// No more events; called when the publishers are gone.
    fn close(&self);
    fn figures(&self) -> String;
}

pub(crate) trait Publisher<B: Body>: Send + 'static {
    fn report(&mut self, event: Event<B>);
    fn report_batch(&mut self, events: &mut dyn Iterator<Item = Event<B>>);
}

pub(crate) trait Subscriber<B: Body>: Send + 'static {
    /// Looks, and calls `seen` for the next event, in place.
    fn next(&mut self, seen: &mut dyn FnMut(&Event<B>)) -> Next;
}

/// The slots of every bus here: few, so that laps are short.
pub(crate) const CAPACITY: u64 = 1024;

/// Lets the worker count its turns: it reads the clock in each.
struct Counting {
    worker: Arc<Role>,
    origin: Instant,
}

impl Clock for Counting {
    fn now(&self) -> Duration {
        let is_worker = |name: &str| name.starts_with("ringbus-");
        if thread::current().name().is_some_and(is_worker) {
            self.worker.starts(signal::thread_id());
            self.worker.turned();
        }
        self.origin.elapsed()
    }
}

fn builder<B: Body>(worker: &Arc<Role>) -> BusBuilder<Event<B>> {
    ringbus::Bus::<Event<B>>::builder()
        .capacity(CAPACITY as usize)
        .pinning(Pinning::Off)
        .max_nap(Duration::from_millis(2))
        .clock(Counting {
            worker: Arc::clone(worker),
            origin: Instant::now(),
        })
}

/// A bus that any thread reports to.
pub(crate) struct Shared<B: Body>(ringbus::Bus<Event<B>>);

impl<B: Body> Shared<B> {
    pub(crate) fn new(worker: &Arc<Role>) -> Self {
        Shared(builder(worker).build().unwrap())
    }

    /// With a worker that never sleeps: its freezes land within its turns.
    pub(crate) fn restless(worker: &Arc<Role>) -> Self {
        let builder = builder(worker).wait(WaitStrategy::Yield);
        Shared(builder.build().unwrap())
    }
}

/// A bus with a publisher of its own.
pub(crate) struct Alone<B: Body> {
    bus: ringbus::Bus<Event<B>, Exclusive>,
    publisher: Mutex<Option<ExclusivePublisher<Event<B>>>>,
}

impl<B: Body> Alone<B> {
    pub(crate) fn new(worker: &Arc<Role>) -> Self {
        let (publisher, bus) = builder(worker).build_exclusive().unwrap();
        Alone {
            bus,
            publisher: Mutex::new(Some(publisher)),
        }
    }
}

impl<B: Body> Bus<B> for Shared<B> {
    type Publisher = ringbus::Publisher<Event<B>>;
    type Subscriber = Reader<B>;
    const HAS_WORKER: bool = true;

    fn publisher(&self) -> Self::Publisher {
        self.0.publisher()
    }

    fn subscribe(&self, how: How) -> Option<Reader<B>> {
        Reader::of(&self.0, how)
    }

    fn unsubscribe(&self, reader: &Reader<B>) {
        self.0.unsubscribe(reader.subscriber.id());
    }

    fn close(&self) {
        self.0.close();
    }

    fn figures(&self) -> String {
        figures(&self.0)
    }
}

impl<B: Body> Bus<B> for Alone<B> {
    type Publisher = ExclusivePublisher<Event<B>>;
    type Subscriber = Reader<B>;
    const HAS_WORKER: bool = true;

    fn publisher(&self) -> Self::Publisher {
        self.publisher.lock().unwrap().take().unwrap()
    }

    fn subscribe(&self, how: How) -> Option<Reader<B>> {
        Reader::of(&self.bus, how)
    }

    fn unsubscribe(&self, reader: &Reader<B>) {
        self.bus.unsubscribe(reader.subscriber.id());
    }

    /// Its publisher did, when it was dropped.
    fn close(&self) {}

    fn figures(&self) -> String {
        figures(&self.bus)
    }
}

fn figures<B: Body, M>(bus: &ringbus::Bus<Event<B>, M>) -> String {
    let stats = bus.stats();
    let worker = &stats.workers[0];
    format!(
        "{} events, {} holes, {} of them claims taken from a publisher that hung; drops by reason {:?}, wakes {}, exhausted {}",
        worker.published,
        worker.holes,
        worker.abandoned,
        worker.evicted,
        worker.wakes,
        worker.exhausted
    )
}

impl<B: Body, P: Publish<Event<B>> + Send + 'static> Publisher<B> for P {
    fn report(&mut self, event: Event<B>) {
        Publish::report(self, event).expect("accepted");
    }

    fn report_batch(&mut self, events: &mut dyn Iterator<Item = Event<B>>) {
        Publish::report_batch(self, events).expect("accepted");
    }
}

/// A subscriber of ours.
pub(crate) struct Reader<B: Body> {
    subscriber: ringbus::Subscriber<Event<B>>,
    how: How,
}

impl<B: Body> Reader<B> {
    fn of<M>(bus: &ringbus::Bus<Event<B>, M>, how: How) -> Option<Self> {
        let options = match how {
            // A limit that is hardly ever reached: the worker looks at it every millisecond, and so has turns to count.
            How::Spin => SubscribeOptions::new()
                .lag_limit(CAPACITY - 1, Duration::from_millis(4))
                .wait(WaitStrategy::Spin),
            How::Park => SubscribeOptions::new()
                .on_lap(OnLap::Rejoin)
                .wait(WaitStrategy::Park),
        };
        let subscriber = bus.subscribe_with(options).ok()?;
        Some(Reader { subscriber, how })
    }

    /// What a parked one does: after a while without events it shows that it can.
    fn wait(&mut self, seen: &mut dyn FnMut(&Event<B>)) -> Result<(), TryRecvError> {
        let event = match self.how {
            How::Spin => self.subscriber.try_recv()?,
            How::Park => match self.subscriber.recv_timeout(Duration::from_millis(10)) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => return Err(TryRecvError::Empty),
                Err(RecvTimeoutError::Lagged(missed)) => return Err(TryRecvError::Lagged(missed)),
                Err(RecvTimeoutError::Evicted(how)) => return Err(TryRecvError::Evicted(how)),
                Err(error) => {
                    assert!(error.is_closed(), "{error}");
                    return Err(TryRecvError::Closed);
                }
            },
        };
        seen(&event);
        Ok(())
    }
}

impl<B: Body> Subscriber<B> for Reader<B> {
    fn next(&mut self, seen: &mut dyn FnMut(&Event<B>)) -> Next {
        match self.wait(seen) {
            Ok(()) => Next::Event,
            Err(TryRecvError::Empty) => Next::Empty,
            Err(TryRecvError::Lagged(missed)) => Next::Missed(missed),
            Err(TryRecvError::Evicted(_)) => match self.subscriber.rejoin() {
                Ok(missed) => Next::Missed(missed),
                Err(_) => Next::Lost,
            },
            Err(_) => Next::Closed,
        }
    }
}
