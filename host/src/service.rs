//! A service: a manager, run in order.

mod builder;
mod consumer;
mod start;
mod state;

pub use builder::ServiceBuilder;
pub use consumer::{Consumer, ConsumerFn};
pub use start::{StartError, Step};

use crate::capabilities::{Capabilities, CapabilitiesPublisher};
use crate::dispatch::{Dispatcher, Version};
use crate::manager::Manager;
use crate::periodic::{PeriodicTasks, TaskFailure, TaskStats, Timer};
use crate::registry::{RegistryError, ServiceId, ServiceRegistry};
use state::{Phase, State};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs a [`Manager`] with all that belongs to it, in this order: `init_host`, the record created, `pre_start_hook`,
/// consumers, servers, `post_start_hook`, joined, the timer of its periodic tasks.
///
/// A step that fails or panics stops the start, and what had been started is undone in reverse. A service that has
/// stopped may be started again. Dropping it stops it.
pub struct Service<M: Manager> {
    manager: Arc<M>,
    id: ServiceId,
    version: Version,
    registry: Arc<dyn ServiceRegistry>,
    consumers: Vec<Box<dyn Consumer>>,
    servers: Vec<Box<dyn Consumer>>,
    dispatcher: Arc<Dispatcher>,
    tasks: Arc<PeriodicTasks<M>>,
    publisher: Arc<CapabilitiesPublisher>,
    settings: Settings,
    state: State,
    /// Those with threads that may not have ended yet.
    timers: Mutex<Vec<Arc<Timer>>>,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    timer: bool,
    fuzzy_delay: Duration,
    heartbeat: Duration,
}

impl<M: Manager> Service<M> {
    /// A builder with the defaults that its methods state.
    pub fn builder(manager: Arc<M>) -> ServiceBuilder<M> {
        ServiceBuilder::new(manager)
    }

    /// Starts everything, in order, on this thread. Blocks as long as the hooks and consumers do.
    ///
    /// # Errors
    /// [`StartError::NotStopped`] unless it has stopped; [`StartError::Stopped`] if it is stopped meanwhile;
    /// [`StartError::Failed`] of the step that failed. What had been started has been undone then.
    pub fn start(&self) -> Result<(), StartError> {
        if !self.state.enter(Phase::Stopped, Phase::Starting) {
            return Err(StartError::NotStopped);
        }
        self.start_in_order()
    }

    /// Undoes the start in reverse; errors and panics on the way are logged and swallowed. The record stays.
    ///
    /// Blocks as long as the consumers do, but not for a periodic task that is running: no further one begins, and
    /// [`wait`](Self::wait) waits for it. Does nothing if the service has stopped or is stopping. While it is starting,
    /// tells the start to undo itself at its next step, and does not wait.
    pub fn stop(&self) {
        if let Some(started) = self.state.begin_stop() {
            self.undo(started);
            self.state.end();
        }
    }

    /// Stops the service and removes its record.
    ///
    /// # Errors
    /// The registry's. That there is no record is none.
    pub fn kill(&self) -> Result<(), RegistryError> {
        self.stop();
        if !self.registry.remove(&self.id)? {
            tracing::warn!(service = %self.id, "there was no record to remove");
        }
        Ok(())
    }

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

    fn lock_timers(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Timer>>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Manager> Drop for Service<M> {
    fn drop(&mut self) {
        self.stop();
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
