//! Records in memory.

use super::error::RegistryError;
use super::record::{Change, ServiceId, ServiceRecord};
use super::store::{ServiceRegistry, join_beat_leave};
use crate::dispatch::Version;
use ringbus::{Clock, SystemClock};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps records for as long as it lives. Share it with an [`Arc`](std::sync::Arc), which is a registry too.
pub struct MemoryRegistry {
    clock: Box<dyn Clock>,
    records: Mutex<BTreeMap<ServiceId, ServiceRecord>>,
}

impl MemoryRegistry {
    /// No records; times are from now on.
    pub fn new() -> Self {
        Self::with_clock(SystemClock::new())
    }

    /// No records; times as `clock` tells them.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self {
            clock: Box::new(clock),
            records: Mutex::default(),
        }
    }

    fn change(&self, id: &ServiceId, change: Change) -> Result<(), RegistryError> {
        let mut records = self.lock();
        let record = records.get_mut(id);
        let record = record.ok_or_else(|| RegistryError::NotFound(id.clone()))?;
        record.change(change, &*self.clock);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ServiceId, ServiceRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServiceRegistry for MemoryRegistry {
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError> {
        let record = ServiceRecord::new(id, version, &*self.clock);
        Ok(self.lock().insert(id.clone(), record).is_none())
    }

    join_beat_leave!();

    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError> {
        Ok(self.lock().remove(id).is_some())
    }

    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError> {
        Ok(self.lock().values().cloned().collect())
    }
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.lock();
        f.debug_list().entries(records.values()).finish()
    }
}
