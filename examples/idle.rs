//! What a bus costs while nothing happens: CPU time of this process over some seconds, by the kernel's count of each thread.
//!
//! `cargo run --release --example idle [-- SECONDS [SUBSCRIBERS]]`
#![allow(clippy::disallowed_types)]

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ringbus::{Bus, SubscribeOptions, Subscriber, WaitStrategy};

/// What a bus costs while nothing happens.
#[derive(Parser)]
struct Options {
    /// How long to look, for each of two buses
    #[arg(default_value_t = 5)]
    seconds: u64,
    /// How many sleep on each
    #[arg(default_value_t = 4, value_parser = clap::value_parser!(u16).range(..=43))]
    subscribers: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options {
        seconds,
        subscribers,
    } = Options::parse();

    let bus = Bus::<u64>::builder().build()?;
    let parked: Vec<_> = (0..subscribers)
        .map(|_| bus.subscribe_with(options()).map(park))
        .collect::<Result<_, _>>()?;
    measure("shared publisher", seconds, subscribers)?;
    let _ = bus.stop();
    parked.into_iter().for_each(|thread| drop(thread.join()));

    let (publisher, bus) = Bus::<u64>::builder().build_exclusive()?;
    let parked: Vec<_> = (0..subscribers)
        .map(|_| bus.subscribe_with(options()).map(park))
        .collect::<Result<_, _>>()?;
    measure("exclusive publisher", seconds, subscribers)?;
    let _ = publisher.stop();
    parked.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

fn options() -> SubscribeOptions {
    SubscribeOptions::new().wait(WaitStrategy::Park)
}

fn park(mut subscriber: Subscriber<u64>) -> thread::JoinHandle<()> {
    thread::spawn(move || while subscriber.recv().is_ok() {})
}

fn measure(kind: &str, seconds: u64, subscribers: u16) -> Result<(), Box<dyn Error>> {
    thread::sleep(Duration::from_millis(200)); // everybody asleep
    let (before, start) = (cpu_time()?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let (spent, took) = (cpu_time()? - before, start.elapsed());
    println!(
        "{kind}, {subscribers} parked subscribers: {:.3} % of a core",
        100.0 * spent.as_secs_f64() / took.as_secs_f64()
    );
    Ok(())
}

/// The time on a core of all threads of this process, in nanoseconds by the scheduler's own count.
#[cfg(target_os = "linux")]
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let mut nanos = 0;
    for task in procfs::process::Process::myself()?.tasks()? {
        nanos += task?.schedstat()?.sum_exec_runtime;
    }
    Ok(Duration::from_nanos(nanos))
}

#[cfg(not(target_os = "linux"))]
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    Err("only Linux counts the time of each thread".into())
}
