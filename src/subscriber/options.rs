//! What a subscriber asks for, and what becomes of it when it is too slow.

use crate::error::SubscribeError;
use crate::limits;
use crate::wait::WaitStrategy;
use std::time::Duration;

/// What a subscriber asks for.
///
/// ```
/// use ringbus::{OnLap, SubscribeOptions};
/// use std::time::Duration;
///
/// let options = SubscribeOptions::new()
///     .name("risk")
///     .on_lap(OnLap::Rejoin)
///     .lag_limit(500, Duration::from_millis(20));
/// ```
///
/// What can never be meant is an error of [`Bus::subscribe_with`](crate::Bus::subscribe_with), not of the methods here,
/// because it depends on the ring.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SubscribeOptions {
    pub(crate) name: Option<String>,
    pub(crate) core: Option<usize>,
    pub(crate) worker: Option<usize>,
    pub(crate) wait: WaitStrategy,
    /// The window that was asked for; none for as much as there is.
    pub(crate) window: Option<usize>,
    pub(crate) on_lap: OnLap,
    pub(crate) lag_limit: Option<LagLimit>,
    pub(crate) stall_limit: Option<Duration>,
}

/// What becomes of a subscriber that is too slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLap {
    /// It is dropped, and told why: `Evicted`.
    #[default]
    Evict,
    /// It is moved to the tail, and told how much it missed: `Lagged(n)`.
    Rejoin,
}

/// The soft limit: more than `slots` behind for longer than `time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LagLimit {
    pub(crate) slots: u64,
    pub(crate) time: Duration,
}

impl SubscribeOptions {
    /// Asks for nothing in particular: no name, no limits, no core, the worker with the fewest subscribers, a window as
    /// wide as the ring has room for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the subscriber a name for statistics and notices, and a handler's thread too.
    ///
    /// A name of any length will do, but the system may show less of a thread's (Linux: its first 15 bytes). Control
    /// characters (NUL, line breaks, the start of an escape sequence) are
    /// [`InvalidName`](crate::SubscribeError::InvalidName), because names end up in logs and on terminals.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Names the core for a handler's thread, or for
    /// [`Subscriber::pin_current_thread`](crate::Subscriber::pin_current_thread), which refuse a
    /// core that is not available.
    pub fn core(mut self, core: usize) -> Self {
        self.core = Some(core);
        self
    }

    /// Chooses the worker whose ring to read. Default: the one with the fewest active subscribers, the first of a tie.
    pub fn worker(mut self, worker: usize) -> Self {
        self.worker = Some(worker);
        self
    }

    /// Sets how blocking calls wait. Default [`WaitStrategy::Backoff`].
    pub fn wait(mut self, strategy: WaitStrategy) -> Self {
        self.wait = strategy;
        self
    }

    /// Sets what becomes of a subscriber that is too slow. Default [`OnLap::Evict`].
    pub fn on_lap(mut self, what: OnLap) -> Self {
        self.on_lap = what;
        self
    }

    /// Drops the subscriber as [`Lagging`](crate::EvictionReason::Lagging) if it is more than `slots` sequences behind for
    /// longer than `time`. Default: no such limit.
    ///
    /// The worker goes by the subscriber's cursor. The cursor moves once for each
    /// [`window`](Self::window), which is at most 8 slots by default where there is such a limit,
    /// and whenever there is nothing more to read. `lag_limit(0, time)` drops a subscriber that is
    /// behind at all for so long. The worker looks a few times in `time`, and not more often than
    /// every 100 µs.
    ///
    /// `slots` must be less than [`Bus::capacity`](crate::Bus::capacity), because a subscriber that
    /// is a whole ring behind is dropped anyway:
    /// [`LagLimitTooLarge`](crate::SubscribeError::LagLimitTooLarge). If `slots` is 7/8 of the
    /// capacity or more, publishers mostly drop the subscriber first, as
    /// [`Lapped`](crate::EvictionReason::Lapped). A `time` of zero is
    /// [`ZeroDuration`](crate::SubscribeError::ZeroDuration), because every subscriber is behind
    /// for a moment.
    pub fn lag_limit(mut self, slots: u64, time: Duration) -> Self {
        self.lag_limit = Some(LagLimit { slots, time });
        self
    }

    /// Drops the subscriber as [`Stalled`](crate::EvictionReason::Stalled) if it is behind and has not moved for `time`.
    /// Default: no such limit.
    ///
    /// What counts is the cursor, as for [`lag_limit`](Self::lag_limit): `time` is to be longer than 8 events take. Zero is
    /// [`ZeroDuration`](crate::SubscribeError::ZeroDuration).
    pub fn stall_limit(mut self, time: Duration) -> Self {
        self.stall_limit = Some(time);
        self
    }

    /// Sets the most slots that the subscriber may hold at once: 1 to 128.
    ///
    /// Default: as wide as the ring has room for, but at most 64 slots if one takes more than 32
    /// bytes.
    ///
    /// A wide window costs fewer atomic operations, and more of the ring if the subscriber is dropped in the middle of an
    /// event; it also leaves room for fewer subscribers ([`Full`](crate::SubscribeError::Full)).
    ///
    /// The bus rounds it down to a power of two, and gives less if the ring has fewer slots left:
    /// [`Subscriber::window`](crate::Subscriber::window) says what became of it. 0, and more than
    /// 128, is [`WindowOutOfRange`](crate::SubscribeError::WindowOutOfRange).
    pub fn window(mut self, slots: usize) -> Self {
        self.window = Some(slots);
        self
    }

    /// Refuses what can never be meant in a ring of so many slots, and says what would do.
    pub(crate) fn check(&self, capacity: u64) -> Result<(), SubscribeError> {
        let mut characters = self.name.iter().flat_map(|name| name.char_indices());
        if let Some((position, character)) = characters.find(|(_, c)| c.is_control()) {
            return Err(SubscribeError::InvalidName {
                position,
                character,
            });
        }
        if let Some(slots) = self.window
            && !(1..=limits::WIDEST_WISH).contains(&slots)
        {
            return Err(SubscribeError::WindowOutOfRange {
                slots,
                most: limits::WIDEST_WISH,
            });
        }
        let zero = |option| Err(SubscribeError::ZeroDuration { option });
        match self.lag_limit {
            Some(limit) if limit.time.is_zero() => return zero("lag_limit"),
            Some(limit) if limit.slots >= capacity => {
                return Err(SubscribeError::LagLimitTooLarge {
                    slots: limit.slots,
                    capacity,
                });
            }
            _ => {}
        }
        match self.stall_limit {
            Some(time) if time.is_zero() => zero("stall_limit"),
            _ => Ok(()),
        }
    }

    /// The watch is to look at how its cursor moves.
    pub(crate) fn is_limited(&self) -> bool {
        self.lag_limit.is_some() || self.stall_limit.is_some()
    }
}
