//! Reading calls, apart from all books: what a subscriber gave and how the call ended.

use super::errand::{Pauses, Place};
use super::event::Event;
use ringbus::{Delivery, EvictionReason, RecvError, Subscriber, TryRecvError};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// One call of a reading method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    One,
    /// A call that blocks, made only where an event is there.
    Recv,
    Drain(usize),
    /// Breaks at the event with this number, from 1.
    Until(usize),
    Newest,
    Release,
    /// Takes one event and freezes while it is borrowed.
    Hold,
    /// Freezes in a drain while the event with this number is borrowed, and breaks there.
    HoldInDrain(usize),
    /// Falls asleep as a task does.
    Sleep,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It gave what it was asked for.
    Some,
    Empty,
    Lagged,
    Evicted(EvictionReason),
    Closed,
}

pub(crate) struct Read {
    /// The events by number, each with its sequence where the call tells it.
    pub(crate) events: Vec<(u64, Option<u64>)>,
    pub(crate) end: End,
}

/// Says whether a sleeping task was woken.
#[derive(Default)]
pub(crate) struct Alarm(AtomicBool);

impl Alarm {
    pub(crate) fn rang(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Reading {
    /// Makes the call.
    pub(crate) fn run<E: Event>(self, subscriber: &mut Subscriber<E>, pauses: &Pauses) -> Read {
        let mut events = Vec::new();
        let end = match self {
            Reading::One | Reading::Hold => match subscriber.try_recv() {
                Ok(event) => {
                    let number = event.read();
                    if self == Reading::Hold {
                        pauses.reach(Place::Borrow);
                        assert_eq!(event.read(), number, "an event changed while borrowed");
                    }
                    events.push((number, Some(Delivery::sequence(&event))));
                    End::Some
                }
                Err(error) => end(error),
            },
            Reading::Recv => match subscriber.recv() {
                Ok(event) => {
                    events.push((event.read(), Some(Delivery::sequence(&event))));
                    End::Some
                }
                Err(error) => end(error.into()),
            },
            Reading::Newest => match subscriber.latest() {
                Ok(event) => {
                    events.push((event.read(), Some(Delivery::sequence(&event))));
                    End::Some
                }
                Err(error) => end(error),
            },
            Reading::Drain(most) => {
                let result = subscriber.drain(most, |event| events.push((event.read(), None)));
                drained(result, &events)
            }
            Reading::Until(last) | Reading::HoldInDrain(last) => {
                let result = subscriber.drain_while(1_000, |event| {
                    let number = event.read();
                    events.push((number, None));
                    if events.len() < last {
                        return ControlFlow::Continue(());
                    }
                    pauses.reach(Place::Borrow);
                    assert_eq!(event.read(), number, "an event changed while borrowed");
                    ControlFlow::Break(())
                });
                drained(result, &events)
            }
            Reading::Release => {
                subscriber.release();
                End::Some
            }
            Reading::Sleep => unreachable!("falling asleep is a call of its own"),
        };
        Read { events, end }
    }
}

/// Falls asleep if there is nothing to read. Returns the alarm of a sleeper, and how the call ended otherwise.
pub(crate) fn sleep<E: Event>(subscriber: &mut Subscriber<E>) -> Result<Arc<Alarm>, End> {
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    match subscriber.poll_ready(&mut Context::from_waker(&waker)) {
        Poll::Pending => Ok(alarm),
        Poll::Ready(Ok(())) => Err(End::Some),
        Poll::Ready(Err(error)) => Err(end(error.into())),
    }
}

fn drained(result: Result<usize, RecvError>, events: &[(u64, Option<u64>)]) -> End {
    match result {
        Ok(count) => {
            assert_eq!(count, events.len(), "the count of a drain");
            if count > 0 { End::Some } else { End::Empty }
        }
        Err(error) => {
            assert!(events.is_empty(), "an error after some events");
            end(error.into())
        }
    }
}

fn end(error: TryRecvError) -> End {
    match error {
        TryRecvError::Empty => End::Empty,
        TryRecvError::Lagged(_) => End::Lagged,
        TryRecvError::Evicted(eviction) => End::Evicted(eviction.reason),
        TryRecvError::Closed => End::Closed,
        other => panic!("{other}"),
    }
}
