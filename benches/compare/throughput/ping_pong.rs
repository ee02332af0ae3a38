//! A ping-pong over two buses: one event there, one back, and nothing else under way.
//!
//! At a fixed rate a receiver waits longer for each event than the event takes. Here the answer
//! comes as soon as it can, so that whatever a receiver does between two events shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;
use disruptor::{BusySpin, EventPoller, Producer, SingleProducerBarrier, build_single_producer};
use ringbus::{
    Bus, Drive, ExclusivePublisher, Publish, Publisher, SubscribeOptions, Subscriber, WaitStrategy,
};
use ringbus_benches::payload::{Payload, Word};
use ringbus_benches::publisher::PublisherKind;

use super::contest::{Contest, Entrant};
use super::driver::{Outcome, join};
use crate::error::Error;
use crate::place::{Cores, Pinned};
use crate::record::Bound::AtMost;
use crate::record::Unit;

const CAPACITY: usize = 1024;

/// Round trips before the clock runs.
const WARM: u64 = 2_000;

/// What limits are compared with.
const FLAG: &str = "raw flag";

/// The end of a bus that sends.
trait Transmit: Send {
    fn transmit(&mut self, number: u64);
}

/// The end of a bus that receives: it spins until the next event is there.
trait Await: Send {
    fn await_next(&mut self) -> u64;
}

pub fn all(cores: Cores) -> Vec<Contest> {
    [Way::Recv, Way::TryRecv, Way::Drain]
        .map(|way| contest(cores, way))
        .into()
}

/// How a subscriber of ours receives.
#[derive(Clone, Copy, Debug)]
enum Way {
    Recv,
    TryRecv,
    Drain,
}

fn contest(cores: Cores, way: Way) -> Contest {
    let name = match way {
        Way::Recv => "recv",
        Way::TryRecv => "try_recv",
        Way::Drain => "drain",
    };
    let entrants = vec![
        entrant(cores, "ringbus", move || {
            ours::<ExclusivePublisher<Word>>(way)
        }),
        entrant(cores, "ringbus, shared", move || {
            ours::<Publisher<Word>>(way)
        }),
        entrant(cores, "disruptor", disruptor_ends),
        entrant(cores, "photon-ring", || {
            let (publisher, subscribable) = photon_ring::channel_bounded(CAPACITY, 0);
            Ok((publisher, subscribable.subscribe()))
        }),
        entrant(cores, "crossbeam-channel", || {
            Ok(crossbeam_channel::bounded(CAPACITY))
        }),
        entrant(cores, FLAG, flag),
    ];
    Contest {
        group: "ping-pong",
        name: format!("8 B, one way, ours by {name}"),
        unit: Unit::Nanoseconds,
        placement: format!(
            "one thread on core {}, one on core {}; no worker thread",
            cores.publisher, cores.subscriber
        ),
        entrants,
        targets: Vec::new(),
    }
    .target(&[FLAG], AtMost(1.4))
}

/// Nanoseconds one way: half of a round trip.
fn entrant<S: Transmit, R: Await>(
    cores: Cores,
    name: &str,
    ends: impl Fn() -> Result<(S, R), Error> + 'static,
) -> Entrant {
    Entrant::new(name, move |rounds| {
        let (mut there, mut at_echo) = ends()?;
        let (mut back, mut at_home) = ends()?;
        let all = WARM + rounds;
        thread::scope(|scope| {
            let echo = scope.spawn(move || {
                let pinned = Pinned::to(cores.subscriber);
                for _ in 0..all {
                    back.transmit(at_echo.await_next());
                }
                pinned?.leave()
            });
            let home = scope.spawn(move || {
                let pinned = Pinned::to(cores.publisher);
                let mut start = Instant::now();
                let mut wrong = 0;
                for number in 0..all {
                    if number == WARM {
                        start = Instant::now();
                    }
                    there.transmit(number);
                    wrong |= number ^ at_home.await_next();
                }
                let spent = start.elapsed();
                pinned?.leave().map(|stay| (spent, stay, wrong))
            });
            let (spent, stay, wrong) = join(home)?;
            let echo = join(echo)?;
            if wrong != 0 {
                return Err("an answer was not what was sent".into());
            }
            Ok(Outcome {
                value: spent.as_nanos() as f64 / rounds as f64 / 2.0,
                spent,
                lost: 0,
                preemptions: stay.preemptions + echo.preemptions,
            })
        })
    })
}

/// A publisher of ours, of either kind.
struct Reporter<R>(R);

/// A subscriber of ours.
struct Reader {
    subscriber: Subscriber<Word>,
    way: Way,
}

fn ours<R: PublisherKind<Event = Word>>(way: Way) -> Result<(Reporter<R>, Reader), Error> {
    let builder = Bus::builder().capacity(CAPACITY).drive(Drive::Manual);
    let (publisher, bus) = R::build(builder).map_err(|error| error.to_string())?;
    let subscriber = bus.subscribe_with(SubscribeOptions::new().wait(WaitStrategy::Spin));
    let subscriber = subscriber.map_err(|error| error.to_string())?;
    Ok((Reporter(publisher), Reader { subscriber, way }))
}

impl<R: Publish<Word> + Send> Transmit for Reporter<R> {
    #[inline]
    fn transmit(&mut self, number: u64) {
        assert!(self.0.report(Word::new(number)).is_ok());
    }
}

impl Await for Reader {
    #[inline]
    fn await_next(&mut self) -> u64 {
        match self.way {
            Way::Recv => loop {
                if let Ok(event) = self.subscriber.recv() {
                    return event.number();
                }
            },
            Way::TryRecv => loop {
                if let Ok(event) = self.subscriber.try_recv() {
                    return event.number();
                }
                std::hint::spin_loop();
            },
            Way::Drain => loop {
                let mut number = None;
                let drained = self
                    .subscriber
                    .drain(1, |event| number = Some(event.number()));
                if let (Ok(1), Some(number)) = (drained, number) {
                    return number;
                }
                std::hint::spin_loop();
            },
        }
    }
}

type Poller = EventPoller<Word, SingleProducerBarrier>;

/// A producer of disruptor's, whose type cannot be named.
struct Of<D>(D);

fn disruptor_ends() -> Result<(Of<impl Producer<Word> + Send>, Poller), Error> {
    let builder = build_single_producer(CAPACITY, || Word::new(0), BusySpin);
    let (poller, builder) = builder.new_event_poller();
    Ok((Of(builder.build()), poller))
}

impl<D: Producer<Word> + Send> Transmit for Of<D> {
    #[inline]
    fn transmit(&mut self, number: u64) {
        self.0.publish(|slot| *slot = Word::new(number));
    }
}

impl Await for Poller {
    #[inline]
    fn await_next(&mut self) -> u64 {
        loop {
            if let Ok(mut events) = self.poll()
                && let Some(event) = (&mut events).next()
            {
                return event.number();
            }
            std::hint::spin_loop();
        }
    }
}

impl Transmit for photon_ring::Publisher<u64> {
    #[inline]
    fn transmit(&mut self, number: u64) {
        self.publish(number);
    }
}

impl Await for photon_ring::Subscriber<u64> {
    #[inline]
    fn await_next(&mut self) -> u64 {
        self.recv()
    }
}

impl Transmit for crossbeam_channel::Sender<u64> {
    #[inline]
    fn transmit(&mut self, number: u64) {
        assert!(self.send(number).is_ok());
    }
}

impl Await for crossbeam_channel::Receiver<u64> {
    #[inline]
    fn await_next(&mut self) -> u64 {
        loop {
            if let Ok(number) = self.try_recv() {
                return number;
            }
            std::hint::spin_loop();
        }
    }
}

/// One more than the number that was sent last: 0 is nothing yet.
type Flag = Arc<CachePadded<AtomicU64>>;

struct Raised(Flag);

struct Watched {
    flag: Flag,
    seen: u64,
}

fn flag() -> Result<(Raised, Watched), Error> {
    let flag = Flag::default();
    Ok((Raised(Arc::clone(&flag)), Watched { flag, seen: 0 }))
}

impl Transmit for Raised {
    #[inline]
    fn transmit(&mut self, number: u64) {
        self.0.store(number + 1, Ordering::Release);
    }
}

impl Await for Watched {
    #[inline]
    fn await_next(&mut self) -> u64 {
        loop {
            let found = self.flag.load(Ordering::Acquire);
            if found != self.seen {
                self.seen = found;
                return found - 1;
            }
            std::hint::spin_loop();
        }
    }
}
