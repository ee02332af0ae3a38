//! The hosting side: an event daemon and a service manager on the bus.
//!
//! **Architecture Invariant:** stands on the public interface of the bus alone, and the core knows nothing of it.

// Nothing here is run by the models: locks and threads are std's own.
#![allow(clippy::disallowed_types)]

mod exact;

pub use exact::ExactJson;
