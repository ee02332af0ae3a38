//! What the handles of a bus share: its config, and the workers of the current run.

pub(crate) mod shutdown;

use crate::config::{Config, Drive, MOST_WORKERS, Pinning};
use crate::engine::shutdown::StopReport;
use crate::error::{BuildError, SubscribeError};
use crate::reader::Reader;
use crate::registry::Registry;
use crate::ring::protocol::Protocol;
use crate::snapshot::Snapshot;
use crate::subscriber::id::SubscriberId;
use crate::subscriber::{SubscribeOptions, Subscriber};
use crate::sync::{Arc, AtomicU64, ModelArc, Mutex, Ordering, PoisonError, thread};
use crate::worker::set::WorkerSet;
use crate::worker::{Run, Worker};
use std::fmt;
use std::time::Duration;

/// What keeps a bus open: shared by its handles and its publishers. The last one closes the rings,
/// unless an exclusive publisher ends the stream.
#[derive(Debug)]
pub(crate) struct CloseGuard<E> {
    pub(crate) engine: Arc<Engine<E>>,
}

impl<E> CloseGuard<E> {
    pub(crate) fn new(engine: Arc<Engine<E>>) -> Self {
        CloseGuard { engine }
    }
}

impl<E> Drop for CloseGuard<E> {
    fn drop(&mut self) {
        if self.engine.protocol == Protocol::Shared {
            self.engine.close();
        }
    }
}

/// What the handles of a bus share.
pub(crate) struct Engine<E> {
    pub(crate) config: Arc<Config>,
    /// There if and only if there may be several rings.
    pub(crate) clone: Option<fn(&E) -> E>,
    /// Empty before a start and after a stop.
    pub(crate) running: Snapshot<WorkerSet<E>>,
    /// Start and stop exclude each other: the one lock, and no event ever meets it.
    lifecycle: Mutex<Lifecycle>,
    ids: AtomicU64,
    /// The number of runs so far.
    runs: Arc<AtomicU64>,
    /// How many shared publishers there are. Relaxed: a number, for how large a share each may claim.
    publishers: AtomicU64,
    /// How many workers [`Engine::start`] is to start by default.
    pub(super) workers: usize,
    protocol: Protocol,
}

#[derive(Debug, Default)]
struct Lifecycle {
    threads: Vec<WorkerThread>,
}

type WorkerThread = thread::JoinHandle<Option<()>>;

impl<E> fmt::Debug for Engine<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<E> Engine<E> {
    pub(crate) fn add_publisher(&self) {
        self.publishers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_publisher(&self) {
        self.publishers.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn publishers(&self) -> u64 {
        self.publishers.load(Ordering::Relaxed)
    }

    /// Rings are closed; nobody is waited for.
    pub(crate) fn close(&self) {
        let set = self.running.load_full();
        for worker in &set.workers {
            worker.close();
        }
    }
}

impl<E: Send + Sync + 'static> Engine<E> {
    pub(crate) fn new(
        config: Config,
        clone: Option<fn(&E) -> E>,
        workers: usize,
        protocol: Protocol,
    ) -> Self {
        Engine {
            config: Arc::new(config),
            clone,
            running: Snapshot::new(WorkerSet::none()),
            lifecycle: Mutex::new(Lifecycle::default()),
            publishers: AtomicU64::new(0),
            ids: AtomicU64::new(1),
            runs: Arc::new(AtomicU64::new(0)),
            workers,
            protocol,
        }
    }

    /// Fresh workers, unless there are some.
    pub(crate) fn start(&self, workers: usize) -> Result<(), BuildError> {
        match workers {
            0 => return Err(BuildError::NoWorkers),
            1 => {}
            _ if workers > MOST_WORKERS => {
                return Err(BuildError::TooManyWorkers {
                    workers,
                    most: MOST_WORKERS,
                });
            }
            _ if self.clone.is_none() => return Err(BuildError::NeedsClone { workers }),
            _ => {}
        }
        let mut lifecycle = self
            .lifecycle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let running = self.running.load_full().workers.len();
        if running == workers {
            return Ok(());
        }
        if running != 0 {
            return Err(BuildError::Running { workers: running });
        }
        let cores = self.config.pinning.plan(workers)?;
        let registry = Arc::new(Registry::new(workers));
        // Relaxed: changed under the lock alone.
        let number = self.runs.load(Ordering::Relaxed) + 1;
        let fresh = (0..workers)
            .map(|id| {
                let run = Run {
                    number,
                    latest: Arc::clone(&self.runs),
                };
                Worker::new(id, run, self.protocol, &self.config, &registry).map(ModelArc::new)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if self.config.drive == Drive::Threads {
            for (worker, core) in fresh.iter().zip(cores) {
                match self.spawn(worker, core) {
                    Ok(thread) => lifecycle.threads.push(thread),
                    Err(error) => {
                        fresh.iter().for_each(|worker| worker.end());
                        lifecycle
                            .threads
                            .drain(..)
                            .for_each(|thread| drop(thread.join()));
                        return Err(error);
                    }
                }
            }
        }
        self.runs.store(number, Ordering::Relaxed);
        // The replaced set is always empty, because start requires a stopped bus: no user destructor runs under the lock.
        drop(self.running.replace(WorkerSet {
            workers: fresh,
            registry,
        }));
        Ok(())
    }

    fn spawn(
        &self,
        worker: &ModelArc<Worker<E>>,
        core: Option<usize>,
    ) -> Result<WorkerThread, BuildError> {
        let mask = crate::affinity::ProcessMask::get();
        let must = self.config.pinning != Pinning::Auto;
        let (pinned, body) = (ModelArc::clone(worker), ModelArc::clone(worker));
        let setup = move || {
            mask.apply_to_current();
            let Some(core) = core else { return Ok(()) };
            match crate::affinity::pin_current(core) {
                Ok(()) => drop(pinned.core.set(core)),
                Err(error) if must => return Err(error),
                Err(_) => {}
            }
            Ok(())
        };
        let name = format!("ringbus-{}", worker.id);
        let thread =
            thread::spawn(name, setup, move || body.run()).map_err(|error| match error {
                thread::SpawnError::Setup(error) => BuildError::Pin(error),
                thread::SpawnError::System(error) => BuildError::Spawn { kind: error.kind() },
            })?;
        // Here, not by the thread itself, because a thread that notifies the worker has it from us and
        // must find whom to wake.
        worker.notify.attach(thread.thread().clone());
        Ok(thread)
    }

    pub(crate) fn stop(&self, timeout: Duration) -> StopReport {
        let (set, threads) = {
            let mut lifecycle = self
                .lifecycle
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let set = self.running.replace(WorkerSet::none());
            (set, std::mem::take(&mut lifecycle.threads))
        };
        let report = shutdown::stop(&set, threads, timeout);
        // The rings, and the events in them, go with their last user: under no lock.
        drop(set);
        report
    }

    pub(crate) fn subscribe(
        &self,
        options: &SubscribeOptions,
        is_handler: bool,
    ) -> Result<Subscriber<E>, SubscribeError> {
        let set = self.running.load_full();
        // Relaxed: a number of its own is all that is asked.
        let id = SubscriberId(self.ids.fetch_add(1, Ordering::Relaxed));
        let reader = Reader::subscribe(&set, id, options, is_handler)?;
        Ok(Subscriber::new(reader, options.wait))
    }
}
