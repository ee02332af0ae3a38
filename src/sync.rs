//! The facade over the primitives that a model checker replaces.
//!
//! Outside `cfg(loom)` every name here is an alias. Under `cfg(loom)` the names stand for loom's, and one
//! thing differs, which is no ordering: **the tick**. loom remembers only the last access of each atomic, so a
//! thread's own load just before its compare-and-swap hides another thread's, and whole outcomes are never
//! explored. Every atomic operation of ours therefore makes one Relaxed read-modify-write on a word that all
//! threads share, first.
//!
//! Besides, a model replaces [`Snapshot`](crate::snapshot::Snapshot) and the sizes in [`limits`](crate::limits).
//!
//! **Architecture Invariant:** this is the only module that names `std::sync`, `core::sync` or `loom`.

#![allow(clippy::disallowed_types)] // here is where they come from

#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod std;

#[cfg(loom)]
pub(crate) use self::loom::*;
#[cfg(not(loom))]
pub(crate) use self::std::*;
