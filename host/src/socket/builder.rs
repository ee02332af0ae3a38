//! How a server is put together.

use super::cache::LineCache;
use super::error::ServerError;
use super::lobby::Lobby;
use super::server::Server;
use super::shared::{Limits, Shared};
use crate::dispatch::Dispatcher;
use crate::events::EventManager;
use crate::wire::{MAX_LINE, Reply};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The choices of a [`Server`]; made by [`Server::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder starts nothing until it is told to"]
pub struct ServerBuilder {
    path: PathBuf,
    manager: EventManager,
    dispatcher: Option<Arc<Dispatcher>>,
    version: String,
    allowed: BTreeSet<u32>,
    limits: Limits,
}

impl Server {
    /// A builder with the defaults that its methods state, for a socket at `path`. The manager may be started before or
    /// after the server.
    pub fn builder(path: impl Into<PathBuf>, manager: EventManager) -> ServerBuilder {
        ServerBuilder::new(path.into(), manager)
    }
}

impl ServerBuilder {
    fn new(path: PathBuf, manager: EventManager) -> Self {
        let own = rustix::process::geteuid().as_raw();
        ServerBuilder {
            path,
            manager,
            dispatcher: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            allowed: BTreeSet::from([own, 0]),
            limits: Limits {
                clients: 256,
                subscriptions: 16,
                line: MAX_LINE,
                write: Duration::from_secs(5),
                drain: Duration::from_secs(5),
            },
        }
    }

    /// The version that clients are greeted with. Default: that of this crate.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Whose methods clients may call. Default: none. They run on the thread of the client's connection.
    pub fn dispatcher(mut self, dispatcher: Arc<Dispatcher>) -> Self {
        self.dispatcher = Some(dispatcher);
        self
    }

    /// Lets in the processes of one user more. Default: root and the own user. The socket's mode stays 0600: for others
    /// whoever allows them has to open it.
    pub fn allow_uid(mut self, uid: u32) -> Self {
        self.allowed.insert(uid);
        self
    }

    /// How many clients may be connected. Default: 256.
    ///
    /// A subscription takes one slot of its ring's quota, which is a quarter of the ring: with rings of 8192 slots and two
    /// workers there is room for every subscription that the defaults allow.
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.limits.clients = clients;
        self
    }

    /// How many subscriptions a client may have. Default: 16.
    pub fn max_subscriptions(mut self, subscriptions: usize) -> Self {
        self.limits.subscriptions = subscriptions;
        self
    }

    /// How many bytes a client's line may have, its newline included. Default: [`MAX_LINE`].
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.limits.line = bytes;
        self
    }

    /// How long a client may take to take what is written to it at once: a line, or lines of 64 KiB together. Default: 5 s.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.limits.write = deadline;
        self
    }

    /// How long a shutdown may take. Default: 5 s. The bus should be built with a
    /// [`stop_timeout`](ringbus::BusBuilder::stop_timeout) that is as long, or its subscribers have no more than that.
    pub fn drain_deadline(mut self, deadline: Duration) -> Self {
        self.limits.drain = deadline;
        self
    }

    /// Takes the socket's path, over that of a dead server if need be, and serves.
    ///
    /// Beside the socket there is a file with `.lock` behind its name, which is locked as long as the server lives.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(self) -> Result<Server, ServerError> {
        let version = self.version;
        let shared = Shared {
            manager: self.manager,
            dispatcher: self.dispatcher,
            greeting: Reply::Greeting { version }.to_line(),
            allowed: self.allowed,
            limits: self.limits,
            lobby: Lobby::default(),
            lines: LineCache::default(),
            commands: AtomicU64::new(0),
        };
        Server::open(Arc::new(shared), self.path)
    }
}
