//! What a report costs its reporter when many clients of other processes listen: CPU time a report, with one client of the
//! socket and with many, side by side.
//!
//! `cargo run --release --package ringbus-host --example clients [-- --clients N --rounds N]`
#![allow(clippy::disallowed_types)]

use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use ringbus::Bus;
use ringbus_host::{ContainerState, Event, EventManager, Server};
use rustix::time::{ClockId, clock_gettime};

/// Reports that follow each other at once, and how long the reporter sleeps then.
const BURST: u64 = 64;
const PAUSE: Duration = Duration::from_millis(10);

/// What a report costs with many clients.
#[derive(Parser)]
struct Options {
    /// How many clients are many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=200))]
    clients: u16,
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Bursts of 64 reports a round
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    bursts: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    compare(&options, tempfile::tempdir()?.path())
}

fn compare(options: &Options, directory: &Path) -> Result<(), Box<dyn Error>> {
    let sides = [1, options.clients, 1];
    let sides: Vec<Side> = (0..)
        .zip(sides)
        .map(|(n, clients)| Side::start(directory.join(format!("{n}.sock")), clients))
        .collect::<Result<_, _>>()?;
    let mut costs = [const { Vec::new() }; 3];
    for round in 0..options.rounds {
        // In another order each time.
        for n in 0..3 {
            let side = usize::from(n + round % 3) % 3;
            costs[side].push(sides[side].measure(options.bursts)?);
        }
    }
    let reports = u64::from(options.rounds) * u64::from(options.bursts) * BURST;
    let [one, many, again] = &mut costs;
    let many_name = format!("{} clients", options.clients);
    for (name, costs) in [
        ("1 client", &mut *one),
        (&many_name, &mut *many),
        ("1 client again", &mut *again),
    ] {
        costs.sort_by(f64::total_cmp);
        let (least, most) = (costs[0], costs[costs.len() - 1]);
        println!(
            "{name:<16} {:6.0} ns of CPU time a report [{least:.0}, {most:.0}]",
            median(costs)
        );
    }
    println!("{many_name} : 1 client   {:.2}", median(many) / median(one));
    println!(
        "1 client again : 1 client   {:.2}",
        median(again) / median(one)
    );
    for side in sides {
        side.end(reports)?;
    }
    println!("every client had all of {reports} events");
    Ok(())
}

/// Of sorted costs.
fn median(costs: &[f64]) -> f64 {
    costs[costs.len() / 2]
}

/// An event manager, its server, and clients that read all they get.
struct Side {
    manager: EventManager,
    server: Server,
    readers: Vec<thread::JoinHandle<std::io::Result<u64>>>,
    /// Events that were read, by all clients.
    read: Arc<AtomicU64>,
    reported: AtomicU64,
}

impl Side {
    fn start(path: PathBuf, clients: u16) -> Result<Self, Box<dyn Error>> {
        let bus = Bus::builder().capacity(8192);
        let manager = EventManager::builder().bus(bus).build()?;
        manager.start(1)?;
        let server = Server::builder(&path, manager.clone()).start()?;
        let read = Arc::new(AtomicU64::new(0));
        let readers = (0..clients)
            .map(|_| client(&path, Arc::clone(&read)))
            .collect::<Result<_, _>>()?;
        Ok(Side {
            manager,
            server,
            readers,
            read,
            reported: AtomicU64::new(0),
        })
    }

    /// Nanoseconds of this thread's CPU time for each report.
    fn measure(&self, bursts: u16) -> Result<f64, Box<dyn Error>> {
        let mut spent = 0;
        for _ in 0..bursts {
            let before = cpu_time();
            for _ in 0..BURST {
                self.manager.report(Event::State {
                    pool: "tank".to_owned(),
                    id: "101".to_owned(),
                    state: ContainerState::Running,
                });
            }
            spent += cpu_time() - before;
            thread::sleep(PAUSE);
        }
        let reports = u64::from(bursts) * BURST;
        self.reported.fetch_add(reports, Ordering::Relaxed);
        // To the end, so that it does not disturb who comes next.
        let expected = self.reported.load(Ordering::Relaxed) * self.readers.len() as u64;
        while self.read.load(Ordering::Relaxed) < expected {
            if self.readers.iter().any(thread::JoinHandle::is_finished) {
                return Err("a client was dropped".into());
            }
            thread::sleep(PAUSE);
        }
        Ok(spent as f64 / reports as f64)
    }

    fn end(self, reports: u64) -> Result<(), Box<dyn Error>> {
        self.server.shutdown();
        for reader in self.readers {
            // And the notice of the end.
            let lines = reader.join().map_err(|_| "a client panicked")??;
            if lines != reports + 1 {
                return Err(format!("a client had {lines} lines for {reports} events").into());
            }
        }
        Ok(())
    }
}

/// Subscribes to states, and counts them.
fn client(
    path: &Path,
    read: Arc<AtomicU64>,
) -> Result<thread::JoinHandle<std::io::Result<u64>>, Box<dyn Error>> {
    let mut stream = UnixStream::connect(path)?;
    stream.write_all(b"{\"cmd\": \"event_subscribe\", \"opts\": {\"type\": \"state\"}}\n")?;
    // The greeting and the reply, a byte at a time, so that nothing more is taken.
    let mut lines = 0;
    let mut byte = [0];
    while lines < 2 {
        stream.read_exact(&mut byte)?;
        lines += usize::from(byte == *b"\n");
    }
    let body = move || {
        let mut buffer = vec![0; 64 << 10];
        let mut count = 0;
        loop {
            let got = stream.read(&mut buffer)?;
            if got == 0 {
                return Ok(count);
            }
            let lines = buffer[..got].iter().filter(|byte| **byte == b'\n').count() as u64;
            count += lines;
            read.fetch_add(lines, Ordering::Relaxed);
        }
    };
    Ok(thread::Builder::new().stack_size(128 << 10).spawn(body)?)
}

/// This thread's, in nanoseconds.
fn cpu_time() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
