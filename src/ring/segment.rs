//! Slots side by side, as far as one lap goes.

use super::layout::{Array, Value};
use super::stamp::Stamp;
use crate::sync::{AtomicU64, Borrow};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// Slots of one lap: plain events there all bear the same stamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LapSegment {
    pub(crate) end: u64,
    pub(super) full: Stamp,
}

/// The stamps and values of slots side by side, as far as their lap goes: where they lie is found
/// once for all of them.
#[derive(Debug)]
pub(crate) struct SegmentValues<'a, E> {
    stamps: Array,
    values: Array,
    _slots: PhantomData<&'a E>,
}

impl<'a, E> SegmentValues<'a, E> {
    /// The slots from the one with this index on, of a ring whose first ones are given.
    ///
    /// # Safety
    /// The arrays are those of a ring of events of this type, which outlives `'a`, and `index` is
    /// below its capacity.
    #[inline(always)]
    pub(super) unsafe fn new(stamps: Array, values: Array, index: usize) -> Self {
        let from = |array: Array| Array {
            // SAFETY: in bounds, as the caller promises.
            base: unsafe { array.at(index) },
            stride: array.stride,
        };
        SegmentValues {
            stamps: from(stamps),
            values: from(values),
            _slots: PhantomData,
        }
    }

    /// Returns the stamp of the `offset`th slot.
    ///
    /// # Safety
    /// The slot is of the same lap.
    #[inline(always)]
    pub(crate) unsafe fn stamp(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: in bounds, as the lap goes so far; a live `AtomicU64` since `new`.
        unsafe { self.stamps.at(offset).cast::<AtomicU64>().as_ref() }
    }

    /// A pointer to the event of the `offset`th slot, and the borrow that a model follows.
    ///
    /// # Safety
    /// The slot is of the same lap; its event is there, and nobody writes it while it is borrowed.
    #[inline(always)]
    pub(crate) unsafe fn borrow(&self, offset: usize) -> (*const E, Borrow<MaybeUninit<E>>) {
        // SAFETY: in bounds, as the lap goes so far; a live cell since `new`.
        let value = unsafe { self.values.at(offset).cast::<Value<E>>().as_ref() };
        let (pointer, borrow) = value.borrow();
        (pointer.cast(), borrow)
    }

    /// Returns the value in the `offset`th slot.
    ///
    /// # Safety
    /// The slot is of the same lap and holds a value. The caller alone may touch its memory, and
    /// has no other reference to it.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // the caller promises what a `&mut` would
    pub(crate) unsafe fn value_mut(&self, offset: usize) -> &'a mut E {
        // SAFETY: in bounds, as the lap goes so far; a live cell since `new`.
        let value = unsafe { self.values.at(offset).cast::<Value<E>>().as_ref() };
        // SAFETY: exclusive and initialised, as the caller promises, and it lives as long as the
        // slots.
        value.with_mut(|value| unsafe { (*value).assume_init_mut() })
    }

    /// Exchanges the event at `place` for what the `offset`th slot holds: a value, or nothing.
    ///
    /// If the slot held nothing, the bytes of the event stay at `place` too. So a publisher that
    /// was too late takes its event back by doing nothing.
    ///
    /// # Safety
    /// The slot is of the same lap; the caller alone may touch its memory, and it holds a value if
    /// and only if `holds_value`.
    #[inline(always)]
    pub(crate) unsafe fn exchange(
        &self,
        offset: usize,
        place: &mut MaybeUninit<E>,
        holds_value: bool,
    ) {
        // SAFETY: in bounds, as the lap goes so far; a live cell since `new`.
        let value = unsafe { self.values.at(offset).cast::<Value<E>>().as_ref() };
        value.with_mut(|value| {
            // SAFETY: exclusive, as the caller promises.
            let value = unsafe { &mut *value };
            if holds_value {
                std::mem::swap(value, place);
            } else {
                // SAFETY: two places, of one type.
                unsafe { std::ptr::copy_nonoverlapping(place, value, 1) };
            }
        });
    }

    /// Copies the events at `places` over what the first slots hold. Only the copies, or only the
    /// events at their places, are to be used from then on.
    ///
    /// # Safety
    /// The slots are of the same lap, and the caller alone may touch their memory.
    #[inline(always)]
    pub(crate) unsafe fn copy_in(&self, places: &[MaybeUninit<E>]) {
        if self.values.stride == size_of::<E>() {
            let values = self.values.base.cast::<MaybeUninit<E>>().as_ptr();
            // One copy of all events stores whole cache lines at a time.
            // SAFETY: in bounds, as the lap goes so far, and exclusive, as the caller promises, so
            // that the places lie elsewhere. The distance of two cells is the size of a value, so
            // that a cell holds nothing else.
            unsafe { ptr::copy_nonoverlapping(places.as_ptr(), values, places.len()) };
            return;
        }
        for (offset, place) in places.iter().enumerate() {
            // SAFETY: in bounds, as the lap goes so far; a live cell since `new`.
            let value = unsafe { self.values.at(offset).cast::<Value<E>>().as_ref() };
            value.with_mut(|value| {
                // SAFETY: two places, of one type; the slot's is exclusive, as the caller promises.
                unsafe { ptr::copy_nonoverlapping(place, value, 1) };
            });
        }
    }

    /// Moves `event` into the `offset`th slot, and the value out that was there.
    ///
    /// # Safety
    /// The slot is of the same lap; the caller alone may touch its memory, and it holds a value if
    /// and only if `holds_value`.
    #[inline(always)]
    pub(crate) unsafe fn replace(&self, offset: usize, event: E, holds_value: bool) -> Option<E> {
        // SAFETY: in bounds, as the lap goes so far; a live cell since `new`.
        let value = unsafe { self.values.at(offset).cast::<Value<E>>().as_ref() };
        value.with_mut(|value| {
            // SAFETY: exclusive, and initialised if `holds_value`, as the caller promises.
            let value = unsafe { &mut *value };
            // SAFETY: as above.
            let old = holds_value.then(|| unsafe { value.assume_init_read() });
            value.write(event);
            old
        })
    }
}
