//! How and why a subscriber was evicted.
//!
//! Where it is decided: `Lapped` in `ring/gate.rs`, by a publisher; `Lagging` and `Stalled` in
//! `worker/turn.rs`; `Panicked` in `handler.rs`; `Unsubscribed` in `registry/registration.rs`; a
//! handler at the deadline of a stop in `engine/shutdown.rs`.

use std::fmt;

/// Declares the reasons once, so that no list of them can miss one.
macro_rules! eviction_reasons {
    ($($(#[$doc:meta])* $reason:ident $says:literal,)*) => {
        /// Why a subscriber was dropped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EvictionReason {
            $($(#[$doc])* $reason,)*
        }

        impl EvictionReason {
            /// Every reason, in the order of the counters in [`WorkerStats`](crate::WorkerStats).
            pub const ALL: [EvictionReason; Self::COUNT] = [$(EvictionReason::$reason,)*];

            /// How many reasons there are.
            pub const COUNT: usize = [$($says,)*].len();
        }

        impl fmt::Display for EvictionReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(EvictionReason::$reason => $says,)*
                })
            }
        }
    };
}

eviction_reasons! {
    /// It was more than 7/8 of a ring behind, and a publisher needed room (the hard limit). Only
    /// [`try_report`](crate::Bus::try_report) uses the whole ring and drops nobody.
    Lapped "lapped",
    /// It was further behind than its lag limit for longer than that limit allows (the soft limit).
    Lagging "lagging",
    /// It was behind and did not move for as long as its stall limit, or as a stop's deadline.
    Stalled "stalled",
    /// Its handler panicked, and it was not dropped for another reason before the panic had unwound.
    Panicked "panicked",
    /// The host unsubscribed it.
    Unsubscribed "unsubscribed",
}

impl EvictionReason {
    /// It was too slow, by whichever limit.
    pub fn is_for_lag(self) -> bool {
        matches!(
            self,
            EvictionReason::Lapped | EvictionReason::Lagging | EvictionReason::Stalled
        )
    }
}

/// How and where a subscriber was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Eviction {
    /// Why.
    pub reason: EvictionReason,
    /// The first sequence that the subscriber did not read. Seen from another thread (notices, statistics) the first that
    /// its cursor had not passed: less by up to a window.
    pub sequence: u64,
    /// How many sequences it was behind when this value was made: an upper bound on events. It goes
    /// on growing after the drop, so it may be more than the ring has slots.
    pub lag: u64,
}

impl fmt::Display for Eviction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at sequence {}, {} behind",
            self.reason, self.sequence, self.lag
        )
    }
}
