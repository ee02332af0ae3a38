//! How far a service has come.

use crate::periodic::Timer;
use crate::ticker::Ticker;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    Stopped,
    Starting,
    Running,
    Stopping,
}

/// What a step has left to be undone.
#[derive(Debug)]
pub(super) enum Started {
    Host,
    /// The record, if there was none before. Undone by a start that fails, not by a stop.
    Record,
    Consumer(usize),
    Server(usize),
    Member,
    Heartbeat(Ticker),
    Timer(Arc<Timer>),
}

#[derive(Debug)]
pub(super) struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug)]
struct Now {
    phase: Phase,
    /// A start is to undo itself.
    stop_asked: bool,
    /// What a stop undoes; while it runs.
    started: Vec<Started>,
}

impl State {
    pub(super) fn new() -> Self {
        let now = Now {
            phase: Phase::Stopped,
            stop_asked: false,
            started: Vec::new(),
        };
        Self {
            now: Mutex::new(now),
            changed: Condvar::new(),
        }
    }

    pub(super) fn is(&self, phase: Phase) -> bool {
        self.lock().phase == phase
    }

    /// From one phase to another, if it is in that.
    pub(super) fn enter(&self, from: Phase, to: Phase) -> bool {
        let mut now = self.lock();
        let may = now.phase == from;
        if may {
            now.phase = to;
            now.stop_asked = false;
        }
        may
    }

    pub(super) fn stop_asked(&self) -> bool {
        self.lock().stop_asked
    }

    /// Everything has started; it is given back if a stop was asked for meanwhile. The record stays from here on.
    pub(super) fn run(&self, mut started: Vec<Started>) -> Result<(), Vec<Started>> {
        let mut now = self.lock();
        if now.stop_asked {
            return Err(started);
        }
        started.retain(|one| !matches!(one, Started::Record));
        now.phase = Phase::Running;
        now.started = started;
        Ok(())
    }

    /// What to undo, if there is anything to stop.
    pub(super) fn begin_stop(&self) -> Option<Vec<Started>> {
        let mut now = self.lock();
        match now.phase {
            Phase::Running => {
                now.phase = Phase::Stopping;
                Some(std::mem::take(&mut now.started))
            }
            Phase::Starting => {
                now.stop_asked = true;
                None
            }
            Phase::Stopped | Phase::Stopping => None,
        }
    }

    /// Everything is undone.
    pub(super) fn end(&self) {
        self.lock().phase = Phase::Stopped;
        self.changed.notify_all();
    }

    pub(super) fn wait_stopped(&self) {
        let now = self.lock();
        let stopped = |now: &mut Now| now.phase != Phase::Stopped;
        let waited = self.changed.wait_while(now, stopped);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
