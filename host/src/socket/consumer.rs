//! The socket, as a server of a service.

use super::builder::ServerBuilder;
use super::server::Server;
use crate::dispatch::Dispatcher;
use crate::manager::HookError;
use crate::service::Consumer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A [`Server`] that a [`Service`](crate::Service) starts and stops, and whose clients call the service's methods: see
/// [`ServiceBuilder::server`](crate::ServiceBuilder::server).
///
/// Its stop shuts the [`EventManager`](crate::EventManager) down, so a service that is to start again starts that in
/// its [`init_host`](crate::Manager::init_host).
#[derive(Debug)]
pub struct ServerConsumer {
    builder: ServerBuilder,
    running: Mutex<Option<Server>>,
}

impl ServerConsumer {
    /// Starts what `builder` says, with the dispatcher of the service.
    #[must_use]
    pub fn new(builder: ServerBuilder) -> Self {
        ServerConsumer {
            builder,
            running: Mutex::new(None),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Server>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for ServerConsumer {
    fn name(&self) -> &str {
        "socket"
    }

    fn start(&self, dispatcher: &Arc<Dispatcher>) -> Result<(), HookError> {
        let builder = self.builder.clone().dispatcher(Arc::clone(dispatcher));
        *self.running() = Some(builder.start()?);
        Ok(())
    }

    fn stop(&self) -> Result<(), HookError> {
        let server = self.running().take();
        if let Some(server) = server {
            let report = server.shutdown();
            tracing::info!(
                clients = report.clients,
                cut = report.cut,
                busy = report.busy,
                "the socket is closed"
            );
        }
        Ok(())
    }
}
