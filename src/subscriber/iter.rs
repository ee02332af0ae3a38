//! Receiving copies, as iterators.

use super::Subscriber;
use crate::error::RecvError;

impl<E> Subscriber<E> {
    /// Copies of the events, waiting for each as [`recv`](Self::recv). Losses are items; the end of the bus is the end.
    pub fn iter(&mut self) -> Iter<'_, E>
    where
        E: Clone,
    {
        Iter {
            subscriber: self,
            ended: false,
        }
    }

    /// Copies of the events that are there. Losses are items.
    pub fn try_iter(&mut self) -> TryIter<'_, E>
    where
        E: Clone,
    {
        TryIter {
            subscriber: self,
            ended: false,
        }
    }
}

/// Copies of events; see [`Subscriber::iter`]. A [`mem::forget`](std::mem::forget) of it changes nothing.
#[derive(Debug)]
#[must_use]
pub struct Iter<'a, E> {
    subscriber: &'a mut Subscriber<E>,
    ended: bool,
}

impl<E: Clone> Iterator for Iter<'_, E> {
    type Item = Result<E, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.subscriber.recv() {
            Ok(event) => Some(Ok(E::clone(&event))),
            Err(RecvError::Closed) => None,
            Err(error) => {
                self.ended = error.is_evicted();
                Some(Err(error))
            }
        }
    }
}

/// Copies of events that are there; see [`Subscriber::try_iter`]. A [`mem::forget`](std::mem::forget) of it changes nothing.
#[derive(Debug)]
#[must_use]
pub struct TryIter<'a, E> {
    subscriber: &'a mut Subscriber<E>,
    ended: bool,
}

impl<E: Clone> Iterator for TryIter<'_, E> {
    type Item = Result<E, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.subscriber.poll() {
            Ok(true) => Some(Ok(E::clone(&self.subscriber.deliver()))),
            Ok(false) | Err(RecvError::Closed) => None,
            Err(error) => {
                self.ended = error.is_evicted();
                Some(Err(error))
            }
        }
    }
}
