//! Network interfaces, as the kernel tells of their coming and going.
//!
//! A route socket is subscribed to the changes of links, then asked for those that are there; the table of what was told
//! turns each message into [`LinkChange`]s. If the kernel had to drop messages, the links are asked for again and the
//! differences are told.
//!
//! **Architecture Invariant:** never polls; knows nothing of events and containers.

mod change;
mod error;
mod link;
mod listing;
mod message;
mod table;
mod watch;

pub use change::{LinkAction, LinkChange};
pub use error::LinksError;
pub use watch::{Links, LinksStop};
