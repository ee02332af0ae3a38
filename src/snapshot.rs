//! A value that many threads load and that is replaced whole: arc-swap's, and a model's.
//!
//! Under `cfg(loom)` a snapshot is one atomic word that frees what it replaced only at its own end. A lock would
//! lend the registry an order that arc-swap does not promise.

#![allow(clippy::disallowed_types)] // a model's snapshot has a cell that loom does not follow

#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod std;

#[cfg(loom)]
pub(crate) use self::loom::{Loaded, Snapshot};
#[cfg(not(loom))]
pub(crate) use self::std::{Loaded, Snapshot};
