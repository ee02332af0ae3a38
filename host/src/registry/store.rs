//! What keeps the records of services.

use super::error::RegistryError;
use super::record::{ServiceId, ServiceRecord};
use crate::dispatch::Version;
use std::sync::Arc;

/// Keeps the records of services.
///
/// Only [`create`](Self::create) makes a record: a late heartbeat brings none back that was removed.
pub trait ServiceRegistry: Send + Sync + 'static {
    /// Creates the record of a service that is no member yet; over one of an earlier run. Whether there was none.
    ///
    /// # Errors
    /// The store's.
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError>;

    /// Announces the service as a member, and is its first heartbeat.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] without a record; the store's.
    fn join(&self, id: &ServiceId) -> Result<(), RegistryError>;

    /// A heartbeat: the service is alive.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] without a record; the store's.
    fn beat(&self, id: &ServiceId) -> Result<(), RegistryError>;

    /// The service is no member any more; its record stays.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] without a record; the store's.
    fn leave(&self, id: &ServiceId) -> Result<(), RegistryError>;

    /// Removes the record. Whether there was one.
    ///
    /// # Errors
    /// The store's.
    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError>;

    /// Every record, by host and name.
    ///
    /// # Errors
    /// The store's.
    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError>;
}

impl<R: ServiceRegistry + ?Sized> ServiceRegistry for Arc<R> {
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError> {
        (**self).create(id, version)
    }

    fn join(&self, id: &ServiceId) -> Result<(), RegistryError> {
        (**self).join(id)
    }

    fn beat(&self, id: &ServiceId) -> Result<(), RegistryError> {
        (**self).beat(id)
    }

    fn leave(&self, id: &ServiceId) -> Result<(), RegistryError> {
        (**self).leave(id)
    }

    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError> {
        (**self).remove(id)
    }

    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError> {
        (**self).list()
    }
}

/// `join`, `beat` and `leave` of a registry that has one method `change` for all three.
macro_rules! join_beat_leave {
    () => {
        fn join(&self, id: &ServiceId) -> Result<(), RegistryError> {
            self.change(id, Change::Join)
        }

        fn beat(&self, id: &ServiceId) -> Result<(), RegistryError> {
            self.change(id, Change::Beat)
        }

        fn leave(&self, id: &ServiceId) -> Result<(), RegistryError> {
            self.change(id, Change::Leave)
        }
    };
}

pub(super) use join_beat_leave;
