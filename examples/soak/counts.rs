//! What happened, counted. Nothing rests on these numbers but the report.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ringbus::EvictionReason;
use serde::{Serialize, Serializer};

#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}

macro_rules! counts {
    ($name:ident { $($(#[$doc:meta])* $counter:ident: $type:ident,)* }) => {
        #[derive(Debug, Default, Serialize)]
        pub struct $name { $($(#[$doc])* pub $counter: $type,)* }

        impl $name {
            const fn new() -> Self {
                Self { $($counter: $type::new(),)* }
            }
        }
    };
}

counts!(Counts {
    events_accepted: Counter,
    events_delivered: Counter,
    /// Events that came back: no room, or the bus was stopped.
    events_refused: Counter,
    /// Of those, because too much of a ring was frozen.
    exhausted: Counter,
    publishers: Counter,
    joins: Counter,
    /// Subscriptions that a ring had no room for.
    joins_refused: Counter,
    leaves: Counter,
    rejoins_by_hand: Counter,
    rejoins_on_lap: Counter,
    /// As the bus told of them, moves to the tail included.
    evictions: Evictions,
    handlers: Counter,
    handler_panics: Counter,
    restarts: Counter,
    borrows_held: Counter,
});

counts!(Evictions {
    lapped: Counter,
    lagging: Counter,
    stalled: Counter,
    panicked: Counter,
    unsubscribed: Counter,
});

pub static COUNTS: Counts = Counts::new();

impl Evictions {
    pub fn of(&self, reason: EvictionReason) -> &Counter {
        match reason {
            EvictionReason::Lapped => &self.lapped,
            EvictionReason::Lagging => &self.lagging,
            EvictionReason::Stalled => &self.stalled,
            EvictionReason::Panicked => &self.panicked,
            _ => &self.unsubscribed,
        }
    }
}
