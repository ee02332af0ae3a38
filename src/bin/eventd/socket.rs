//! The socket, as a server of the service.

use ringbus::host::{Consumer, Dispatcher, HookError, Server, ServerBuilder};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct SocketServer {
    builder: ServerBuilder,
    running: Mutex<Option<Server>>,
}

impl SocketServer {
    pub(crate) fn new(builder: ServerBuilder) -> Self {
        SocketServer {
            builder,
            running: Mutex::new(None),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Server>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for SocketServer {
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
