//! The parts of a service, and what may be asked of it while it runs.

use super::consumer::Consumer;
use super::state::{Phase, State};
use crate::capabilities::{Capabilities, CapabilitiesPublisher};
use crate::dispatch::{Dispatcher, Version};
use crate::manager::Manager;
use crate::periodic::{PeriodicTasks, TaskFailure, TaskStats, Timer};
use crate::registry::{ServiceId, ServiceRegistry};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs a [`Manager`] with all that belongs to it, in this order: `init_host`, the record created, `pre_start_hook`,
/// consumers, servers, `post_start_hook`, joined, the timer of its periodic tasks.
///
/// A step that fails or panics stops the start, and what had been started is undone in reverse. A service that has
/// stopped may be started again. Dropping it stops it.
pub struct Service<M: Manager> {
    pub(super) manager: Arc<M>,
    pub(super) id: ServiceId,
    pub(super) version: Version,
    pub(super) registry: Arc<dyn ServiceRegistry>,
    pub(super) consumers: Vec<Box<dyn Consumer>>,
    pub(super) servers: Vec<Box<dyn Consumer>>,
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) tasks: Arc<PeriodicTasks<M>>,
    pub(super) publisher: Arc<CapabilitiesPublisher>,
    pub(super) settings: Settings,
    pub(super) state: State,
    /// Those with threads that may not have ended yet.
    pub(super) timers: Mutex<Vec<Arc<Timer>>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) timer: bool,
    pub(super) fuzzy_delay: Duration,
    pub(super) heartbeat: Duration,
}

impl<M: Manager> Service<M> {
    /// Waits until the service has stopped, and no periodic task of it is running; at once if it was never started.
    ///
    /// From a periodic task it does not wait for that one. A hook or a consumer must not wait: it would for itself.
    pub fn wait(&self) {
        self.state.wait_stopped();
        let timers = self.lock_timers().clone();
        timers.iter().for_each(|timer| timer.wait());
        self.lock_timers().retain(|timer| !timer.is_finished());
    }

    /// It has started, and nobody has stopped it.
    pub fn is_running(&self) -> bool {
        self.state.is(Phase::Running)
    }

    /// Its host and name.
    pub fn id(&self) -> &ServiceId {
        &self.id
    }

    /// Its manager.
    pub fn manager(&self) -> &Arc<M> {
        &self.manager
    }

    /// What calls its methods, for a client or a server.
    pub fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    /// What it says that it can do.
    pub fn capabilities(&self) -> &Arc<Capabilities> {
        &self.publisher.capabilities
    }

    /// Reports the latest capabilities now, if there are any; whether there were. A sink that panics is logged.
    pub fn publish_service_capabilities(&self) -> bool {
        self.publisher.publish().unwrap_or_else(|error| {
            tracing::error!(service = %self.id, "capabilities not published: {error}");
            false
        })
    }

    /// Runs what is due now on this thread, as [`PeriodicTasks::run_periodic_tasks`] does.
    ///
    /// # Errors
    /// The first failure, if told to raise.
    pub fn run_periodic_tasks(&self, raise_on_error: bool) -> Result<Duration, TaskFailure> {
        self.tasks.run_periodic_tasks(&self.manager, raise_on_error)
    }

    /// What became of its periodic tasks.
    pub fn task_stats(&self) -> Vec<TaskStats> {
        self.tasks.stats()
    }

    pub(super) fn lock_timers(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Timer>>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Manager> fmt::Debug for Service<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
