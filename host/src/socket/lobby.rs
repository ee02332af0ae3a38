//! Who is inside, and what is under way.

use super::connection::Connection;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The connections of a server, and the commands that are being executed.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closing: bool,
    /// Connections that are executing a command.
    busy: usize,
    next: u64,
    inside: HashMap<u64, Seat>,
    refused: u64,
    /// The thread that left last. Each joins the one before it, so that no more than one is not joined.
    left: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Seat {
    connection: Arc<Connection>,
    thread: JoinHandle<()>,
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("user {uid} is not allowed")]
    Forbidden { uid: u32 },
    #[error("too many clients: at most {limit}")]
    Full { limit: usize },
    #[error("shutting down")]
    Closing,
    #[error("no room for a client: {0}")]
    System(io::Error),
}

impl Lobby {
    /// Lets a client in, whose thread is started by `spawn`; that thread [leaves](Self::leave) at its end.
    pub(super) fn admit(
        &self,
        limit: usize,
        connection: &Arc<Connection>,
        spawn: impl FnOnce(u64) -> io::Result<JoinHandle<()>>,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.closing {
            return Err(Refusal::Closing);
        }
        if state.inside.len() >= limit {
            return Err(Refusal::Full { limit });
        }
        let seat = state.next;
        state.next += 1;
        let thread = spawn(seat).map_err(Refusal::System)?;
        let connection = Arc::clone(connection);
        state.inside.insert(seat, Seat { connection, thread });
        Ok(())
    }

    pub(super) fn refused(&self) {
        self.lock().refused += 1;
    }

    /// The last thing of a connection's thread, called by itself.
    pub(super) fn leave(&self, seat: u64) {
        let before = {
            let mut state = self.lock();
            let own = state.inside.remove(&seat).map(|seat| seat.thread);
            self.changed.notify_all();
            own.and_then(|own| state.left.replace(own))
        };
        if let Some(before) = before {
            let _ = before.join(); // a panic of its was told by the hook
        }
    }

    /// Begins a command, unless the server is closing; the guard's end is the command's.
    pub(super) fn begin_command(&self) -> Option<Busy<'_>> {
        let mut state = self.lock();
        if state.closing {
            return None;
        }
        state.busy += 1;
        Some(Busy(self))
    }

    /// Nobody is let in, and no command begun, from here on.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Waits for so long, or until the server is closing.
    pub(super) fn rest(&self, pause: Duration) {
        let until = Instant::now().checked_add(pause);
        drop(self.wait_until(until, |state| state.closing));
    }

    /// Reads no further commands, of any client. How many clients there are.
    pub(super) fn stop_reading(&self) -> usize {
        let state = self.lock();
        state
            .inside
            .values()
            .for_each(|seat| seat.connection.outlet.stop_reading());
        state.inside.len()
    }

    pub(super) fn wait_for_commands(&self, deadline: Option<Instant>) {
        drop(self.wait_until(deadline, |state| state.busy == 0));
    }

    /// Waits until everybody has left, and disconnects who has not by the deadline: how many those are.
    pub(super) fn drain(&self, deadline: Option<Instant>) -> usize {
        let state = self.wait_until(deadline, |state| state.inside.is_empty());
        let left = state.inside.values();
        left.for_each(|seat| seat.connection.outlet.close());
        state.inside.len()
    }

    /// Waits until everybody has left but who is executing a command: how many those are. All are disconnected by then.
    pub(super) fn join(&self) -> usize {
        let mut state = self.wait_until(None, |state| state.inside.len() <= state.busy);
        let (busy, left) = (state.inside.len(), state.left.take());
        drop(state);
        if let Some(left) = left {
            let _ = left.join();
        }
        busy
    }

    /// How many clients are inside, and how many were refused.
    pub(super) fn counts(&self) -> (usize, u64) {
        let state = self.lock();
        (state.inside.len(), state.refused)
    }

    /// How many subscriptions there are.
    pub(super) fn subscriptions(&self) -> usize {
        let state = self.lock();
        let inside = state.inside.values();
        inside.map(|seat| seat.connection.pumps()).sum()
    }

    fn wait_until(
        &self,
        deadline: Option<Instant>,
        done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while !done(&state) {
            let waited = match deadline {
                None => self.changed.wait(state),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return state;
                    }
                    let waited = self.changed.wait_timeout(state, left);
                    waited
                        .map(|(state, _)| state)
                        .map_err(|poison| PoisonError::new(poison.into_inner().0))
                }
            };
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that is being executed.
#[derive(Debug)]
pub(super) struct Busy<'a>(&'a Lobby);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
        self.0.changed.notify_all();
    }
}
