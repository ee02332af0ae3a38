//! A call on a thread of its own that freezes where its plan says, and hands the turn back meanwhile.

use ringbus::hooks::{self, Point};
use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a call that runs alone may take, on any machine.
const LONG: Duration = Duration::from_secs(30);

/// Where a call stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a hook inside a publish.
    Hook(Point),
    /// In the user's iterator, in the middle of a batch.
    Iterator,
    /// While it borrows an event.
    Borrow,
}

/// How far a call has come when it freezes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) place: Place,
    /// Commits that were attempted before.
    pub(crate) commits: u64,
    /// Events that were taken from the iterator.
    pub(crate) taken: u64,
}

pub(crate) enum Answer<R> {
    Frozen(Stop),
    Done(R),
    Panicked(Box<dyn Any + Send>),
}

/// What a running call asks at each place whether it is to freeze there.
#[derive(Clone)]
pub(crate) struct Pauses(Option<Rc<RefCell<Plan>>>);

struct Plan {
    /// Freezes happen in the user's iterator rather than anywhere else.
    in_iterator: bool,
    /// Places to pass before each freeze.
    passes: VecDeque<u32>,
    commits: u64,
    taken: u64,
    freeze: Box<dyn FnMut(Stop)>,
}

impl Pauses {
    /// Never freezes.
    pub(crate) fn none() -> Self {
        Pauses(None)
    }

    /// Counts an event that the iterator gives, and freezes there if the plan says so.
    pub(crate) fn give(&self) {
        if let Some(plan) = &self.0 {
            plan.borrow_mut().reach(Place::Iterator);
            plan.borrow_mut().taken += 1;
        }
    }

    /// Freezes at this place if the plan says so.
    pub(crate) fn reach(&self, place: Place) {
        if let Some(plan) = &self.0 {
            plan.borrow_mut().reach(place);
        }
    }
}

impl Plan {
    fn reach(&mut self, place: Place) {
        let may_freeze = self.in_iterator == (place == Place::Iterator);
        if may_freeze && let Some(left) = self.passes.front_mut() {
            if *left > 0 {
                *left -= 1;
            } else {
                self.passes.pop_front();
                (self.freeze)(Stop {
                    place,
                    commits: self.commits,
                    taken: self.taken,
                });
            }
        }
        if place == Place::Hook(Point::Written) {
            self.commits += 1;
        }
    }
}

/// A call that may be frozen.
pub(crate) struct Errand<R> {
    answers: Receiver<Answer<R>>,
    go: Sender<()>,
}

impl<R: Send + 'static> Errand<R> {
    /// Starts `act`, which freezes after so many places, each time. [`Errand::wait`] is to follow.
    pub(crate) fn start(
        in_iterator: bool,
        passes: VecDeque<u32>,
        act: impl FnOnce(&Pauses) -> R + Send + 'static,
    ) -> Self {
        let (answer, answers) = channel();
        let (go, may_go) = channel();
        thread::spawn(move || {
            let frozen = answer.clone();
            let freeze = Box::new(move |stop| {
                // A round that has failed hears nothing, and every call goes on to its end.
                let _ = frozen.send(Answer::Frozen(stop));
                let _ = may_go.recv();
            });
            let pauses = Pauses(Some(Rc::new(RefCell::new(Plan {
                in_iterator,
                passes,
                commits: 0,
                taken: 0,
                freeze,
            }))));
            let at_hooks = pauses.clone();
            hooks::set(move |point| match point {
                // A reader comes here too, and borrows nothing.
                Point::Sought
                | Point::HandingOn
                | Point::Resting
                | Point::Raised
                | Point::Waking => {}
                point => at_hooks.reach(Place::Hook(point)),
            });
            let last = match catch_unwind(AssertUnwindSafe(|| act(&pauses))) {
                Ok(result) => Answer::Done(result),
                Err(panic) => Answer::Panicked(panic),
            };
            let _ = answer.send(last);
        });
        Errand { answers, go }
    }

    /// Waits until the call freezes or is done; panics if it does neither.
    pub(crate) fn wait(&self) -> Answer<R> {
        match self.answers.recv_timeout(LONG) {
            Ok(Answer::Panicked(panic)) => resume_unwind(panic),
            Ok(answer) => answer,
            Err(_) => panic!("a call does not come back, though it is not frozen"),
        }
    }

    /// Lets the call go on. [`Errand::wait`] is to follow.
    pub(crate) fn thaw(&self) {
        let _ = self.go.send(());
    }
}
