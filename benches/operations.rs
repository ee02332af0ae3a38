//! One operation of a bus, so often as it is told, on one thread: for a tool that counts what it
//! does. See `cargo xtask count`.

use std::ops::Range;
use std::sync::Barrier;
use std::time::Duration;
use std::{panic, process, thread};

use clap::{Parser, ValueEnum};
use ringbus::{
    Bus, BusBuilder, Drive, ExclusivePublisher, Pinning, Publisher, SlotLayout, SubscribeOptions,
    Subscriber,
};
use ringbus_benches::payload::{Event48, Payload, Word};
use ringbus_benches::publisher::PublisherKind;
use ringbus_benches::rig::{Tally, offer};

/// Slots of the ring.
const CAPACITY: usize = 1024;
/// Events that are reported before any of them is received.
const BURST: u64 = 512;
/// Events of a batch. It divides a burst.
const BATCH: u64 = 64;
/// Events of a smaller batch, of which a reader's window holds two. It divides a burst.
const SMALL_BATCH: u64 = 16;
/// How long all may take, under a tool too.
const DEADLINE: Duration = Duration::from_secs(300);

const BUILDS: &str = "a small bus can be built";

/// Reports events, and receives them.
#[derive(Parser)]
struct Options {
    /// Which publisher reports
    #[arg(value_enum)]
    publisher: Kind,
    /// How large an event is
    #[arg(value_enum)]
    bytes: Bytes,
    /// How slots lie in memory
    #[arg(value_enum)]
    layout: Layout,
    /// What is done with each event
    #[arg(value_enum)]
    operation: Operation,
    /// How many bursts of 512 events
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    bursts: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Exclusive,
    Shared,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bytes {
    #[value(name = "8")]
    Eight,
    #[value(name = "48")]
    FortyEight,
}

#[derive(Clone, Copy, ValueEnum)]
enum Layout {
    InLine,
    Dense,
}

#[derive(Clone, Copy, ValueEnum)]
enum Operation {
    /// Reported one by one; the subscriber passes over each burst
    Report,
    /// Offered one by one until there is room, which there is; the subscriber passes over each
    /// burst
    TryReport,
    /// Reported in batches of 64; the subscriber passes over each burst
    Batch,
    /// Written in place one by one, by an exclusive publisher; the subscriber passes over each
    /// burst
    ReportWith,
    /// Written in place in batches of 64, by an exclusive publisher; the subscriber passes over
    /// each burst
    BatchWith,
    /// Reported one by one, then received by `drain`
    Drain,
    /// Reported in batches of 16, then received by `drain`
    DrainBatches,
    /// Reported one by one, then received by `recv`
    Recv,
    /// Reported one by one, then received by `try_recv`
    TryRecv,
    /// Reported one by one, then received by a handler's thread
    Handler,
}

fn main() {
    let options = Options::parse();
    // A check that fails in the handler would leave the other thread waiting for it.
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        print(panic);
        process::exit(1);
    }));
    thread::spawn(|| {
        thread::sleep(DEADLINE);
        eprintln!("not done after {DEADLINE:?}: an event is missing, or a thread hangs");
        process::exit(1);
    });
    // On a thread of its own, because the main thread's stack begins where the environment ends:
    // which of its words share a cache line would be another thing each time.
    let thread = thread::spawn(move || match (options.publisher, options.bytes) {
        (Kind::Exclusive, Bytes::Eight) if options.is_in_place() => run_in_place::<Word>(&options),
        (Kind::Exclusive, Bytes::FortyEight) if options.is_in_place() => {
            run_in_place::<Event48>(&options)
        }
        (Kind::Shared, _) if options.is_in_place() => {
            eprintln!("only an exclusive publisher writes in place");
            process::exit(2);
        }
        (Kind::Exclusive, Bytes::Eight) => run::<ExclusivePublisher<Word>>(&options),
        (Kind::Exclusive, Bytes::FortyEight) => run::<ExclusivePublisher<Event48>>(&options),
        (Kind::Shared, Bytes::Eight) => run::<Publisher<Word>>(&options),
        (Kind::Shared, Bytes::FortyEight) => run::<Publisher<Event48>>(&options),
    });
    // A panic has ended the program.
    let _ = thread.join();
}

impl Options {
    fn builder<P: Payload>(&self) -> BusBuilder<P> {
        Bus::builder()
            .capacity(CAPACITY)
            .slots(match self.layout {
                Layout::InLine => SlotLayout::InLine,
                Layout::Dense => SlotLayout::Dense,
            })
            .drive(Drive::Manual)
            .pinning(Pinning::Off)
    }

    fn bursts(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        (0..self.bursts).map(|burst| burst * BURST..(burst + 1) * BURST)
    }

    fn is_in_place(&self) -> bool {
        matches!(self.operation, Operation::ReportWith | Operation::BatchWith)
    }
}

/// What an exclusive publisher does that others cannot.
fn run_in_place<P: Payload>(options: &Options) {
    let (mut publisher, bus) = ExclusivePublisher::<P>::build(options.builder()).expect(BUILDS);
    let mut subscriber = bus.subscribe().expect("the ring has room for one");
    for numbers in options.bursts() {
        match options.operation {
            Operation::BatchWith => report_batches_with(&mut publisher, numbers.clone()),
            _ => report_with(&mut publisher, numbers.clone()),
        }
        pass_over(&mut subscriber, &numbers);
    }
}

fn run<R: PublisherKind>(options: &Options) {
    let (mut publisher, bus) = R::build(options.builder()).expect(BUILDS);
    if let Operation::Handler = options.operation {
        return handle(&mut publisher, &bus, options.bursts());
    }
    let mut subscriber = bus.subscribe().expect("the ring has room for one");
    for numbers in options.bursts() {
        match options.operation {
            Operation::TryReport => try_report(&mut publisher, numbers.clone()),
            Operation::Batch => report_batches::<R, BATCH>(&mut publisher, numbers.clone()),
            Operation::DrainBatches => {
                report_batches::<R, SMALL_BATCH>(&mut publisher, numbers.clone())
            }
            _ => report(&mut publisher, numbers.clone()),
        }
        match options.operation {
            Operation::Report | Operation::TryReport | Operation::Batch => {
                pass_over(&mut subscriber, &numbers)
            }
            Operation::Drain | Operation::DrainBatches => drain(&mut subscriber, numbers),
            Operation::Recv => recv(&mut subscriber, numbers),
            Operation::TryRecv => try_recv(&mut subscriber, numbers),
            Operation::Handler | Operation::ReportWith | Operation::BatchWith => {
                unreachable!("returned above")
            }
        }
    }
}

// Each loop is a function of its own, because otherwise the code around it decides what it keeps in
// registers.

#[inline(never)]
fn report<R: PublisherKind>(publisher: &mut R, numbers: Range<u64>) {
    for number in numbers {
        assert!(publisher.report(R::Event::new(number)).is_ok());
    }
}

#[inline(never)]
fn try_report<R: PublisherKind>(publisher: &mut R, numbers: Range<u64>) {
    for number in numbers {
        let mut event = R::Event::new(number);
        while let Some(refused) = offer(publisher, event) {
            event = refused;
        }
    }
}

#[inline(never)]
fn report_batches<R: PublisherKind, const BATCH: u64>(publisher: &mut R, numbers: Range<u64>) {
    for first in numbers.step_by(BATCH as usize) {
        let events = (first..first + BATCH).map(R::Event::new);
        assert!(publisher.report_batch(events).is_ok());
    }
}

#[inline(never)]
fn report_with<P: Payload>(publisher: &mut ExclusivePublisher<P>, numbers: Range<u64>) {
    for number in numbers {
        let reported = publisher.report_with(move |event| event.renew(number));
        assert!(reported.is_ok());
    }
}

#[inline(never)]
fn report_batches_with<P: Payload>(publisher: &mut ExclusivePublisher<P>, numbers: Range<u64>) {
    for first in numbers.step_by(BATCH as usize) {
        let mut next = first;
        let reported = publisher.report_batch_with(BATCH as usize, |slots| {
            // From a copy, because what a closure captures stays in memory.
            let numbers = next..;
            next += slots.len() as u64;
            for (event, number) in slots.zip(numbers) {
                event.renew(number);
            }
        });
        assert!(reported.is_ok());
    }
}

fn pass_over<P: Payload>(subscriber: &mut Subscriber<P>, numbers: &Range<u64>) {
    let newest = subscriber.latest().expect("the burst is there");
    assert_eq!(newest.number(), numbers.end - 1);
}

#[inline(never)]
fn drain<P: Payload>(subscriber: &mut Subscriber<P>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    let drained = subscriber.drain(usize::MAX, |event| tally.see(event));
    assert!(drained.is_ok());
    tally.check(numbers);
}

#[inline(never)]
fn recv<P: Payload>(subscriber: &mut Subscriber<P>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    for _ in numbers.clone() {
        tally.see(&*subscriber.recv().expect("a whole burst is there"));
    }
    tally.check(numbers);
}

#[inline(never)]
fn try_recv<P: Payload>(subscriber: &mut Subscriber<P>, numbers: Range<u64>) {
    let mut tally = Tally::default();
    while let Ok(event) = subscriber.try_recv() {
        tally.see(&*event);
    }
    tally.check(numbers);
}

/// Where the reporting thread and the handler's meet: twice a burst, once all of it was received
/// and once the next was reported. So the handler does not wait for events, but for the first
/// burst.
static GATE: Barrier = Barrier::new(2);

fn handle<R: PublisherKind>(
    publisher: &mut R,
    bus: &Bus<R::Event, R::Mode>,
    bursts: impl Iterator<Item = Range<u64>>,
) {
    let mut tally = Tally::default();
    let handler = bus
        .handle(SubscribeOptions::new(), move |event: &R::Event| {
            tally.see(event);
            let end = event.number() + 1;
            if end.is_multiple_of(BURST) {
                tally.check(end - BURST..end);
                tally = Tally::default();
                GATE.wait();
                GATE.wait();
            }
        })
        .expect("the ring has room for one");
    for (index, numbers) in bursts.enumerate() {
        report(publisher, numbers);
        if index > 0 {
            GATE.wait(); // ends the handler's pause after the burst before
        }
        GATE.wait();
    }
    GATE.wait();
    drop(handler);
}
