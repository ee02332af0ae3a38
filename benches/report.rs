//! What a publisher and a subscriber pay, on one thread and in cache: the baseline of later work.
//!
//! Each sample reports (or drains) in chunks of a quarter of the ring, and only the side that is measured is timed.

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ringbus::{Bus, BusBuilder, Drive, ExclusivePublisher, Publisher, Subscriber};
use std::hint::black_box;
use std::time::{Duration, Instant};

const CAPACITY: usize = 4096;
const CHUNK: u64 = CAPACITY as u64 / 4;

/// 48 bytes, so that an event and its stamp fit a cache line.
type Event = [u64; 6];

fn builder() -> BusBuilder<Event> {
    Bus::builder().capacity(CAPACITY).drive(Drive::Manual)
}

/// The one thing that both kinds of publisher do here.
trait Report {
    fn one(&mut self, event: Event);
    fn batch(&mut self, events: &mut dyn Iterator<Item = Event>);
}

macro_rules! report {
    ($publisher:ident) => {
        impl Report for $publisher<Event> {
            #[inline(always)]
            fn one(&mut self, event: Event) {
                assert!(self.report(event).is_ok());
            }
            fn batch(&mut self, mut events: &mut dyn Iterator<Item = Event>) {
                assert!(self.report_batch(&mut events).is_ok());
            }
        }
    };
}
report!(Publisher);
report!(ExclusivePublisher);

fn drain(subscribers: &mut [Subscriber<Event>]) -> u64 {
    let mut sum = 0;
    for subscriber in subscribers {
        let drained = subscriber.drain(usize::MAX, |event| sum += event[0]);
        assert!(drained.is_ok());
    }
    sum
}

/// Times `timed` over `events` events, a chunk at a time, with `between` untimed after each chunk.
fn in_chunks(events: u64, mut timed: impl FnMut(u64), mut between: impl FnMut()) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = events;
    while left > 0 {
        let chunk = left.min(CHUNK);
        let start = Instant::now();
        timed(chunk);
        spent += start.elapsed();
        between();
        left -= chunk;
    }
    spent
}

fn report_one_by_one(
    group: &mut BenchmarkGroup<'_, WallTime>,
    kind: &str,
    mut publisher: impl Report,
    mut subscribers: Vec<Subscriber<Event>>,
) {
    group.bench_function(BenchmarkId::new(kind, subscribers.len()), |bencher| {
        bencher.iter_custom(|events| {
            in_chunks(
                events,
                |chunk| (0..chunk).for_each(|n| publisher.one(black_box([n; 6]))),
                || {
                    black_box(drain(&mut subscribers));
                },
            )
        });
    });
}

#[allow(clippy::unwrap_used)] // a bench that cannot be set up has nothing to say
fn report(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("report, by subscribers");
    group.throughput(Throughput::Elements(1));
    for count in [0, 1, 8] {
        let bus = builder().build().unwrap();
        let subscribers = (0..count).map(|_| bus.subscribe().unwrap()).collect();
        report_one_by_one(&mut group, "shared", bus.publisher(), subscribers);

        let (publisher, bus) = builder().build_exclusive().unwrap();
        let subscribers = (0..count).map(|_| bus.subscribe().unwrap()).collect();
        report_one_by_one(&mut group, "exclusive", publisher, subscribers);
    }
    group.finish();
}

#[allow(clippy::unwrap_used)] // as above
fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("report in batches of 32, one subscriber");
    group.throughput(Throughput::Elements(1));
    let mut bench = |kind: &str, publisher: &mut dyn Report, subscriber: Subscriber<Event>| {
        let mut subscribers = [subscriber];
        group.bench_function(kind, |bencher| {
            bencher.iter_custom(|events| {
                in_chunks(
                    events,
                    |chunk| publisher.batch(&mut (0..chunk).map(|n| black_box([n; 6]))),
                    || {
                        black_box(drain(&mut subscribers));
                    },
                )
            });
        });
    };
    let bus = builder().build().unwrap();
    bench("shared", &mut bus.publisher(), bus.subscribe().unwrap());
    let (mut publisher, bus) = builder().build_exclusive().unwrap();
    bench("exclusive", &mut publisher, bus.subscribe().unwrap());
    group.finish();
}

#[allow(clippy::unwrap_used)] // as above
fn receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Elements(1));
    let bus = builder().build().unwrap();
    let mut publisher = bus.publisher();
    let mut fill = |chunk: u64| (0..chunk).for_each(|n| publisher.one([n; 6]));
    let mut subscriber = bus.subscribe().unwrap();
    let mut bench = |name: &str, receive: &mut dyn FnMut(&mut Subscriber<Event>, u64)| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|events| {
                let mut spent = Duration::ZERO;
                let mut left = events;
                while left > 0 {
                    let chunk = left.min(CHUNK);
                    fill(chunk);
                    let start = Instant::now();
                    receive(&mut subscriber, chunk);
                    spent += start.elapsed();
                    left -= chunk;
                }
                spent
            });
        });
    };
    bench("drain", &mut |subscriber, chunk| {
        let mut sum = 0;
        let drained = subscriber
            .drain(usize::MAX, |event| sum += event[0])
            .unwrap();
        assert_eq!(drained as u64, chunk);
        black_box(sum);
    });
    bench("try_recv", &mut |subscriber, chunk| {
        for _ in 0..chunk {
            black_box(subscriber.try_recv().unwrap()[0]);
        }
    });
    group.finish();
}

criterion_group!(benches, report, batches, receive);
criterion_main!(benches);
