//! What the process holds: the bytes it has allocated, and the pages that the system says it has.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::hint::black_box;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::violation;

/// The system's allocator, counting. Allocated bytes are the better truth about leaks: what is resident depends on
/// how the allocator keeps what was freed as well.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

// SAFETY: all is the system allocator's; the counter beside it is no part of the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The system's allocator is to give back what is free, or resident memory says nothing of leaks: left to itself it keeps
/// up to two megabytes for each arena, once a large ring was freed, and threads that come and go find ever new arenas.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_little() {
    const LITTLE: libc::c_int = 64 << 10;
    // SAFETY: numbers that only change when memory is given back.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LITTLE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LITTLE);
        libc::mallopt(libc::M_ARENA_MAX, 4);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: it has no requirements.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_little() {}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

/// The system keeps the stacks of threads that have ended, some dozens of them, as deep as they were used. They are to be
/// there from the beginning, and not when some late epoch happens to need one more.
fn warm_up() {
    const THREADS: usize = 24;
    const DEPTH: usize = 32 << 10;
    let all_there = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                black_box([1u8; DEPTH]);
                let panicked = panic::catch_unwind(|| panic!("{}", violation::DELIBERATE));
                all_there.wait();
                drop(panicked);
            });
        }
    });
}

fn allocated() -> u64 {
    ALLOCATED.load(Relaxed)
}

/// The resident set; `None` if the system does not say.
#[cfg(target_os = "linux")]
pub fn resident() -> Option<u64> {
    let memory = procfs::process::Process::myself().ok()?.statm().ok()?;
    Some(memory.resident * procfs::page_size())
}

#[cfg(not(target_os = "linux"))]
pub fn resident() -> Option<u64> {
    None
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    resident: Option<u64>,
    allocated: u64,
}

/// Samples, all at the same point of an epoch: when everything of it was dropped.
#[derive(Debug)]
pub struct Memory {
    began: Instant,
    samples: Mutex<Samples>,
}

#[derive(Debug, Default)]
struct Samples {
    /// The first [`MANY`] after a minute.
    first: Vec<Sample>,
    /// The last [`MANY`], however long the run was.
    last: VecDeque<Sample>,
    /// At any point.
    most_resident: Option<u64>,
    most_allocated: u64,
}

/// One sample is chance: a thread that is about to exit has a stack and what it holds. The middle one of so many is not, and
/// what leaks shows in it all the same.
const MANY: usize = 15;

/// Before this, rings of every size may not have been seen yet.
const WARM_UP: Duration = Duration::from_secs(60);

impl Memory {
    /// To be called before there are threads, and with panics watched.
    pub fn new() -> Self {
        keep_little();
        warm_up();
        Self {
            began: Instant::now(),
            samples: Mutex::default(),
        }
    }

    /// At the end of an epoch.
    pub fn sample(&self) {
        trim();
        let sample = Sample {
            resident: resident(),
            allocated: allocated(),
        };
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.last.len() == MANY {
            samples.last.pop_front();
        }
        samples.last.push_back(sample);
        if self.began.elapsed() >= WARM_UP && samples.first.len() < MANY {
            samples.first.push(sample);
        }
    }

    /// In the middle of one. What is resident now.
    pub fn glance(&self) -> Option<u64> {
        let resident = resident();
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.most_resident = samples.most_resident.max(resident);
        samples.most_allocated = samples.most_allocated.max(allocated());
        resident
    }

    pub fn report(&self) -> MemoryReport {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let resident = Course::new(
            median(samples.first.iter().filter_map(|sample| sample.resident)),
            samples.most_resident,
            median(samples.last.iter().filter_map(|sample| sample.resident)),
        );
        let allocated = Course::new(
            median(samples.first.iter().map(|sample| sample.allocated)),
            Some(samples.most_allocated),
            median(samples.last.iter().map(|sample| sample.allocated)),
        );
        MemoryReport {
            resident_bytes: Measured::of(resident, samples.most_resident.is_some()),
            allocated_bytes: allocated,
        }
    }
}

/// The middle one, the higher of two.
fn median(samples: impl Iterator<Item = u64>) -> Option<u64> {
    let mut samples: Vec<u64> = samples.collect();
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied()
}

#[derive(Debug, Serialize)]
pub struct MemoryReport {
    pub resident_bytes: Measured,
    pub allocated_bytes: Course,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Measured {
    Course(Course),
    Not(&'static str),
}

impl Measured {
    fn of(course: Course, is_measured: bool) -> Self {
        match is_measured {
            true => Measured::Course(course),
            false => Measured::Not("not measured"),
        }
    }
}

/// Medians of several samples, which are taken between epochs; the maximum at any time.
#[derive(Debug, Serialize)]
pub struct Course {
    after_first_minute: Option<u64>,
    maximum: Option<u64>,
    at_end: Option<u64>,
    /// The last of the first.
    ratio: Option<f64>,
}

impl Course {
    fn new(first: Option<u64>, maximum: Option<u64>, last: Option<u64>) -> Self {
        let ratio = first
            .zip(last)
            .map(|(first, last)| last as f64 / first as f64);
        Self {
            after_first_minute: first,
            maximum: maximum.max(last),
            at_end: last,
            ratio,
        }
    }

    /// What there was after the first minute, and at the end.
    pub fn ends(&self) -> Option<(u64, u64)> {
        self.after_first_minute.zip(self.at_end)
    }
}
