//! A thread that does something again and again, and stops at once when it is told to.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// A handle on the thread. Dropping it stops nothing.
#[derive(Clone, Debug)]
pub(crate) struct Ticker {
    signal: Arc<Signal>,
    thread: ThreadId,
}

/// What the thread and its handles tell each other.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    finished: bool,
}

impl Ticker {
    /// Starts a thread that calls `tick` after `first`, and again after as long as each call says.
    pub(crate) fn start(
        name: &str,
        first: Duration,
        mut tick: impl FnMut(&Signal) -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let theirs = Finish(Arc::clone(&signal));
        let body = move || {
            let theirs = theirs; // dropped after `tick`, which may hold what its owner waits for
            let mut tick = move |signal: &Signal| tick(signal);
            let mut pause = first;
            while !theirs.0.stopped_within(pause) {
                pause = tick(&theirs.0);
            }
            drop(tick);
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(body)?;
        let thread = handle.thread().id();
        Ok(Self { signal, thread })
    }

    /// Tells the thread to end after the tick that is running, if one is. Does not wait.
    pub(crate) fn stop(&self) {
        self.signal.lock().stop = true;
        self.signal.changed.notify_all();
    }

    /// Waits until the thread has ended; from that thread itself, not at all.
    pub(crate) fn wait(&self) {
        if thread::current().id() == self.thread {
            return;
        }
        let state = self.signal.lock();
        let ended = self.signal.changed.wait_while(state, |s| !s.finished);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.signal.lock().finished
    }
}

impl Signal {
    pub(crate) fn stopped(&self) -> bool {
        self.lock().stop
    }

    fn stopped_within(&self, pause: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, pause, |s| !s.stop);
        waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the thread has ended, also when a tick panicked.
struct Finish(Arc<Signal>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.lock().finished = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const FOREVER: Duration = Duration::MAX;

    #[test]
    fn ticks_until_it_is_stopped() {
        let (tx, rx) = mpsc::channel();
        let tick = move |_: &Signal| tx.send(()).map_or(FOREVER, |()| Duration::ZERO);
        let ticker = Ticker::start("ticker", Duration::ZERO, tick).unwrap();
        assert_eq!(rx.iter().take(3).count(), 3);
        ticker.stop();
        ticker.wait();
        assert!(ticker.is_finished());
        rx.iter().for_each(drop); // ends: the tick and its sender are gone
    }

    #[test]
    fn a_stop_wakes_it_before_its_first_tick() {
        let (tx, rx) = mpsc::channel::<()>();
        let tick = move |_: &Signal| tx.send(()).map_or(FOREVER, |()| FOREVER);
        let ticker = Ticker::start("ticker", FOREVER, tick).unwrap();
        assert!(!ticker.is_finished());
        ticker.stop();
        ticker.wait();
        assert_eq!(rx.iter().count(), 0);
    }

    #[test]
    fn a_tick_that_panics_ends_it() {
        let ticker = Ticker::start("ticker", Duration::ZERO, |_| panic!("tick")).unwrap();
        ticker.wait();
        assert!(ticker.is_finished());
    }
}
