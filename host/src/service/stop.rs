//! How each step of a start is undone: by a stop, and by a start that fails.

use super::consumer::Consumer;
use super::instance::Service;
use super::state::Started;
use crate::contain::{BoxError, contain};
use crate::manager::Manager;
use crate::registry::RegistryError;

impl<M: Manager> Service<M> {
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

    /// In reverse; what fails is logged, and keeps nothing else from being undone.
    pub(super) fn undo(&self, started: Vec<Started>) {
        for one in started.into_iter().rev() {
            if let Err(error) = contain(|| self.undo_one(&one)) {
                tracing::error!(service = %self.id, ?one, "not undone: {error}");
            }
        }
    }

    fn undo_one(&self, one: &Started) -> Result<(), BoxError> {
        match one {
            Started::Host => self.manager.cleanup_host(),
            Started::Record => Ok(self.registry.remove(&self.id).map(drop)?),
            Started::Consumer(index) => stop_one(&self.consumers, *index),
            Started::Server(index) => stop_one(&self.servers, *index),
            Started::Member => Ok(self.registry.leave(&self.id)?),
            Started::Heartbeat(ticker) => {
                ticker.stop();
                // So that no beat comes after the leave.
                ticker.wait();
                Ok(())
            }
            Started::Timer(timer) => {
                timer.stop();
                Ok(())
            }
        }
    }
}

impl<M: Manager> Drop for Service<M> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn stop_one(of: &[Box<dyn Consumer>], index: usize) -> Result<(), BoxError> {
    of.get(index).map_or(Ok(()), |consumer| consumer.stop())
}
