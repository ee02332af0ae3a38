//! The periodic tasks of one manager, and one pass over them.

use super::task::{PeriodicTask, Skip, Spacing};
use crate::contain::{BoxError, contain};
use ringbus::Clock;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest that a pass says may go by before the next.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// A task that is nearly due is run rather than waited for.
const EARLY: Duration = Duration::from_millis(200);
const SLOW_AFTER: Duration = Duration::from_secs(60);

/// The periodic tasks of a manager, in the order in which they were added.
///
/// A task is never run twice at once: a pass leaves out what another pass is running.
pub struct PeriodicTasks<M> {
    clock: Arc<dyn Clock>,
    external_allowed: bool,
    slow_after: Duration,
    entries: Vec<Entry<M>>,
    skipped: Vec<(String, Skip)>,
}

/// A task failed, or panicked, and the pass was told to raise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("periodic task {task}: {source}")]
pub struct TaskFailure {
    /// Which.
    pub task: String,
    /// Its error, or [`Panicked`](crate::Panicked).
    pub source: BoxError,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskStats {
    /// Its name.
    pub name: String,
    /// Why it never runs, if it never does.
    pub skipped: Option<Skip>,
    /// It is running now.
    pub running: bool,
    /// Runs that have begun.
    pub runs: u64,
    /// Runs that ended with an error or a panic.
    pub failures: u64,
    /// Runs that took too long.
    pub slow: u64,
}

struct Entry<M> {
    task: PeriodicTask,
    code: Box<Code<M>>,
    state: Mutex<State>,
}

type Code<M> = dyn Fn(&M) -> Result<(), BoxError> + Send + Sync;

#[derive(Clone, Copy, Default)]
struct State {
    last_run: Option<Duration>,
    running_since: Option<Duration>,
    /// That the present run is slow was said already.
    told_slow: bool,
    runs: u64,
    failures: u64,
    slow: u64,
}

impl<M> PeriodicTasks<M> {
    /// No tasks yet; time as `clock` tells it.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            external_allowed: false,
            slow_after: SLOW_AFTER,
            entries: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Whether external tasks that are added from here on are run. Default: no.
    pub fn allow_external(&mut self, allowed: bool) -> &mut Self {
        self.external_allowed = allowed;
        self
    }

    /// How long a run may take before it is reported as slow. Default: 60 s.
    pub fn slow_after(&mut self, limit: Duration) -> &mut Self {
        self.slow_after = limit;
        self
    }

    /// Adds a task. One that is disabled, has a negative spacing, or is external and not allowed, is skipped and logged.
    pub fn add<E: Into<BoxError>>(
        &mut self,
        task: PeriodicTask,
        code: impl Fn(&M) -> Result<(), E> + Send + Sync + 'static,
    ) -> &mut Self {
        if let Some(skip) = task.skip(self.external_allowed) {
            tracing::info!(task = task.name, "skipping periodic task: {skip}");
            self.skipped.push((task.name, skip));
            return self;
        }
        let entry = Entry {
            task,
            code: Box::new(move |manager| code(manager).map_err(Into::into)),
            state: Mutex::default(),
        };
        entry.reset(self.clock.now());
        self.entries.push(entry);
        self
    }

    /// Runs what is due, one by one, and says how long nothing will be due: at most 60 s.
    ///
    /// A task is due one spacing after its last run began, and is run up to 0.2 s early. Blocks while a task does.
    /// Errors and panics are logged, unless they are to be raised.
    ///
    /// # Errors
    /// The first failure, if told to raise. What comes after it in this pass is left to the next.
    pub fn run_periodic_tasks(
        &self,
        manager: &M,
        raise_on_error: bool,
    ) -> Result<Duration, TaskFailure> {
        self.run_while(manager, raise_on_error, || true)
    }

    /// What became of each task; those that are skipped come last.
    pub fn stats(&self) -> Vec<TaskStats> {
        let tasks = self.entries.iter().map(|entry| {
            let state = *entry.lock();
            TaskStats {
                name: entry.task.name.clone(),
                skipped: None,
                running: state.running_since.is_some(),
                runs: state.runs,
                failures: state.failures,
                slow: state.slow,
            }
        });
        let skipped = self.skipped.iter().map(|(name, skip)| TaskStats {
            name: name.clone(),
            skipped: Some(*skip),
            running: false,
            runs: 0,
            failures: 0,
            slow: 0,
        });
        tasks.chain(skipped).collect()
    }

    /// As [`run_periodic_tasks`](Self::run_periodic_tasks), but begins no task once `go_on` says no.
    pub(super) fn run_while(
        &self,
        manager: &M,
        raise_on_error: bool,
        go_on: impl Fn() -> bool,
    ) -> Result<Duration, TaskFailure> {
        for entry in &self.entries {
            if !go_on() {
                break;
            }
            if !entry.claim(self.clock.now()) {
                continue;
            }
            let outcome = contain(|| (entry.code)(manager));
            entry.finish(self.clock.now(), self.slow_after, outcome.is_err());
            let task = entry.task.name.as_str();
            match outcome {
                Ok(()) => {}
                Err(source) if raise_on_error => {
                    let task = task.to_owned();
                    return Err(TaskFailure { task, source });
                }
                Err(error) => tracing::error!(task, "periodic task failed: {error}"),
            }
        }
        Ok(self.idle_for())
    }

    /// Each start is alike: the last runs of an earlier one are forgotten.
    pub(crate) fn reset(&self) {
        let now = self.clock.now();
        self.entries.iter().for_each(|entry| entry.reset(now));
    }

    /// Reports runs that are too long by now, each once. Whether there were any.
    pub(super) fn report_slow(&self) -> bool {
        let now = self.clock.now();
        let slow = |entry: &&Entry<M>| entry.tell_if_slow(now, self.slow_after);
        self.entries.iter().filter(slow).count() > 0
    }

    /// How long until a run that is still in time may be too long.
    pub(super) fn until_slow(&self) -> Duration {
        let now = self.clock.now();
        let left = |entry: &Entry<M>| {
            let state = *entry.lock();
            let since = state.running_since.filter(|_| !state.told_slow)?;
            Some(since.saturating_add(self.slow_after).saturating_sub(now))
        };
        let soonest = self.entries.iter().filter_map(left).min();
        soonest.unwrap_or(self.slow_after)
    }

    fn idle_for(&self) -> Duration {
        let now = self.clock.now();
        let dues = self.entries.iter().filter_map(Entry::due);
        dues.map(|due| due.saturating_sub(now))
            .fold(LONGEST_IDLE, Duration::min)
    }
}

impl<M> Entry<M> {
    /// Takes the task to run it, if it is due and not running. The last run is set before the run.
    fn claim(&self, now: Duration) -> bool {
        let mut state = self.lock();
        let due = match (self.task.spacing, state.last_run) {
            (Spacing::Every(spacing), Some(last)) => last.saturating_add(spacing),
            _ => now,
        };
        if state.running_since.is_some() || due > now.saturating_add(EARLY) {
            return false;
        }
        state.last_run = Some(now);
        state.running_since = Some(now);
        state.told_slow = false;
        state.runs += 1;
        true
    }

    fn finish(&self, now: Duration, slow_after: Duration, failed: bool) {
        self.tell_if_slow(now, slow_after);
        let mut state = self.lock();
        state.running_since = None;
        state.failures += u64::from(failed);
    }

    fn tell_if_slow(&self, now: Duration, slow_after: Duration) -> bool {
        let mut state = self.lock();
        let Some(since) = state.running_since.filter(|_| !state.told_slow) else {
            return false;
        };
        let took = now.saturating_sub(since);
        if took < slow_after {
            return false;
        }
        state.told_slow = true;
        state.slow += 1;
        drop(state);
        tracing::warn!(task = self.task.name, ?took, "periodic task is slow");
        true
    }

    /// When it is due by the clock; not while it runs, as whoever waits for it would spin.
    fn due(&self) -> Option<Duration> {
        let state = self.lock();
        match self.task.spacing {
            Spacing::Every(spacing) if state.running_since.is_none() => Some(
                state
                    .last_run
                    .map_or(Duration::ZERO, |last| last.saturating_add(spacing)),
            ),
            _ => None,
        }
    }

    fn reset(&self, now: Duration) {
        let first = Some(now).filter(|_| !self.task.run_immediately);
        self.lock().last_run = first;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> fmt::Debug for PeriodicTasks<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stats()).finish()
    }
}
