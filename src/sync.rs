//! The facade over the primitives that a model checker replaces.
//!
//! Outside `cfg(loom)` every name here is an alias. Under `cfg(loom)` the names stand for loom's, and three
//! things differ, none of them an ordering:
//!
//! - **The tick.** loom remembers only the last access of each atomic, so a thread's own load just before its
//!   compare-and-swap hides another thread's, and whole outcomes are never explored. Every atomic operation of
//!   ours therefore makes one Relaxed read-modify-write on a word that all threads share, first.
//! - **[`Snapshot`]** is one atomic word that frees what it replaced only at its own end. A lock would lend the
//!   registry an order that arc-swap does not promise.
//! - **Constants**, in [`limits`]: rings of two slots, so that a model laps in a few steps.
//!
//! **Architecture Invariant:** this is the only module that names `std::sync`, `core::sync` or `loom`.

#![allow(clippy::disallowed_types)] // here is where they come from

#[cfg(loom)]
mod model;
#[cfg(not(loom))]
mod real;

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(loom))]
pub(crate) use real::*;

/// Sizes and shares that a model shrinks.
pub(crate) mod limits {
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
    /// A claim of the only publisher holds at most `capacity / CLAIM_SHARE` slots: [K1 share].
    pub(crate) const CLAIM_SHARE: u64 = if cfg!(loom) { 2 } else { 8 };
    /// A claim is stalled without a grace when the tail is `capacity / STALL_SHARE` slots ahead: [K2 young].
    pub(crate) const STALL_SHARE: u64 = if cfg!(loom) { 4 } else { 2 };
    /// A scan looks at most at so many stamps for runs, and past so many holes for each cursor.
    pub(crate) const SCAN_REACH: u64 = 1024;
    /// A reader that finds nothing looks at the tail every so many tries.
    pub(crate) const TRIES_A_LOOK: u32 = if cfg!(loom) { 1 } else { 32 };
}
