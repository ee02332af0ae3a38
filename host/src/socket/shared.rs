//! What the threads of a server have in common.

use super::cache::LineCache;
use super::lobby::Lobby;
use crate::dispatch::Dispatcher;
use crate::events::EventManager;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The longest line of a command whose opts are reported, and that may hold a filter, in bytes.
pub(super) const MAX_REPORTED_LINE: usize = 64 << 10;

/// One server, as its threads see it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) manager: EventManager,
    pub(super) dispatcher: Option<Arc<Dispatcher>>,
    pub(super) greeting: Vec<u8>,
    pub(super) allowed: BTreeSet<u32>,
    pub(super) limits: Limits,
    pub(super) lobby: Lobby,
    pub(super) lines: LineCache,
    /// The number of the latest command.
    pub(super) commands: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) clients: usize,
    pub(super) subscriptions: usize,
    pub(super) line: usize,
    pub(super) write: Duration,
    pub(super) drain: Duration,
}
