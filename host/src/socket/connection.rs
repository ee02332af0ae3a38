//! What the threads of one connection have in common.

use super::outlet::Outlet;
use super::peer::Peer;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One client.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) outlet: Outlet,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Subscriptions that stand.
    pumps: usize,
    /// No further command comes.
    half_closed: bool,
}

impl Connection {
    pub(super) fn new(peer: Peer, outlet: Outlet) -> Self {
        Connection {
            peer,
            outlet,
            state: Mutex::default(),
        }
    }

    /// Subscriptions that stand.
    pub(super) fn pumps(&self) -> usize {
        self.lock().pumps
    }

    pub(super) fn add_pump(&self) {
        self.lock().pumps += 1;
    }

    /// For a pump that was not started.
    pub(super) fn forget_pump(&self) {
        self.lock().pumps -= 1;
    }

    /// The end of a pump: the connection ends with the last one, but for a command that is being executed.
    pub(super) fn end_pump(&self) {
        let mut state = self.lock();
        state.pumps -= 1;
        if state.pumps == 0 {
            // Whoever reads, or waits for the peer to hang up, wakes.
            if state.half_closed {
                self.outlet.close();
            } else {
                self.outlet.stop_reading();
            }
        }
    }

    /// No further command comes. As long as there are subscriptions, waits until the peer is gone, or the last of them.
    pub(super) fn outlast(&self) {
        let pumps = {
            let mut state = self.lock();
            state.half_closed = true;
            state.pumps
        };
        if pumps > 0 {
            self.outlet.wait_hang_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
