//! A host: a source that tells its changes over a bus, and caches that follow it. It runs on the real primitives here
//! (`main.rs`), and on loom's in the models (`loom-tests/tests/host.rs`).

use self::sync::{Arc, AtomicU64, Ordering};
use ringbus::{
    Bus, RecvError, ReportError, SubscribeError, SubscribeOptions, Subscriber, TryRecvError,
};

/// The host's own facade: as small as what it uses.
pub mod sync {
    #[cfg(loom)]
    pub use loom::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };
    #[cfg(not(loom))]
    pub use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };
}

/// What changes.
pub struct Source {
    /// How often it has changed.
    pub version: AtomicU64,
    /// Each change, as the version that it made.
    pub changes: Bus<u64>,
}

impl Source {
    pub fn new(changes: Bus<u64>) -> Arc<Self> {
        Arc::new(Source {
            version: AtomicU64::new(0),
            changes,
        })
    }

    /// Makes a change, and tells it. From any thread; waits for no cache.
    pub fn change(&self) -> Result<(), ReportError<u64>> {
        let version = self.version.fetch_add(1, Ordering::AcqRel) + 1;
        self.changes.report(version)
    }

    /// The version, for a cache that has subscribed: a read-modify-write, so that either it sees a change, or the
    /// change's own sees the subscription.
    fn version(&self) -> u64 {
        self.version.fetch_add(0, Ordering::AcqRel)
    }
}

/// Knows the version of its source.
pub struct Cache {
    pub source: Arc<Source>,
    pub changes: Subscriber<u64>,
    pub version: u64,
}

impl Cache {
    /// Subscribes first and looks then: a change that comes between the two is seen twice, not never.
    pub fn new(source: &Arc<Source>) -> Result<Self, SubscribeError> {
        let changes = source
            .changes
            .subscribe_with(SubscribeOptions::new().window(1))?;
        Ok(Cache {
            version: source.version(),
            source: Arc::clone(source),
            changes,
        })
    }

    /// Takes in what was told so far.
    pub fn refresh(&mut self) -> Result<u64, SubscribeError> {
        loop {
            match self.changes.try_recv() {
                // Not simply the last: of two changes the later may be told first.
                Ok(version) => self.version = self.version.max(*version),
                // It was too slow and was dropped: all that it missed is in the source.
                Err(TryRecvError::Evicted(_)) => self.rejoin()?,
                Err(_) => return Ok(self.version),
            }
        }
    }

    /// Sleeps until the source has reached `version`, or has ended.
    pub fn wait_for(&mut self, version: u64) -> Result<u64, SubscribeError> {
        while self.version < version {
            match self.changes.recv() {
                Ok(version) => self.version = self.version.max(*version),
                Err(RecvError::Evicted(_)) => self.rejoin()?,
                Err(_) => break,
            }
        }
        Ok(self.version)
    }

    fn rejoin(&mut self) -> Result<(), SubscribeError> {
        self.changes.rejoin()?;
        self.version = self.source.version();
        Ok(())
    }
}
