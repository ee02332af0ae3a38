//! Ending a run of workers: close, wait for the readers, join the threads; never longer than the deadline.
//!
//! No subscriber is dropped by a stop but a handler, because a subscriber reads on by itself and a handler's thread must end.

use crate::config::{FIRST_STOP_PAUSE, JOIN_PAUSE, LONGEST_STOP_PAUSE};
use crate::error::EvictionReason;
use crate::registry::registration::Registration;
use crate::stats::BusStats;
use crate::subscriber::id::SubscriberId;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, ModelArc};
use crate::wait::deadline::Deadline;
use crate::worker::Worker;
use crate::worker::set::WorkerSet;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How a stop went; see [`Bus::stop`](crate::Bus::stop). A subscriber that was dropped before it is
/// in no list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it says whether every subscriber had read everything"]
pub struct StopReport {
    /// Subscribers and handlers that had read everything.
    pub drained: Vec<Stopped>,
    /// Subscribers and handlers that had not when the deadline came. A subscriber reads on to the end, and loses nothing; a
    /// handler is ended, and loses what it had not read: [`Stopped::lost`].
    pub undrained: Vec<Stopped>,
    /// Handlers that had not returned when the deadline came. Their threads go on until the handler returns.
    pub running: Vec<Stopped>,
    /// Of a shutdown: the last event was accepted. True of a stop.
    pub last_accepted: bool,
    /// How long the stop took.
    pub took: Duration,
    /// The totals of the run that ended, and the subscribers that were there at its end.
    pub stats: BusStats,
}

impl StopReport {
    pub(crate) fn new() -> Self {
        StopReport {
            drained: Vec::new(),
            undrained: Vec::new(),
            running: Vec::new(),
            last_accepted: true,
            took: Duration::ZERO,
            stats: BusStats::default(),
        }
    }

    /// Returns whether every subscriber had read everything, every handler had returned, and a shutdown's last event was
    /// accepted. A subscriber that was dropped before the stop makes no difference.
    pub fn is_clean(&self) -> bool {
        self.undrained.is_empty() && self.running.is_empty() && self.last_accepted
    }

    /// Returns how many sequences were lost because the deadline ended a handler that had not read
    /// them: an upper bound on events. 0 if every handler had read everything.
    pub fn lost(&self) -> u64 {
        self.undrained.iter().map(|stopped| stopped.lost).sum()
    }
}

/// A subscriber, in a [`StopReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Its id.
    pub id: SubscriberId,
    /// Its name.
    pub name: Option<String>,
    /// How many sequences its cursor had not passed when the stop looked: an upper bound on the events that it had not read.
    pub lag: u64,
    /// In [`undrained`](StopReport::undrained): the lag is not more than the subscriber's window,
    /// so it may have received everything. The stop could not know, because a subscriber says so by
    /// its next call, or by [`release`](crate::Subscriber::release). False in the other lists.
    pub within_window: bool,
    /// How many of these sequences it will not read: all of them if it is a handler that the deadline ended, otherwise 0.
    pub lost: u64,
}

/// What a registration still has to do before the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// It has not read everything.
    Reading,
    /// Its handler has not returned.
    Handling,
}

/// Ends the run of `set`, whose workers have these threads.
pub(crate) fn stop<E>(
    set: &WorkerSet<E>,
    threads: Vec<JoinHandle<Option<()>>>,
    timeout: Duration,
) -> StopReport {
    let began = Instant::now();
    let deadline = Deadline::after(timeout);
    let readings = close(set);
    let mut pause = FIRST_STOP_PAUSE;
    while readings.iter().any(Reading::is_under_way) && !deadline.is_over() {
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_STOP_PAUSE);
    }

    let mut report = StopReport::new();
    for reading in &readings {
        reading.end(&mut report);
    }
    // A handler that was ended is waited for no more.
    set.registry.drain_waiters().wake_all();

    for worker in &set.workers {
        worker.end();
    }
    for thread in threads {
        // Not its own thread, when called from a notice; and not one that a notice holds for ever.
        if thread.thread().id() != thread::current().id() {
            let over = || {
                deadline.is_over() && began.elapsed() > timeout.saturating_add(LONGEST_STOP_PAUSE)
            };
            thread::wait_for(thread, JOIN_PAUSE, over);
        }
    }
    // What there is to tell when no thread of ours did.
    for worker in &set.workers {
        worker.turn();
    }
    report.stats = BusStats::of(set);
    report.took = began.elapsed();
    report
}

/// Closes the rings. Returns the subscribers that a stop waits for: those that are there before the
/// close, one of which may drain and go right at it, and those that join just then.
fn close<E>(set: &WorkerSet<E>) -> Vec<Reading<E>> {
    let mut readings = present(set);
    set.workers.iter().for_each(|worker| worker.stop());
    let id = |reading: &Reading<E>| reading.registration.id;
    let known: HashSet<SubscriberId> = readings.iter().map(id).collect();
    let late = present(set).into_iter();
    readings.extend(late.filter(|reading| !known.contains(&id(reading))));
    readings
}

/// Returns the subscribers that are there, without the calling thread if that is a handler's.
fn present<E>(set: &WorkerSet<E>) -> Vec<Reading<E>> {
    let snapshot = set.registry.load();
    let own = thread::current().id();
    snapshot
        .all()
        .filter(|(_, registration)| {
            !registration.is_retired() && registration.handler_thread.get() != Some(&own)
        })
        .map(|(ring, registration)| Reading {
            worker: ModelArc::clone(&set.workers[ring]),
            registration: Arc::clone(registration),
        })
        .collect()
}

/// A subscriber that a stop waits for.
struct Reading<E> {
    worker: ModelArc<Worker<E>>,
    registration: Arc<Registration>,
}

impl<E> Reading<E> {
    fn left(&self) -> Left {
        if self.registration.is_retired() {
            Left::Nothing
        } else if self.worker.has_unread(&self.registration) {
            Left::Reading
        } else if self.registration.is_handler {
            Left::Handling
        } else {
            Left::Nothing
        }
    }

    fn is_under_way(&self) -> bool {
        self.left() != Left::Nothing
    }

    /// Ends a handler that has not read everything, and puts the subscriber into the lists where it
    /// belongs.
    fn end(&self, report: &mut StopReport) {
        let registration = &self.registration;
        let (lag, was_dropped) = (
            self.worker.lag(registration),
            registration.cursor.glance().reason().is_some(),
        );
        let mut entry = Stopped {
            id: registration.id,
            name: registration.options.name.clone(),
            lag,
            within_window: (1..=registration.window).contains(&lag),
            lost: 0,
        };
        let left = self.left();
        if left == Left::Reading {
            if registration.is_handler && registration.evict(EvictionReason::Stalled) {
                registration.wake_evicted();
                entry.lost = lag;
            }
            report.undrained.push(entry.clone());
        } else if !(was_dropped || registration.is_retired() && lag > 0) {
            // Not one that left by itself before it had read everything.
            report.drained.push(entry.clone());
        }
        if left != Left::Nothing && registration.is_handler {
            report.running.push(entry);
        }
    }
}
