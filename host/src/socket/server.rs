//! The server: started, asked and shut down.

use super::claim::Claim;
use super::error::ServerError;
use super::shared::Shared;
use super::stats::{ServerReport, ServerStats};
use rustix::net::{Shutdown, shutdown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Serves an [`EventManager`](crate::EventManager), and the methods of a [`Dispatcher`](crate::Dispatcher), on a Unix
/// stream socket of mode 0600.
///
/// A client is greeted with `{"version": "..."}`, sends [`Command`](crate::Command)s, one a line, and reads a
/// [`Reply`](crate::Reply) to each, in order:
///
/// - `ping`: `"pong"`;
/// - `stats`: counters, of the server and of the bus;
/// - `event_subscribe`, with a [`Filter`](crate::Filter) as its opts: `"subscribed"`, and from then on a response for
///   each event that matches and was reported since;
/// - `event_broadcast`, with `{"events": [{"type": ..., "opts": ...}]}`: null, when all are reported. If one of them is
///   no event, none is;
/// - anything else, and everything that has a `namespace` or a `version`: the method of that name.
///
/// Each command is itself reported as `management` events, with its secrets redacted: `run` before, and `done` or `failed`
/// before its reply. A subscription is told of all of them but the command that made it.
///
/// A client that closes its sending side goes on receiving. One that does not read is dropped by the bus when it is too
/// far behind, told so if it reads on, and disconnected; it is disconnected without a word if it takes nothing for as
/// long as the [write deadline](crate::ServerBuilder::write_deadline).
///
/// A connection takes one thread with a stack of 1 MiB, a line's buffer of 8 KiB to the longest line, and 208 KiB or so in
/// the kernel; a subscription one with a stack of 256 KiB and a buffer of 64 KiB and a line. Of a stack only what is used
/// takes memory. The lines of the latest events are kept, as many for each worker as its ring has slots.
///
/// Dropping it shuts it down.
///
/// ```
/// use ringbus_host::{EventManager, Server};
/// use std::io::{BufRead, BufReader, Write};
/// use std::os::unix::net::UnixStream;
///
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("events.sock");
/// let manager = EventManager::new()?;
/// manager.start(1)?;
/// let server = Server::builder(&path, manager).version("1.0").start()?;
///
/// let mut client = UnixStream::connect(&path)?;
/// client.write_all(b"{\"cmd\": \"ping\"}\n")?;
/// let mut lines = BufReader::new(client).lines();
/// assert_eq!(lines.next().unwrap()?, r#"{"version":"1.0"}"#);
/// assert_eq!(lines.next().unwrap()?, r#"{"status":true,"response":"pong"}"#);
///
/// assert_eq!(server.shutdown().clients, 1);
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    path: PathBuf,
    /// Until it is shut down.
    door: Option<Door>,
}

/// What lets clients in.
#[derive(Debug)]
struct Door {
    claim: Claim,
    listener: Arc<UnixListener>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counters. At once stale.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        self.shared.stats()
    }

    /// Ends it: nobody is let in and no command begun any more; the manager is
    /// [shut down](crate::EventManager::shutdown), so that the notice is the last event of every
    /// client that reads, whatever its filter; and when they have it, or at the
    /// [drain deadline](crate::ServerBuilder::drain_deadline), all are disconnected and the socket is removed.
    ///
    /// Blocks until then, but for no method that is still running: its thread is left to end by itself.
    pub fn shutdown(mut self) -> ServerReport {
        self.end().unwrap_or_default()
    }

    pub(super) fn open(shared: Arc<Shared>, path: PathBuf) -> Result<Self, ServerError> {
        let (claim, listener) = Claim::take(&path)?;
        let listener = Arc::new(listener);
        let (theirs, at) = (Arc::clone(&shared), Arc::clone(&listener));
        let thread = thread::Builder::new()
            .name("ringbus-accept".to_owned())
            .spawn(move || theirs.accept(&at))
            .map_err(ServerError::Thread)?;
        let door = Some(Door {
            claim,
            listener,
            thread,
        });
        Ok(Server { shared, path, door })
    }

    fn end(&mut self) -> Option<ServerReport> {
        let door = self.door.take()?;
        let began = Instant::now();
        let (shared, lobby) = (&self.shared, &self.shared.lobby);
        // A deadline beyond the clock's range is none.
        let deadline = began.checked_add(shared.limits.drain);
        lobby.close();
        // Wakes whoever accepts. It fails only if that has happened.
        let _ = shutdown(&door.listener, Shutdown::Both);
        let _ = door.thread.join();
        let clients = lobby.stop_reading();
        // What is acknowledged is to come before the notice; half of the time is for the notice.
        lobby.wait_for_commands(began.checked_add(shared.limits.drain / 2));
        let (events, cut) = thread::scope(|scope| {
            let drain = || lobby.drain(deadline);
            let builder = thread::Builder::new().name("ringbus-drain".to_owned());
            match builder.spawn_scoped(scope, drain) {
                Ok(drain) => (shared.manager.shutdown(), drain.join().unwrap_or_default()),
                Err(error) => {
                    tracing::error!("no thread to drain by: {error}");
                    (shared.manager.shutdown(), lobby.drain(Some(began)))
                }
            }
        });
        let busy = lobby.join();
        drop(door.claim);
        Some(ServerReport {
            events: Some(events),
            clients,
            cut,
            busy,
            took: began.elapsed(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
