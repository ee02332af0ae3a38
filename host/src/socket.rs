//! The socket: clients of other processes follow events and call methods, one JSON line each way.
//!
//! A thread accepts; each connection has a thread that reads its commands, and one more for each subscription, which
//! takes events from the bus and writes them. A client that does not read holds up its own threads, and nobody else's.
//!
//! **Architecture Invariant:** no event is borrowed from the bus while a socket is written to, and no lock of more than
//! one connection is held while anything blocks.

mod accept;
mod builder;
mod cache;
mod claim;
mod command;
mod connection;
mod consumer;
mod error;
mod lobby;
mod outlet;
mod peer;
mod pump;
mod server;
mod session;
mod shared;
mod stats;

pub use builder::ServerBuilder;
pub use consumer::ServerConsumer;
pub use error::ServerError;
pub use server::Server;
pub use stats::{ServerReport, ServerStats};
