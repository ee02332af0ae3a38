//! A publisher that stops at a hook, until it is told to go on.
#![allow(dead_code)]

use super::common::LONG;
use ringbus::hooks::{self, Point};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};

pub(crate) const POINTS: [Point; 3] = [Point::Claimed, Point::Entered, Point::Written];

/// A publisher that stopped at some point, on a thread of its own.
pub(crate) struct Stopped<R> {
    thread: JoinHandle<R>,
    go: Sender<()>,
}

impl<R: Send + 'static> Stopped<R> {
    /// Runs `act` and returns when its thread has reached `point` for the `nth` time, from 0.
    pub(crate) fn at(point: Point, nth: usize, act: impl FnOnce() -> R + Send + 'static) -> Self {
        match Self::try_at(point, nth, act) {
            Ok(stopped) => stopped,
            Err(_) => panic!("it never came to {point:?}"),
        }
    }

    /// The same, or what `act` came to without reaching `point` so often.
    pub(crate) fn try_at(
        point: Point,
        nth: usize,
        act: impl FnOnce() -> R + Send + 'static,
    ) -> Result<Self, R> {
        let (tell, told): (Sender<()>, Receiver<()>) = channel();
        let (go, wait): (Sender<()>, Receiver<()>) = channel();
        let thread = thread::spawn(move || {
            let mut seen = 0;
            hooks::set(move |reached| {
                if reached == point {
                    if seen == nth {
                        tell.send(()).unwrap();
                        let _ = wait.recv_timeout(LONG);
                    }
                    seen += 1;
                }
            });
            act()
        });
        match told.recv_timeout(LONG) {
            Ok(()) => Ok(Stopped { thread, go }),
            // The hook went with its thread.
            Err(RecvTimeoutError::Disconnected) => Err(thread.join().unwrap()),
            Err(RecvTimeoutError::Timeout) => panic!("it neither stops nor ends"),
        }
    }

    pub(crate) fn go_on(self) -> R {
        self.go.send(()).unwrap();
        self.thread.join().unwrap()
    }
}
