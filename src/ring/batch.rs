//! Events on their way into a ring, many at a time.

use crate::contain::drop_each;
use std::fmt;
use std::mem::MaybeUninit;

/// How many events a batch claims, or writes, at once: the most, of events that are not large.
pub(crate) const BATCH: usize = 128;

const FEWER: usize = BATCH / 4;
const FEWEST: usize = BATCH / 32;

/// The same of events of this type. They lie on the publisher's stack, some ten thousand bytes of them.
pub(crate) const fn batch_of<E>() -> usize {
    match size_of::<E>() {
        0..=64 => BATCH,
        65..=1024 => FEWER,
        _ => FEWEST,
    }
}

/// The largest event that waits in a batch, in bytes. Larger ones go into the ring one by one, because four of them and the
/// four values that they replace would take more of the stack than a thread may have.
const LARGEST: usize = 4096;

/// Returns whether events of this type are too large to be gathered: they are reported one by one.
pub(crate) const fn goes_one_by_one<E>() -> bool {
    size_of::<E>() > LARGEST
}

/// Up to [`batch_of`] values in a row, first in first out, in place: nothing is allocated, and nothing is written but them.
///
/// **\[B1 few\]** `values[start..end]` are initialised, and nothing else is.
pub(crate) struct Few<'a, E> {
    values: &'a mut [MaybeUninit<E>],
    start: usize,
    end: usize,
}

/// Lends `work` room for values on this thread's stack.
#[inline(always)]
pub(crate) fn with_few<E, R>(work: impl FnOnce(Few<'_, E>) -> R) -> R {
    match const { batch_of::<E>() } {
        BATCH => on_stack::<E, R, BATCH>(work),
        FEWER => on_stack::<E, R, FEWER>(work),
        _ => on_stack::<E, R, FEWEST>(work),
    }
}

/// The same for values that are there for their drop alone: none, if that does nothing.
#[inline(always)]
pub(crate) fn with_olds<E, R>(work: impl FnOnce(Few<'_, E>) -> R) -> R {
    if std::mem::needs_drop::<E>() {
        with_few(work)
    } else {
        on_stack::<E, R, 0>(work)
    }
}

#[inline]
fn on_stack<E, R, const N: usize>(work: impl FnOnce(Few<'_, E>) -> R) -> R {
    let mut values = [const { MaybeUninit::uninit() }; N];
    work(Few {
        values: &mut values,
        start: 0,
        end: 0,
    })
}

impl<E> Few<'_, E> {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Adds up to `most` values of an iterator, as far as there is room. True if the iterator ended.
    #[inline(always)]
    pub(crate) fn fill(&mut self, values: &mut impl Iterator<Item = E>, most: usize) -> bool {
        let end = self.values.len().min(self.end.saturating_add(most));
        for place in &mut self.values[self.end..end] {
            let Some(value) = values.next() else {
                return true;
            };
            place.write(value);
            // At once: whatever the iterator does next, it is kept.
            self.end += 1;
        }
        most == 0
    }

    /// Adds a value at the end. There must be room.
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

    /// The first `count` values.
    #[inline(always)]
    pub(crate) fn front(&mut self, count: usize) -> &mut [E] {
        let front = &mut self.values[self.start..self.end][..count];
        // SAFETY: [B1 few]: all of them are in the range. `MaybeUninit` changes no layout.
        unsafe { &mut *(std::ptr::from_mut(front) as *mut [E]) }
    }

    /// Puts back what was popped last.
    pub(crate) fn unpop(&mut self, value: E) {
        self.start -= 1;
        self.values[self.start].write(value);
    }
}

impl<E> Drop for Few<'_, E> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<E>() {
            drop_each(std::iter::from_fn(|| self.pop()));
        }
    }
}

impl<E> fmt::Debug for Few<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Few").field("len", &self.len()).finish()
    }
}

/// Events that were gathered before anything was claimed, and the values that their slots held.
///
/// It lives on the publisher's stack: user code (the iterator before, the drops after) runs outside of any claim.
#[derive(Debug)]
pub(crate) struct Batch<'a, E> {
    events: Few<'a, E>,
    olds: Few<'a, E>,
    committed: usize,
}

/// Lends `work` an empty batch.
#[inline(always)]
pub(crate) fn with_batch<E, R>(work: impl FnOnce(&mut Batch<'_, E>) -> R) -> R {
    with_olds(|olds| {
        with_few(|events| {
            work(&mut Batch {
                events,
                olds,
                committed: 0,
            })
        })
    })
}

impl<E> Batch<'_, E> {
    /// Takes up to `most` events, at most [`batch_of`]. True if the iterator ended: it is not to be asked again.
    #[inline(always)]
    pub(crate) fn gather(&mut self, events: &mut impl Iterator<Item = E>, most: usize) -> bool {
        self.events.fill(events, most)
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

    /// The first `count` events.
    #[inline(always)]
    pub(crate) fn front(&mut self, count: usize) -> &mut [E] {
        self.events.front(count)
    }

    /// The first `count` were published: what their slots held is where they were.
    #[inline(always)]
    pub(crate) fn keep_front(&mut self, count: usize) {
        if std::mem::needs_drop::<E>() {
            (0..count).for_each(|_| self.olds.keep(self.events.pop()));
        } else {
            self.events.start += count;
        }
        self.committed += count;
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
        with_few(|mut few| {
            (0..BATCH).for_each(|n| few.push(n));
            assert_eq!((few.pop(), few.pop()), (Some(0), Some(1)));
            few.unpop(1);
            assert_eq!((few.len(), few.pop()), (BATCH - 1, Some(1)));
            assert_eq!(few.front(2), [2, 3]);
        });
    }

    #[test]
    fn what_is_left_is_dropped_once() {
        let value = Rc::new(());
        with_few(|mut few| {
            (0..3).for_each(|_| few.push(Rc::clone(&value)));
            drop(few.pop());
            assert_eq!(Rc::strong_count(&value), 3);
        });
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn a_batch_says_when_its_iterator_has_ended() {
        let gather = |count: usize, most: usize| {
            with_batch(|batch| (batch.gather(&mut (0..count), most), batch.len()))
        };
        assert_eq!(gather(3, 4), (true, 3));
        assert_eq!(gather(3, 3), (false, 3));
        assert_eq!(gather(1_000, usize::MAX), (false, BATCH));
        assert_eq!(gather(3, 0), (true, 0));
    }

    #[test]
    fn large_events_come_in_smaller_batches() {
        fn gathered<E: Copy>(event: E) -> usize {
            with_batch(|batch| {
                batch.gather(&mut std::iter::repeat(event), usize::MAX);
                assert_eq!(batch.len(), batch_of::<E>());
                batch.len()
            })
        }
        assert_eq!(gathered([0u64; 8]), 128);
        assert_eq!(gathered([0u64; 9]), 32);
        assert_eq!(gathered([0u64; 128]), 32);
        assert_eq!(gathered([0u64; 129]), 4);
    }

    #[test]
    fn what_slots_held_is_kept_for_its_drop() {
        let value = Rc::new(());
        with_batch(|batch| {
            batch.gather(&mut std::iter::repeat_with(|| Rc::clone(&value)), 5);
            batch.keep_front(3);
            assert_eq!((batch.len(), batch.committed()), (2, 3));
            assert_eq!(Rc::strong_count(&value), 6);
        });
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
