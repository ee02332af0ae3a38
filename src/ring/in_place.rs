//! Writing in place: a closure changes the values that slots hold, and then they are published.
//!
//! This is how disruptors publish (the LMAX Disruptor's event translators). A value that stays in
//! its slot keeps its buffers, so that a report of an event with a `String` need not allocate.
//!
//! Every slot that a closure is given holds a value. Slots of the first lap hold none at first:
//! [`Ring::fill`] makes one for each of them.

use super::Ring;
use super::exclusive::commit;
use super::segment::SegmentValues;
use super::stamp::Stamp;
use super::write_cursor::WriteCursor;
use crate::limits::BATCH;
use crate::sync::Ordering;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

impl<E> Ring<E> {
    /// Fills each slot of the first lap that holds no value yet with one that `make` gives. The
    /// last slot comes first, so that the slots from [`WriteCursor::filled_from`] on hold values at any
    /// time, also where `make` panics. Room is to be looked for afterwards.
    #[cold]
    #[inline(never)]
    pub(crate) fn fill(&self, cursor: &mut WriteCursor, mut make: impl FnMut() -> E) {
        // What is known may go beyond the first slot that will be filled.
        cursor.forget_room();
        while cursor.filled_from > cursor.index() {
            let value = make();
            let index = cursor.filled_from - 1;
            // SAFETY: the index is below `filled_from`, which is at most the capacity.
            let values = unsafe { self.slots.values_at(index) };
            // SAFETY: the slot comes at the cursor or later, in the first lap, so that it holds no
            // value, and no other thread has anything to do with its memory.
            let none = unsafe { values.replace(0, value, false) };
            debug_assert!(none.is_none());
            // SAFETY: a segment has a first slot.
            let stamp = unsafe { values.stamp(0) };
            // Relaxed: only the drop of the ring asks what such a stamp says of the memory.
            stamp.store(Stamp::FILLED.0, Ordering::Relaxed);
            cursor.filled_from = index;
        }
    }

    /// Publishes the value of the next slot after `write` has changed it.
    ///
    /// If `write` panics, nothing is published, and the value stays as it is then.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's and filled.
    #[inline(always)]
    pub(crate) unsafe fn publish_exclusive_with(
        &self,
        cursor: &mut WriteCursor,
        write: impl FnOnce(&mut E),
    ) {
        debug_assert!(cursor.is_filled());
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        // SAFETY: there is room, so that no subscriber borrows the value, and no other thread
        // writes at all: [C2 gate], [C4 pin]. It holds a value, as the caller promises.
        write(unsafe { values.value_mut(0) });
        commit(&values, cursor.stamp());
        cursor.advance(1);
    }

    /// The same for as many slots as there is room for, at most `most`, which is not 0. Returns how
    /// many were published.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's and filled.
    #[inline(always)]
    pub(crate) unsafe fn publish_exclusive_batch_with(
        &self,
        cursor: &mut WriteCursor,
        most: usize,
        write: impl FnOnce(SlotsMut<'_, E>),
    ) -> usize {
        debug_assert!(cursor.is_filled() && most > 0);
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        let run = most.min(cursor.room()).min(BATCH);
        // They lie in the room, so that `SlotsMut` keeps its promise for the same reasons as above.
        write(SlotsMut {
            values,
            next: 0,
            end: run,
            _writes: PhantomData,
        });
        // SAFETY: there is room, as the caller promises.
        let values = unsafe { self.values_at_cursor(cursor) };
        commit(&values, cursor.stamp().with_run(run as u64));
        cursor.advance(run);
        self.store_tail(cursor);
        run
    }
}

/// The values of slots that are about to be published, in order: what [`report_batch_with`] gives
/// its closure.
///
/// All of them are published, also those that are not taken from this iterator.
///
/// It takes events of the bus's own type only, not of one that borrows for a shorter time:
/// ```compile_fail
/// fn put<'s>(slots: ringbus::SlotsMut<'_, &'s str>, text: &'s str) {
///     slots.for_each(|slot| *slot = text);
/// }
/// let (mut publisher, _bus) = ringbus::Bus::<&'static str>::builder().build_exclusive().unwrap();
/// let text = String::from("gone soon");
/// publisher.report_batch_with(1, |slots| put(slots, &text));
/// ```
///
/// [`report_batch_with`]: crate::ExclusivePublisher::report_batch_with
// [B3 slots] Only the publisher may touch the memory of the slots from `next` to `end`, each holds
// a value, and no reference to one of them exists.
pub struct SlotsMut<'a, E> {
    values: SegmentValues<'a, E>,
    next: usize,
    end: usize,
    /// Events of this very type are written through it.
    _writes: PhantomData<&'a mut E>,
}

impl<'a, E> Iterator for SlotsMut<'a, E> {
    type Item = &'a mut E;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a mut E> {
        if self.next == self.end {
            return None;
        }
        // SAFETY: [B3 slots], and it is given once, as `next` moves on.
        let value = unsafe { self.values.value_mut(self.next) };
        self.next += 1;
        Some(value)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.next;
        (left, Some(left))
    }
}

impl<E> ExactSizeIterator for SlotsMut<'_, E> {}
impl<E> FusedIterator for SlotsMut<'_, E> {}

// By hand, so that events need not be `Debug`.
impl<E> fmt::Debug for SlotsMut<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotsMut")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
