//! The socket's lines: newline-delimited JSON, both ways.
//!
//! A client reads a [`Reply::Greeting`], sends [`Command`]s, and reads one reply for each; after `event_subscribe` also one
//! for each event. Both sides read with a [`LineReader`].
//!
//! **Architecture Invariant:** knows bytes and JSON; no socket, no bus, no command by name.

mod command;
mod error;
mod line;
mod reply;

pub use command::Command;
pub use error::WireError;
pub use line::{Line, LineReader, MAX_LINE};
pub use reply::Reply;
