//! What a service starts and stops beside its manager.

use crate::dispatch::Dispatcher;
use crate::manager::HookError;
use std::fmt;
use std::sync::Arc;

/// Something with threads of its own: a worker, a consumer of events, a server.
///
/// It is started and stopped by turns, any number of times, never both at once.
pub trait Consumer: Send + Sync + 'static {
    /// Its name in errors and logs.
    fn name(&self) -> &str;

    /// Starts it. A server hands its clients' requests to `dispatcher`.
    ///
    /// # Errors
    /// Any. It has undone then what it had begun, as it will not be stopped.
    fn start(&self, dispatcher: &Arc<Dispatcher>) -> Result<(), HookError>;

    /// Stops it; it may be started again.
    ///
    /// # Errors
    /// Any; it is logged.
    fn stop(&self) -> Result<(), HookError>;
}

impl<C: Consumer + ?Sized> Consumer for Arc<C> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn start(&self, dispatcher: &Arc<Dispatcher>) -> Result<(), HookError> {
        (**self).start(dispatcher)
    }

    fn stop(&self) -> Result<(), HookError> {
        (**self).stop()
    }
}

/// A [`Consumer`] made of two closures.
pub struct ConsumerFn<S, T> {
    name: String,
    start: S,
    stop: T,
}

impl<S, T> ConsumerFn<S, T>
where
    S: Fn(&Arc<Dispatcher>) -> Result<(), HookError> + Send + Sync + 'static,
    T: Fn() -> Result<(), HookError> + Send + Sync + 'static,
{
    /// Started by `start`, stopped by `stop`.
    pub fn new(name: impl Into<String>, start: S, stop: T) -> Self {
        Self {
            name: name.into(),
            start,
            stop,
        }
    }
}

impl<S, T> Consumer for ConsumerFn<S, T>
where
    S: Fn(&Arc<Dispatcher>) -> Result<(), HookError> + Send + Sync + 'static,
    T: Fn() -> Result<(), HookError> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self, dispatcher: &Arc<Dispatcher>) -> Result<(), HookError> {
        (self.start)(dispatcher)
    }

    fn stop(&self) -> Result<(), HookError> {
        (self.stop)()
    }
}

impl<S, T> fmt::Debug for ConsumerFn<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConsumerFn").field(&self.name).finish()
    }
}
