//! An event, borrowed from its slot.

use crate::ring::Ring;
use std::fmt;
use std::ops::Deref;

/// An event in its slot, borrowed from the subscriber that received it.
///
/// It is the event, by [`Deref`]; what the bus knows of it is asked of the type:
///
/// ```
/// use ringbus::{Bus, Delivery};
///
/// let bus = Bus::builder().build()?;
/// let mut subscriber = bus.subscribe()?;
/// bus.report("hello")?;
/// let event = subscriber.recv()?;
/// assert_eq!(Delivery::sequence(&event), 0);
/// assert_eq!(event.len(), 5); // a method of the event's
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`sequence`](Delivery::sequence) and [`lag`](Delivery::lag) are no methods, because a method would hide one of the
/// event's own that has the same name: `event.sequence()` is the event's, as with the standard library's `Rc::ptr_eq`.
///
/// It has no destructor, so that in `match subscriber.recv() { .. }` the other arms may use the subscriber; a
/// [`mem::forget`](std::mem::forget) of it changes nothing.
///
/// ```
/// # let bus = ringbus::Bus::builder().build().unwrap();
/// # let mut subscriber = bus.subscribe().unwrap();
/// # bus.report(7).unwrap();
/// use ringbus::RecvError;
/// match subscriber.recv() {
///     Ok(event) => assert_eq!(*event, 7),
///     Err(RecvError::Evicted(_)) => drop(subscriber.rejoin()),
///     Err(_) => {}
/// }
/// ```
pub struct Delivery<'a, E> {
    pub(super) event: &'a E,
    pub(super) ring: &'a Ring<E>,
    pub(super) sequence: u64,
}

impl<E> Delivery<'_, E> {
    /// Returns the sequence of the event: its place in the ring's total order. Holes count.
    pub fn sequence(this: &Self) -> u64 {
        this.sequence
    }

    /// Returns how many sequences came after it by now. Wait-free; reads the publishers' line.
    pub fn lag(this: &Self) -> u64 {
        this.ring.lag(this.sequence + 1)
    }
}

impl<E> Deref for Delivery<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        self.event
    }
}

impl<E: fmt::Debug> fmt::Debug for Delivery<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("sequence", &self.sequence)
            .field("event", &self.event)
            .finish()
    }
}
