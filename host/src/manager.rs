//! What a service is run for.

use crate::contain::BoxError;
use crate::dispatch::{Methods, Version};
use crate::machine::host_name;
use crate::periodic::PeriodicTasks;

/// What a hook fails with.
pub type HookError = BoxError;

/// The host's own part of a [`Service`](crate::Service): its hooks, its periodic tasks, and the methods that clients may call.
///
/// Everything is optional. A hook that fails or panics stops the start, and what had been started is undone.
///
/// ```
/// use ringbus_host::{BoxError, HookError, Manager, PeriodicTask, PeriodicTasks};
///
/// struct Scheduler;
///
/// impl Scheduler {
///     fn expire(&self) -> Result<(), BoxError> {
///         Ok(())
///     }
/// }
///
/// impl Manager for Scheduler {
///     fn service_name(&self) -> String {
///         "scheduler".into()
///     }
///     fn init_host(&self) -> Result<(), HookError> {
///         std::fs::metadata("/")?;
///         Ok(())
///     }
///     fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
///         tasks.add(PeriodicTask::new("expire", 30), Self::expire);
///     }
/// }
/// ```
pub trait Manager: Send + Sync + 'static {
    /// The host that it runs on. Default: the machine's name. Asked once, as the three below, when the service is built.
    fn host(&self) -> String {
        host_name()
    }

    /// The service's name. Default: "undefined".
    fn service_name(&self) -> String {
        "undefined".to_owned()
    }

    /// The namespace of its methods. Default: none.
    fn namespace(&self) -> Option<String> {
        None
    }

    /// The version of its methods. Default: 1.0.
    fn version(&self) -> Version {
        Version::default()
    }

    /// Before everything else.
    ///
    /// # Errors
    /// Any; nothing is started then.
    fn init_host(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// After the record was created, before any consumer is started.
    ///
    /// # Errors
    /// Any; the start is undone then.
    fn pre_start_hook(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// When the service is serving, before it joins.
    ///
    /// # Errors
    /// Any; the start is undone then.
    fn post_start_hook(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// Undoes [`init_host`](Self::init_host), if that had succeeded: the last thing of a stop, and of a start that failed.
    ///
    /// # Errors
    /// Any; it is logged.
    fn cleanup_host(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// Adds its periodic tasks. Called once, when the service is built.
    fn periodic_tasks(&self, _tasks: &mut PeriodicTasks<Self>)
    where
        Self: Sized,
    {
    }

    /// Adds its methods; nothing else of it can be called. Called once, when the service is built.
    fn methods(&self, _methods: &mut Methods<Self>)
    where
        Self: Sized,
    {
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default() {
        struct Bare;
        impl Manager for Bare {}
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(Bare.host(), name.trim_end());
        assert_eq!(Bare.service_name(), "undefined");
        assert_eq!(Bare.version().to_string(), "1.0");
        assert_eq!(Bare.namespace(), None);
        for hook in [
            Bare::init_host,
            Bare::pre_start_hook,
            Bare::post_start_hook,
            Bare::cleanup_host,
        ] {
            assert!(hook(&Bare).is_ok());
        }
    }
}
