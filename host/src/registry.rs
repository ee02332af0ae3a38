//! Where services are known, and known to be alive.

mod file;
mod memory;

pub use file::FileRegistry;
pub use memory::MemoryRegistry;

use crate::contain::BoxError;
use crate::dispatch::Version;
use ringbus::Clock;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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

/// A service by its host and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId {
    /// The host that it runs on.
    pub host: String,
    /// Its name.
    pub service: String,
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.service, self.host)
    }
}

/// What is known of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceRecord {
    /// Which.
    #[serde(flatten)]
    pub id: ServiceId,
    /// The version of its methods.
    pub version: Version,
    /// Its process.
    pub pid: u32,
    /// It has joined, and not left.
    pub member: bool,
    /// Heartbeats since it was created.
    pub beats: u64,
    /// When it last was heard of, in milliseconds of the registry's clock.
    pub heard_ms: u64,
}

impl ServiceRecord {
    fn new(id: &ServiceId, version: Version, clock: &dyn Clock) -> Self {
        Self {
            id: id.clone(),
            version,
            pid: std::process::id(),
            member: false,
            beats: 0,
            heard_ms: millis(clock),
        }
    }

    /// How long ago it last was heard of, by the registry's clock; zero if that is yet to come.
    pub fn age(&self, clock: &dyn Clock) -> Duration {
        Duration::from_millis(millis(clock).saturating_sub(self.heard_ms))
    }

    /// It is a member, but was not heard of for longer than `limit`: it most likely died.
    pub fn is_stale(&self, clock: &dyn Clock, limit: Duration) -> bool {
        self.member && self.age(clock) > limit
    }

    fn change(&mut self, change: Change, clock: &dyn Clock) {
        match change {
            Change::Join => self.member = true,
            Change::Leave => self.member = false,
            Change::Beat => {}
        }
        self.beats += u64::from(change != Change::Leave);
        self.heard_ms = millis(clock);
    }
}

/// A clock whose zero is the Unix epoch, so that the processes of a machine agree on it.
///
/// It follows the system's time: set back, it makes what was heard of look fresh for as long again.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnixClock;

impl Clock for UnixClock {
    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.unwrap_or_default()
    }
}

/// Why a registry did not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no record of the service.
    #[error("no record of {0}")]
    NotFound(ServiceId),
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no record.
    #[error("{} is no record: {source}", path.display())]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A store of the host's own.
    #[error("{0}")]
    Other(BoxError),
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

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Join,
    Beat,
    Leave,
}

fn millis(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.now().as_millis()).unwrap_or(u64::MAX)
}
