//! The steps of a start.

use super::consumer::Consumer;
use super::instance::Service;
use super::state::{Phase, Started};
use crate::contain::{BoxError, contain};
use crate::manager::Manager;
use crate::periodic::Timer;
use crate::ticker::Ticker;
use std::sync::Arc;
use std::time::Duration;

/// A step of a start, in the order in which they come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Step {
    /// [`Manager::init_host`].
    #[error("init_host")]
    InitHost,
    /// The service's record is created.
    #[error("creating the record")]
    CreateRecord,
    /// [`Manager::pre_start_hook`].
    #[error("pre_start_hook")]
    PreStartHook,
    /// A consumer of this name is started.
    #[error("consumer {0}")]
    Consumer(String),
    /// A server of this name is started.
    #[error("server {0}")]
    Server(String),
    /// [`Manager::post_start_hook`].
    #[error("post_start_hook")]
    PostStartHook,
    /// The service joins as a member, and its heartbeat begins.
    #[error("joining")]
    Join,
    /// Capabilities are published for the first time, and the timer of the periodic tasks begins.
    #[error("starting the periodic timer")]
    PeriodicTimer,
}

/// Why a service did not start. Nothing of it is left started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It is starting, running, or stopping.
    #[error("the service has not stopped")]
    NotStopped,
    /// It was stopped while it started.
    #[error("the service was stopped while it started")]
    Stopped,
    /// A step failed.
    #[error("{step}: {source}")]
    Failed {
        /// Which.
        step: Step,
        /// Its error, or [`Panicked`](crate::Panicked).
        source: BoxError,
    },
}

impl<M: Manager> Service<M> {
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

    fn start_in_order(&self) -> Result<(), StartError> {
        let mut started = Vec::new();
        let failure = match self.steps(&mut started) {
            Ok(()) => match self.state.run(started) {
                Ok(()) => return Ok(()),
                Err(back) => {
                    started = back;
                    StartError::Stopped
                }
            },
            Err(failure) => failure,
        };
        tracing::error!(service = %self.id, "not started: {failure}");
        self.undo(started);
        self.state.end();
        Err(failure)
    }

    fn steps(&self, started: &mut Vec<Started>) -> Result<(), StartError> {
        let (manager, registry) = (&self.manager, &self.registry);
        self.step(Step::InitHost, || manager.init_host())?;
        started.push(Started::Host);
        let create = || Ok(registry.create(&self.id, self.version)?);
        if self.step(Step::CreateRecord, create)? {
            started.push(Started::Record);
        }
        self.step(Step::PreStartHook, || manager.pre_start_hook())?;
        for (index, consumer) in self.consumers.iter().enumerate() {
            self.start_one(&**consumer, Step::Consumer)?;
            started.push(Started::Consumer(index));
        }
        for (index, server) in self.servers.iter().enumerate() {
            self.start_one(&**server, Step::Server)?;
            started.push(Started::Server(index));
        }
        self.step(Step::PostStartHook, || manager.post_start_hook())?;
        self.step(Step::Join, || Ok(registry.join(&self.id)?))?;
        started.push(Started::Member);
        if !self.settings.heartbeat.is_zero() {
            let heartbeat = self.step(Step::Join, || self.heartbeat())?;
            started.push(Started::Heartbeat(heartbeat));
        }
        let timer = self.step(Step::PeriodicTimer, || self.timer())?;
        started.extend(timer.map(Started::Timer));
        Ok(())
    }

    fn step<T>(
        &self,
        step: Step,
        code: impl FnOnce() -> Result<T, BoxError>,
    ) -> Result<T, StartError> {
        if self.state.stop_asked() {
            return Err(StartError::Stopped);
        }
        contain(code).map_err(|source| StartError::Failed { step, source })
    }

    fn start_one(
        &self,
        consumer: &dyn Consumer,
        step: fn(String) -> Step,
    ) -> Result<(), StartError> {
        // Its name is its own code too; a panic there is told of without it.
        let name = self.step(step(String::new()), || Ok(consumer.name().to_owned()))?;
        self.step(step(name), || consumer.start(&self.dispatcher))
    }

    fn heartbeat(&self) -> Result<Ticker, BoxError> {
        let (registry, id) = (Arc::clone(&self.registry), self.id.clone());
        let pause = self.settings.heartbeat;
        let beat = move |_: &_| -> Duration {
            if let Err(error) = contain(|| Ok(registry.beat(&id)?)) {
                tracing::error!(service = %id, "no heartbeat: {error}");
            }
            pause
        };
        Ok(Ticker::start("ringbus-heartbeat", pause, beat)?)
    }

    fn timer(&self) -> Result<Option<Arc<Timer>>, BoxError> {
        self.publish_service_capabilities();
        self.tasks.reset();
        if !self.settings.timer {
            return Ok(None);
        }
        let timer = Timer::start(&self.tasks, &self.manager, self.settings.fuzzy_delay)?;
        let timer = Arc::new(timer);
        let mut timers = self.lock_timers();
        timers.retain(|timer| !timer.is_finished());
        timers.push(Arc::clone(&timer));
        Ok(Some(timer))
    }
}
