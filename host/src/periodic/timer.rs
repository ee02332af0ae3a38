//! The threads that run a service's periodic tasks.

use super::tasks::PeriodicTasks;
use crate::ticker::{Signal, Ticker};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So that a limit of nothing does not make the watch spin.
const SHORTEST_CHECK: Duration = Duration::from_millis(1);

/// One thread runs the passes, one watches it. A task that overruns keeps the thread that it runs on, and the other
/// tasks get a new one: at most one thread for each task, and one.
#[derive(Debug)]
pub(crate) struct Timer {
    runners: Arc<Mutex<Vec<Ticker>>>,
    watch: Ticker,
}

impl Timer {
    /// The first pass comes after a random part of `fuzzy_delay`.
    pub(crate) fn start<M: Send + Sync + 'static>(
        tasks: &Arc<PeriodicTasks<M>>,
        manager: &Arc<M>,
        fuzzy_delay: Duration,
    ) -> io::Result<Self> {
        let first = runner(tasks, manager, random_part(fuzzy_delay))?;
        let runners = Arc::new(Mutex::new(vec![first.clone()]));
        let watched = Arc::clone(&runners);
        let (tasks, manager) = (Arc::clone(tasks), Arc::clone(manager));
        let watch = move |signal: &Signal| {
            if tasks.report_slow() {
                let mut runners = lock(&watched);
                // Under the lock that `stop` takes: no runner comes after it.
                if !signal.stopped() {
                    match runner(&tasks, &manager, Duration::ZERO) {
                        Ok(next) => {
                            runners.iter().for_each(Ticker::stop);
                            runners.retain(|runner| !runner.is_finished());
                            runners.push(next);
                        }
                        Err(error) => tracing::error!("no thread beside a slow task: {error}"),
                    }
                }
            }
            tasks.until_slow().max(SHORTEST_CHECK)
        };
        let watch =
            Ticker::start("ringbus-watch", Duration::ZERO, watch).inspect_err(|_| first.stop())?;
        Ok(Self { runners, watch })
    }

    /// No task begins after this. Does not wait for one that is running.
    pub(crate) fn stop(&self) {
        self.watch.stop();
        lock(&self.runners).iter().for_each(Ticker::stop);
    }

    /// Waits until the threads have ended, but for the one that asks.
    pub(crate) fn wait(&self) {
        self.watch.wait();
        // Not under the lock: a task may call `stop`.
        let runners = lock(&self.runners).clone();
        runners.iter().for_each(Ticker::wait);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.watch.is_finished() && lock(&self.runners).iter().all(Ticker::is_finished)
    }
}

fn runner<M: Send + Sync + 'static>(
    tasks: &Arc<PeriodicTasks<M>>,
    manager: &Arc<M>,
    first: Duration,
) -> io::Result<Ticker> {
    let (tasks, manager) = (Arc::clone(tasks), Arc::clone(manager));
    Ticker::start("ringbus-periodic", first, move |signal| {
        let idle_for = tasks.run_while(&manager, false, || !signal.stopped());
        idle_for.unwrap_or_default() // nothing is raised
    })
}

fn random_part(of: Duration) -> Duration {
    let nanos = u64::try_from(of.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::u64(0..=nanos))
}

fn lock(runners: &Mutex<Vec<Ticker>>) -> MutexGuard<'_, Vec<Ticker>> {
    runners.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contain::BoxError;
    use crate::periodic::PeriodicTask;
    use ringbus::SystemClock;
    use std::sync::mpsc;

    #[test]
    fn the_first_delay_is_a_random_part() {
        assert_eq!(random_part(Duration::ZERO), Duration::ZERO);
        let whole = Duration::from_secs(60);
        let parts: Vec<_> = (0..100).map(|_| random_part(whole)).collect();
        assert!(parts.iter().all(|part| *part <= whole));
        assert!(parts.iter().any(|part| *part != parts[0]));
        assert!(random_part(Duration::MAX) <= Duration::MAX);
    }

    #[test]
    fn a_task_that_overruns_keeps_no_other_from_running() {
        let (release, stuck) = mpsc::channel::<()>();
        let stuck = Mutex::new(stuck);
        let (ran, runs) = mpsc::channel();
        let mut tasks = PeriodicTasks::new(Arc::new(SystemClock::new()));
        tasks.slow_after(Duration::from_millis(1));
        tasks.add(PeriodicTask::new("stuck", 0), move |()| {
            let _ = stuck.lock().unwrap().recv();
            Ok::<_, BoxError>(())
        });
        let often = Duration::from_millis(1);
        tasks.add(PeriodicTask::new("healthy", often), move |()| ran.send(()));
        let tasks = Arc::new(tasks);
        let timer = Timer::start(&tasks, &Arc::new(()), Duration::ZERO).unwrap();
        assert_eq!(runs.iter().take(3).count(), 3);

        let stats = tasks.stats();
        assert!(stats[0].running);
        assert_eq!((stats[0].runs, stats[0].slow), (1, 1), "told once");
        timer.stop();
        assert!(!timer.is_finished(), "the stuck task runs");
        drop(release);
        timer.wait();
        assert!(timer.is_finished());
        assert!(!tasks.stats()[0].running);
    }
}
