//! Sizes and shares of a ring. A model shrinks them, so that it laps a ring in a few steps.

/// The least capacity of a ring.
pub(crate) const LEAST_CAPACITY: usize = if cfg!(loom) { 2 } else { 64 };
/// The widest window that may be asked for, in slots. In a model too.
pub(crate) const WIDEST_WISH: usize = 128;
/// The widest window of a cursor, in slots.
pub(crate) const WIDEST_WINDOW: u64 = if cfg!(loom) { 4 } else { WIDEST_WISH as u64 };
/// The windows of a ring's cursors add up to at most `capacity / PIN_SHARE`.
pub(crate) const PIN_SHARE: u64 = if cfg!(loom) { 1 } else { 4 };
/// A batch begins a run at multiples of this.
pub(crate) const RUN_STEP: u64 = if cfg!(loom) { 2 } else { 4 };
/// A claim of a shared publisher that is alone holds at most `capacity / CLAIM_SHARE` slots: [K1 share].
pub(crate) const CLAIM_SHARE: u64 = if cfg!(loom) { 2 } else { 8 };
/// A claim is stalled without a grace when the tail is `capacity / STALL_SHARE` slots ahead: [K2 young].
pub(crate) const STALL_SHARE: u64 = if cfg!(loom) { 4 } else { 2 };
/// A scan looks at most at so many stamps for runs, and past so many holes for each cursor.
pub(crate) const SCAN_REACH: u64 = 1024;
/// A reader that finds nothing looks at the tail every so many tries.
pub(crate) const TRIES_A_LOOK: u32 = if cfg!(loom) { 1 } else { 32 };
/// How many events a batch claims, or writes, at once: the most, of events that are not large.
pub(crate) const BATCH: usize = 128;

/// Returns how many slots one scan of the gate gives at most, in a ring of `capacity`.
pub(crate) fn most_room(capacity: u64) -> u64 {
    (capacity / 2).max(1)
}
