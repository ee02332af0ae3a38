//! Subscribers: receive in place, drain, wait, rejoin.

// First, because rustdoc shows the methods in the order of the modules, and these are what a reader looks for.
mod receive;

mod delivery;
mod future;
pub(crate) mod id;
mod iter;
pub(crate) mod options;

pub use delivery::Delivery;
pub use id::SubscriberId;
pub use iter::{Iter, TryIter};
pub use options::{OnLap, SubscribeOptions};

use crate::affinity;
use crate::error::{Eviction, PinError, RecvError, RecvTimeoutError, SubscribeError};
use crate::reader::{ReadEnd, Reader};
use crate::registry::Registry;
use crate::registry::registration::Registration;
use crate::sync::{Arc, thread};
use crate::wait::cell::Waiter;
use crate::wait::deadline::Deadline;
use crate::wait::{Backoff, Step, WaitStrategy};
use std::fmt;
use std::time::Duration;

/// Reads the events of one ring, in place. Dropping it unsubscribes.
///
/// A delivered event is held until the next call on the subscriber, or [`release`](Self::release): the cursor moves then,
/// lazily within its window, so that receiving in a loop costs an atomic operation every few events.
///
/// Receiving is wait-free for events that are there. A publisher that hangs inside a claim delays its readers by the
/// builder's [`stall_grace`](crate::BusBuilder::stall_grace) at most; they then pass the claim.
///
/// [`mem::forget`](std::mem::forget) of it is safe, and costs what a subscriber that stopped reading costs: see
/// [the limitations](crate::docs::limitations).
pub struct Subscriber<E> {
    reader: Reader<E>,
    wait: WaitStrategy,
}

impl<E> fmt::Debug for Subscriber<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("worker", &self.worker())
            .field("next", &self.reader.next())
            .finish_non_exhaustive()
    }
}

impl<E> Subscriber<E> {
    pub(crate) fn new(reader: Reader<E>, wait: WaitStrategy) -> Self {
        Subscriber { reader, wait }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        self.reader.worker.ring.registry().of_bus()
    }

    pub(crate) fn registration(&self) -> &Arc<Registration> {
        &self.reader.registration
    }

    /// For handlers: delivers the event that [`wait`](Self::wait) found, and says whether there is another behind it.
    #[inline(always)]
    pub(crate) fn deliver_with(&mut self, handle: impl FnOnce(&E, u64, bool)) {
        let (sequence, event) = self.reader.take();
        let more = self.reader.sees_more();
        // SAFETY: as in `deliver`; looking for more is not a call that ends the borrow.
        handle(unsafe { &*event }, sequence, more);
    }

    /// Its id, for [`Bus::unsubscribe`](crate::Bus::unsubscribe) and notices.
    pub fn id(&self) -> SubscriberId {
        self.reader.registration.id
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.reader.registration.options.name.as_deref()
    }

    /// The worker whose ring it reads.
    pub fn worker(&self) -> usize {
        self.reader.worker.id
    }

    /// Returns the width of its window: how many slots it may hold at once.
    ///
    /// That is what [`SubscribeOptions::window`] asked for, rounded down to a power of two, or less if the ring had no room
    /// for more; without a wish, an eighth of what was left. It never changes. Wait-free.
    #[must_use]
    pub fn window(&self) -> usize {
        self.reader.registration.window as usize
    }

    /// Returns the sequence that it will read next, holes included.
    ///
    /// Everything below was delivered, passed over or missed. Other threads see less, up to a
    /// [`window`](Self::window), because its cursor moves lazily ([`SubscriberStats::sequence`]). Wait-free.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// use ringbus::Delivery;
    ///
    /// let mut subscriber = bus.subscribe()?;
    /// bus.report("hello")?;
    /// let next = subscriber.next_sequence();
    /// let event = subscriber.recv()?;
    /// assert_eq!(Delivery::sequence(&event), next);
    /// assert_eq!(subscriber.next_sequence(), next + 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`SubscriberStats::sequence`]: crate::SubscriberStats::sequence
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.reader.next()
    }

    /// How far it is behind, in sequences: an upper bound on events. Wait-free; reads the publishers' line.
    pub fn lag(&self) -> u64 {
        self.reader.lag()
    }

    /// How it was dropped, if it was, whether or not a call has said so. Wait-free.
    pub fn eviction(&self) -> Option<Eviction> {
        self.reader.eviction()
    }

    /// Pins the calling thread to the core of the options; does nothing if there is none.
    ///
    /// # Errors
    /// [`PinError`]: the core is not available.
    pub fn pin_current_thread(&self) -> Result<(), PinError> {
        self.reader
            .registration
            .options
            .core
            .map_or(Ok(()), affinity::pin_current)
    }

    #[inline(always)]
    fn deliver(&mut self) -> Delivery<'_, E> {
        let (sequence, event) = self.reader.take();
        Delivery {
            // SAFETY: good until the next call on the reader, which this borrow of the subscriber excludes. [C1 window]
            event: unsafe { &*event },
            ring: &self.reader.worker.ring,
            sequence,
        }
    }

    /// What the caller is told; moves to the tail if those were the options.
    #[cold]
    fn fail(&mut self, gone: ReadEnd) -> RecvError {
        match gone {
            ReadEnd::Closed => RecvError::Closed,
            ReadEnd::Evicted(eviction) => {
                let rejoins = self.reader.registration.options.on_lap == OnLap::Rejoin;
                if !(rejoins && eviction.reason.is_for_lag()) {
                    return RecvError::Evicted(eviction);
                }
                if !self.reader.registration.is_unsubscribed()
                    && let Some(missed) = self.reader.rejoin(|_| {})
                {
                    return RecvError::Lagged(missed);
                }
                RecvError::Evicted(self.reader.end_as_unsubscribed(eviction))
            }
        }
    }

    /// True: an event is there. Never waits.
    #[inline(always)]
    fn poll(&mut self) -> Result<bool, RecvError> {
        match self.reader.poll() {
            Ok(found) => Ok(found),
            Err(gone) => Err(self.fail(gone)),
        }
    }

    /// Waits until the next event is there, which [`deliver`](Self::deliver) then has. False if the deadline came first.
    ///
    /// It looks before it waits. `recv` and `wait` look by themselves before they call it, because their look is in
    /// line.
    fn next_event(&mut self, deadline: Deadline) -> Result<bool, RecvError> {
        let mut backoff = Backoff::new(self.wait);
        let mut naps = 0;
        while !self.poll()? {
            let left = deadline.left();
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            if backoff.step() == Step::Park {
                let bound = self.reader.worker.config.nap_of_a_sleeper(naps);
                let nap = left.map_or(bound, |left| left.min(bound));
                // The first nap is no longer than a worker's would be, so that the worker need not
                // know of it.
                let (is_first, is_long) = (naps == 0, naps == 1);
                if self
                    .reader
                    .prepare_park(Waiter::Thread(thread::current()), is_long)
                {
                    naps = naps.saturating_add(1);
                    if is_first && !self.reader.worker.ring.protocol().marks_stamps() {
                        thread::doze(nap); // a publisher that misses who sleeps says nothing
                    } else {
                        thread::nap(nap);
                    }
                    self.reader.finish_park();
                } else {
                    thread::yield_now();
                }
            }
        }
        Ok(true)
    }

    /// Waits until an event is there, and takes none.
    ///
    /// # Errors
    /// [`RecvError`].
    #[inline]
    pub fn wait(&mut self) -> Result<(), RecvError> {
        if !self.poll()? {
            self.next_event(Deadline::NEVER)?;
        }
        Ok(())
    }

    /// Waits at most `timeout` until an event is there, and takes none.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<(), RecvTimeoutError> {
        if self.next_event(Deadline::after(timeout))? {
            Ok(())
        } else {
            Err(RecvTimeoutError::Timeout)
        }
    }

    /// Done with what was delivered, now instead of at the next call. Wait-free.
    pub fn release(&mut self) {
        self.reader.release();
    }

    /// Moves to the tail, after an eviction (an unsubscription by the host included) or of its own will, and returns how many
    /// sequences were missed: an upper bound on events.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().capacity(64).build()?;
    /// let mut slow = bus.subscribe()?;
    /// for n in 0..100 {
    ///     bus.report(n)?; // drops it, as it never reads
    /// }
    /// while slow.try_recv().is_ok() {} // what it may still borrow, then the eviction
    /// assert!(slow.eviction().is_some());
    /// assert!(slow.rejoin()? > 0);
    /// bus.report(100)?;
    /// assert_eq!(*slow.recv()?, 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Lock-free.
    ///
    /// # Errors
    /// [`SubscribeError::Stopped`]: the bus has ended. [`SubscribeError::Restarted`]: it has ended and was started again since, with
    /// new rings; a new subscription reads those.
    pub fn rejoin(&mut self) -> Result<u64, SubscribeError> {
        let missed = self.reader.rejoin(Registration::resubscribe);
        missed.ok_or_else(|| self.reader.worker.why_closed())
    }
}
