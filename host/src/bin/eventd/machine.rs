//! The daemon's manager: runs the events, and measures the machine.

use ringbus_host::{
    BoxError, Capabilities, EventManager, HookError, Manager, PeriodicTask, PeriodicTasks, machine,
};
use serde_json::Value;
use std::sync::Arc;

/// How far apart measurements are, in seconds.
const SPACING: i64 = 10;

#[derive(Debug)]
pub(crate) struct Machine {
    events: EventManager,
    workers: Option<usize>,
    capabilities: Arc<Capabilities>,
}

impl Machine {
    pub(crate) fn new(
        events: EventManager,
        workers: Option<usize>,
        capabilities: Arc<Capabilities>,
    ) -> Self {
        Machine {
            events,
            workers,
            capabilities,
        }
    }

    /// What is published of the machine is as old as this, at most.
    fn measure(&self) -> Result<(), BoxError> {
        if let Value::Object(measured) = machine()? {
            self.capabilities.update_service_capabilities(measured);
        }
        Ok(())
    }
}

impl Manager for Machine {
    fn service_name(&self) -> String {
        "eventd".to_owned()
    }

    fn init_host(&self) -> Result<(), HookError> {
        self.events.start(self.workers)?;
        // So that there is something to publish on start.
        self.measure()
    }

    fn cleanup_host(&self) -> Result<(), HookError> {
        let report = self.events.stop();
        for stopped in &report.undrained {
            let name = stopped.name.as_deref().unwrap_or("a subscriber");
            tracing::warn!(
                name,
                lag = stopped.lag,
                "had not read everything when the bus stopped"
            );
        }
        Ok(())
    }

    fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
        tasks.add(PeriodicTask::new("measure", SPACING), Self::measure);
    }
}
