//! What is known of a service, and the clock that says since when.

use crate::dispatch::Version;
use ringbus::Clock;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime};

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
    pub(super) fn new(id: &ServiceId, version: Version, clock: &dyn Clock) -> Self {
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

    pub(super) fn change(&mut self, change: Change, clock: &dyn Clock) {
        match change {
            Change::Join => self.member = true,
            Change::Leave => self.member = false,
            Change::Beat => {}
        }
        self.beats += u64::from(change != Change::Leave);
        self.heard_ms = millis(clock);
    }
}

/// What changes about a record.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Change {
    Join,
    Beat,
    Leave,
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

fn millis(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.now().as_millis()).unwrap_or(u64::MAX)
}
