//! Push subscribers: a thread each, panics contained.

use crate::affinity::{ProcessMask, pin_current};
use crate::error::{Eviction, EvictionReason, RecvError, SubscribeError};
use crate::registry::Registry;
use crate::registry::registration::Registration;
use crate::subscriber::Subscriber;
use crate::subscriber::id::SubscriberId;
use crate::sync::{Arc, thread};
use crate::unwind;
use std::fmt;

/// Where an event stands, for a [`Handler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// Its place in the ring's total order.
    pub sequence: u64,
    /// Nothing is there behind it: the moment to flush what was gathered.
    pub end_of_batch: bool,
}

/// How a handler came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandlerEnd {
    /// The bus has ended, and every event was handled.
    Closed,
    /// Its guard was dropped, or the host unsubscribed it.
    Unsubscribed,
    /// It was too slow.
    Evicted(Eviction),
    /// It panicked, with this message, if that was a string.
    Panicked(Option<String>),
    /// It has not ended: it was asked from its own thread.
    Running,
}

/// Handles events on a thread of its own. Anything that is `FnMut(&E)` will do for [`Bus::handle`](crate::Bus::handle).
pub trait Handler<E>: Send {
    /// An event.
    fn event(&mut self, event: &E, info: Info);

    /// So many sequences were missed, by one that rejoins.
    fn lagged(&mut self, _missed: u64) {}

    /// The last call, however it came to it.
    fn end(&mut self, _end: HandlerEnd) {}
}

pub(crate) struct Closure<F>(pub(crate) F);

impl<E, F: FnMut(&E) + Send> Handler<E> for Closure<F> {
    fn event(&mut self, event: &E, _info: Info) {
        (self.0)(event);
    }
}

/// Keeps a handler subscribed; dropping it unsubscribes, and does not wait.
///
/// [`mem::forget`](std::mem::forget) of it leaves the handler alone, as [`detach`](Self::detach) does: see
/// [the limitations](crate::docs::limitations).
#[must_use = "dropping the guard unsubscribes its handler"]
pub struct HandlerGuard {
    id: SubscriberId,
    /// Whom to unsubscribe. Not its worker: a guard keeps no ring.
    registration: Option<Arc<Registration>>,
    /// Whose futures to wake then.
    registry: Arc<Registry>,
    thread: Option<thread::JoinHandle<Option<HandlerEnd>>>,
}

impl fmt::Debug for HandlerGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerGuard")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl HandlerGuard {
    /// The subscriber's id.
    pub fn id(&self) -> SubscriberId {
        self.id
    }

    /// Its thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::is_finished)
    }

    /// Lets the handler live as long as the bus.
    pub fn detach(mut self) {
        self.registration = None;
    }

    /// Waits until the handler has come to its end: the bus's, its eviction, its panic. Blocks.
    ///
    /// From the handler itself it does not wait, and says [`HandlerEnd::Running`].
    pub fn join(mut self) -> HandlerEnd {
        self.registration = None;
        match self.thread.take() {
            Some(thread) if thread.thread().id() != thread::current().id() => {
                // A panic of the handler is caught in its thread; this one would be ours.
                thread
                    .join()
                    .ok()
                    .flatten()
                    .unwrap_or(HandlerEnd::Panicked(None))
            }
            _ => HandlerEnd::Running,
        }
    }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        if let Some(registration) = &self.registration {
            leave(registration);
            self.registry.drain_waiters().wake_all();
        }
    }
}

pub(crate) fn spawn<E: Send + Sync + 'static>(
    subscriber: Subscriber<E>,
    handler: impl Handler<E> + 'static,
) -> Result<HandlerGuard, SubscribeError> {
    let id = subscriber.id();
    let registration = Arc::clone(subscriber.registration());
    let registry = Arc::clone(subscriber.registry());
    let core = registration.options.core;
    let mask = ProcessMask::get();
    let setup = move || {
        mask.apply_to_current();
        core.map_or(Ok(()), pin_current)
    };
    // A thread's name must not have a NUL: no subscriber's has one.
    let name = registration.options.name.clone();
    let name = name.unwrap_or_else(|| format!("ringbus-handler-{id}"));
    let thread = thread::spawn(name, setup, move || run(subscriber, handler));
    let thread = thread.map_err(|error| match error {
        thread::SpawnError::Setup(error) => SubscribeError::Pin(error),
        thread::SpawnError::System(error) => SubscribeError::Spawn { kind: error.kind() },
    })?;
    Ok(HandlerGuard {
        id,
        registration: Some(registration),
        registry,
        thread: Some(thread),
    })
}

/// A voluntary leave: no notice.
fn leave(registration: &Registration) {
    if registration.leave() {
        registration.wake_evicted();
    }
}

fn run<E>(mut subscriber: Subscriber<E>, mut handler: impl Handler<E>) -> HandlerEnd {
    let registration = Arc::clone(subscriber.registration());
    // Set once, here.
    let _ = registration.handler_thread.set(thread::current().id());
    let end = unwind::catch(|| receive(&mut subscriber, &mut handler)).unwrap_or_else(|message| {
        if let Some(message) = &message {
            let _ = registration.panic_message.set(message.clone());
        }
        registration.evict(EvictionReason::Panicked);
        HandlerEnd::Panicked(message)
    });
    // User code both: contained like the rest, and each apart, as what the first did is done.
    let told = end.clone();
    let _ = unwind::catch(|| handler.end(told));
    let _ = unwind::catch(|| drop(handler));
    // Last: a stop counts the handler as returned when its subscriber is gone.
    drop(subscriber);
    end
}

fn receive<E>(subscriber: &mut Subscriber<E>, handler: &mut impl Handler<E>) -> HandlerEnd {
    loop {
        let missed = match subscriber.wait() {
            Ok(()) => {
                subscriber.deliver_with(|event, sequence, more| {
                    let end_of_batch = !more;
                    handler.event(
                        event,
                        Info {
                            sequence,
                            end_of_batch,
                        },
                    );
                });
                continue;
            }
            Err(RecvError::Lagged(missed)) => missed,
            Err(RecvError::Closed) => return HandlerEnd::Closed,
            Err(RecvError::Evicted(eviction)) => {
                return match eviction.reason {
                    EvictionReason::Unsubscribed => HandlerEnd::Unsubscribed,
                    _ => HandlerEnd::Evicted(eviction),
                };
            }
        };
        handler.lagged(missed);
    }
}
