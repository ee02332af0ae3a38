//! The raw flag ping-pong: what a cache line takes from one core to the other, and so the machine's mood.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use crate::place::{Cores, Misplaced, Pinned};

/// Of a run: some milliseconds.
const ROUNDS: u64 = 10_000;
const RUNS: u32 = 5;

/// One way from core to core, in nanoseconds: half of a round trip, the median of several runs.
pub fn one_way(cores: Cores) -> Result<f64, Misplaced> {
    // On a thread of its own: the caller must not inherit the pin, nor threads that it starts later.
    let runs = || (0..RUNS).map(|_| run(cores)).collect();
    let runs: Result<Vec<f64>, Misplaced> = thread::scope(|scope| {
        let runs = scope.spawn(runs).join();
        runs.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    Ok(crate::stats::median(&runs?))
}

fn run(cores: Cores) -> Result<f64, Misplaced> {
    let there = CachePadded::new(AtomicU64::new(0));
    let back = CachePadded::new(AtomicU64::new(0));
    thread::scope(|scope| {
        let echo = scope.spawn(|| {
            let pinned = Pinned::to(cores.subscriber);
            for round in 1..=ROUNDS {
                await_value(&there, round);
                back.store(round, Ordering::Release);
            }
            pinned?.leave()
        });
        let pinned = Pinned::to(cores.publisher);
        // The first round trip waits for the other thread to start.
        let mut start = Instant::now();
        for round in 1..=ROUNDS {
            there.store(round, Ordering::Release);
            await_value(&back, round);
            if round == 1 {
                start = Instant::now();
            }
        }
        let spent = start.elapsed();
        pinned?.leave()?;
        echo.join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(spent.as_nanos() as f64 / (ROUNDS - 1) as f64 / 2.0)
    })
}

fn await_value(flag: &AtomicU64, value: u64) {
    while flag.load(Ordering::Acquire) != value {
        std::hint::spin_loop();
    }
}
