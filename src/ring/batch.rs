//! Events on their way into a ring, many at a time.

use crate::contain::drop_each;
use std::fmt;
use std::mem::MaybeUninit;

/// How many events a batch claims, or writes, at once.
pub(crate) const BATCH: usize = 32;

/// Up to [`BATCH`] values in a row, first in first out, in place: nothing is allocated, and nothing is written but them.
///
/// **\[B1 few\]** `values[start..end]` are initialised, and nothing else is.
pub(crate) struct Few<E> {
    values: [MaybeUninit<E>; BATCH],
    start: usize,
    end: usize,
}

impl<E> Few<E> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Few {
            values: [const { MaybeUninit::uninit() }; BATCH],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Adds a value at the end: the `BATCH`th since the start at the most.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: E) {
        self.values[self.end].write(value);
        self.end += 1;
    }

    /// Adds a value that is there for its drop alone, if that does anything.
    #[inline(always)]
    pub(crate) fn keep(&mut self, value: Option<E>) {
        if std::mem::needs_drop::<E>()
            && let Some(value) = value
        {
            self.push(value);
        }
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<E> {
        if self.start == self.end {
            return None;
        }
        self.start += 1;
        // SAFETY: [B1 few]: it was in the range, and has left it.
        Some(unsafe { self.values[self.start - 1].assume_init_read() })
    }

    /// Puts back what was popped last.
    pub(crate) fn unpop(&mut self, value: E) {
        self.start -= 1;
        self.values[self.start].write(value);
    }
}

impl<E> Drop for Few<E> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<E>() {
            drop_each(std::iter::from_fn(|| self.pop()));
        }
    }
}

impl<E> fmt::Debug for Few<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Few").field("len", &self.len()).finish()
    }
}

/// Events that were gathered before anything was claimed, and the values that their slots held.
///
/// It lives on the publisher's stack: user code (the iterator before, the drops after) runs outside of any claim.
#[derive(Debug)]
pub(crate) struct Batch<E> {
    events: Few<E>,
    olds: Few<E>,
    committed: usize,
}

impl<E> Batch<E> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Batch {
            events: Few::new(),
            olds: Few::new(),
            committed: 0,
        }
    }

    /// Takes up to `most` events, at most [`BATCH`]. True if the iterator ended: it is not to be asked again.
    #[inline(always)]
    pub(crate) fn gather(&mut self, events: &mut impl Iterator<Item = E>, most: usize) -> bool {
        for _ in 0..most.min(BATCH) {
            let Some(event) = events.next() else {
                return true;
            };
            self.events.push(event);
        }
        most == 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// How many were published.
    pub(crate) fn committed(&self) -> usize {
        self.committed
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<E> {
        self.events.pop()
    }

    pub(crate) fn unpop(&mut self, event: E) {
        self.events.unpop(event);
    }

    /// One was published, into a slot that held this.
    #[inline(always)]
    pub(crate) fn keep_old(&mut self, old: Option<E>) {
        self.olds.keep(old);
        self.committed += 1;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn first_in_first_out_and_back() {
        let mut few = Few::new();
        (0..BATCH).for_each(|n| few.push(n));
        assert_eq!((few.pop(), few.pop()), (Some(0), Some(1)));
        few.unpop(1);
        assert_eq!((few.len(), few.pop()), (BATCH - 1, Some(1)));
    }

    #[test]
    fn what_is_left_is_dropped_once() {
        let value = Rc::new(());
        let mut few = Few::new();
        (0..3).for_each(|_| few.push(Rc::clone(&value)));
        drop(few.pop());
        assert_eq!(Rc::strong_count(&value), 3);
        drop(few);
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn a_batch_says_when_its_iterator_has_ended() {
        let mut batch = Batch::new();
        assert!(batch.gather(&mut (0..3), 4));
        assert_eq!(batch.len(), 3);
        assert!(!Batch::new().gather(&mut (0..3), 3));
        assert!(!Batch::new().gather(&mut (0..), usize::MAX));
        assert!(Batch::new().gather(&mut (0..3), 0));
    }
}
