//! Events on their way into a ring, many at a time.

use crate::contain::drop_each;

/// How many events a batch claims at once.
pub(crate) const BATCH: usize = 32;

/// Events that were gathered before anything was claimed, and the values that their slots held.
///
/// It lives on the publisher's stack: user code (the iterator before, the drops after) runs outside of any claim.
#[derive(Debug)]
pub(crate) struct Batch<E> {
    events: [Option<E>; BATCH],
    olds: [Option<E>; BATCH],
    next: usize,
    end: usize,
    committed: usize,
}

impl<E> Batch<E> {
    /// Takes up to `most` events, at most [`BATCH`].
    pub(crate) fn gather(events: &mut impl Iterator<Item = E>, most: usize) -> Self {
        let mut batch = Batch {
            events: [const { None }; BATCH],
            olds: [const { None }; BATCH],
            next: 0,
            end: 0,
            committed: 0,
        };
        while batch.end < most.min(BATCH) {
            let Some(event) = events.next() else { break };
            batch.events[batch.end] = Some(event);
            batch.end += 1;
        }
        batch
    }

    /// Gathered for `most` events, and the iterator ended before: it is not to be asked again.
    pub(crate) fn is_last(&self, most: usize) -> bool {
        self.end < most.min(BATCH) || most == 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.end
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.next
    }

    /// How many were published.
    pub(crate) fn committed(&self) -> usize {
        self.committed
    }

    pub(crate) fn pop(&mut self) -> Option<E> {
        let event = self.events.get_mut(self.next)?.take();
        self.next += usize::from(event.is_some());
        event
    }

    pub(crate) fn unpop(&mut self, event: E) {
        self.next -= 1;
        self.events[self.next] = Some(event);
    }

    pub(crate) fn keep_old(&mut self, old: Option<E>) {
        self.olds[self.committed] = old;
        self.committed += 1;
    }
}

impl<E> Drop for Batch<E> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<E>() {
            let values = self.olds.iter_mut().chain(&mut self.events);
            drop_each(values.filter_map(Option::take));
        }
    }
}
