//! The memory of a ring: stamps and values.

use super::layout::{Array, LINE, Plan, SlotLayout, Value};
use super::segment::SegmentValues;
use super::stamp::Stamp;
use crate::error::BuildError;
use crate::sync::{AtomicU64, Borrow, prefetch, prefetch_write};
use std::alloc::{Layout, alloc, dealloc};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;

/// Values on more cache lines than this are left to the processor, which notices by itself that one
/// line follows another.
const FEW_LINES: usize = 8;

/// The slots of one ring. Indices are sequences: they are taken modulo the capacity.
#[derive(Debug)]
pub(crate) struct Slots<E> {
    stamps: Array,
    values: Array,
    mask: u64,
    /// The capacity's logarithm. Kept, as counting the mask's bits takes some targets a dozen instructions.
    lap_shift: u32,
    memory: NonNull<u8>,
    layout: Layout,
    _owns: PhantomData<E>,
}

impl<E> Slots<E> {
    /// Memory for `capacity` slots, a power of two, every page of stamps touched.
    pub(crate) fn new(capacity: usize, kind: SlotLayout) -> Result<Self, BuildError> {
        debug_assert!(capacity.is_power_of_two());
        let too_large = || BuildError::capacity_too_large::<E>(capacity);
        let plan = Plan::new::<E>(capacity, kind).ok_or_else(too_large)?;
        // SAFETY: the layout is never of size zero, as every slot has a stamp.
        let memory = NonNull::new(unsafe { alloc(plan.layout) }).ok_or_else(too_large)?;
        let slots = Slots {
            stamps: Array {
                base: memory,
                stride: plan.stamp_stride,
            },
            values: Array {
                // SAFETY: `values_at` lies inside the allocation, or at its end when `E` takes no room.
                base: unsafe { memory.byte_add(plan.values_at) },
                stride: plan.value_stride,
            },
            mask: capacity as u64 - 1,
            lap_shift: capacity.ilog2(),
            memory,
            layout: plan.layout,
            _owns: PhantomData,
        };
        for index in 0..capacity {
            // SAFETY: `index` is below the capacity; `Plan` aligned both places for what is written there.
            unsafe {
                slots
                    .stamps
                    .at(index)
                    .cast::<AtomicU64>()
                    .write(AtomicU64::new(Stamp::NEW.0));
                slots
                    .values
                    .at(index)
                    .cast::<Value<E>>()
                    .write(Value::new(MaybeUninit::uninit()));
            }
        }
        Ok(slots)
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> u64 {
        self.mask + 1
    }

    /// The lap that `sequence` is in.
    #[inline(always)]
    pub(crate) fn lap(&self, sequence: u64) -> u64 {
        sequence >> self.lap_shift
    }

    /// The first sequence of the lap after that of `sequence`.
    #[inline(always)]
    pub(crate) fn lap_end(&self, sequence: u64) -> u64 {
        (sequence | self.mask) + 1
    }

    /// The bytes that one slot takes, stamp and value.
    pub(crate) fn slot_bytes(&self) -> usize {
        self.layout.size() / self.capacity() as usize
    }

    #[inline(always)]
    pub(crate) fn stamp(&self, sequence: u64) -> &AtomicU64 {
        // SAFETY: masked, so in bounds; a live `AtomicU64` since `new`.
        unsafe {
            self.stamps
                .at((sequence & self.mask) as usize)
                .cast::<AtomicU64>()
                .as_ref()
        }
    }

    #[inline(always)]
    fn value(&self, sequence: u64) -> &Value<E> {
        // SAFETY: masked, so in bounds; a live cell since `new`.
        unsafe {
            self.values
                .at((sequence & self.mask) as usize)
                .cast::<Value<E>>()
                .as_ref()
        }
    }

    /// How many bytes lie between two values.
    pub(super) fn value_stride(&self) -> usize {
        self.values.stride
    }

    /// Asks for the cache lines of the values with these indices, to write them soon.
    ///
    /// Of dense stamps a batch stores one in many, so that they are not asked for.
    pub(super) fn prefetch_write(&self, indices: Range<usize>) {
        self.each_line(indices, prefetch_write);
    }

    /// Asks for the cache lines of so many values from `sequence` on, to read them soon, if these
    /// lines are few.
    #[inline(always)]
    pub(super) fn prefetch_short(&self, sequence: u64, values: usize) {
        if values * self.values.stride <= FEW_LINES * LINE {
            let start = (sequence & self.mask) as usize;
            self.each_line(start..start + values, prefetch);
        }
    }

    /// Gives `each` an address on each cache line of the values with these indices, at most to the
    /// end of the lap.
    ///
    /// Lines are counted from the first value. In line that one lies behind its stamp, so the last
    /// bytes of the last value may lie on a line that is left out.
    #[inline(always)]
    fn each_line(&self, indices: Range<usize>, each: impl Fn(*const u8)) {
        if indices.is_empty() {
            return;
        }
        let Array { base, stride } = self.values;
        let start = indices.start * stride / LINE * LINE;
        let last = indices.end.min(self.capacity() as usize) - 1;
        let end = last * stride + size_of::<E>();
        let lines = end.saturating_sub(start).div_ceil(LINE);
        let first = base.as_ptr().cast_const().wrapping_byte_add(start);
        let line = |number| each(first.wrapping_byte_add(number * LINE));
        // By fours, because the loop itself would take more instructions than the lines.
        let fours = lines / 4 * 4;
        for number in (0..fours).step_by(4) {
            line(number);
            line(number + 1);
            line(number + 2);
            line(number + 3);
        }
        (fours..lines).for_each(line);
    }

    /// A pointer to the event of `sequence`, and the borrow that a model follows.
    #[inline(always)]
    pub(crate) fn borrow(&self, sequence: u64) -> (*const E, Borrow<MaybeUninit<E>>) {
        let (pointer, borrow) = self.value(sequence).borrow();
        (pointer.cast(), borrow)
    }

    /// Returns the slots from `sequence` to the end of its lap.
    #[inline(always)]
    pub(crate) fn values_from(&self, sequence: u64) -> SegmentValues<'_, E> {
        // SAFETY: masked, so below the capacity.
        unsafe { self.values_at((sequence & self.mask) as usize) }
    }

    /// Returns the slots from the one with this index to the end of the lap.
    ///
    /// # Safety
    /// `index` is below the capacity.
    #[inline(always)]
    pub(crate) unsafe fn values_at(&self, index: usize) -> SegmentValues<'_, E> {
        // SAFETY: as the caller promises, and the slots outlive this borrow of them.
        unsafe { SegmentValues::new(self.stamps, self.values, index) }
    }

    /// Moves `event` in, and the value out that was there.
    ///
    /// # Safety
    /// The caller alone may touch the memory of this slot, and it holds a value if and only if `holds_value`.
    #[inline(always)]
    pub(crate) unsafe fn replace(&self, sequence: u64, event: E, holds_value: bool) -> Option<E> {
        // SAFETY: as the caller promises; the first slot of a segment is always there.
        unsafe { self.values_from(sequence).replace(0, event, holds_value) }
    }

    /// Takes the event back out, and puts back the value that was there before.
    ///
    /// # Safety
    /// The caller alone may touch the memory of this slot, and it holds a value.
    pub(crate) unsafe fn restore(&self, sequence: u64, old: Option<E>) -> E {
        self.value(sequence).with_mut(|value| {
            // SAFETY: exclusive, as the caller promises.
            let value = unsafe { &mut *value };
            // SAFETY: it holds a value, as the caller promises.
            let event = unsafe { value.assume_init_read() };
            if let Some(old) = old {
                value.write(old);
            }
            event
        })
    }

    /// Drops the value of a slot.
    ///
    /// # Safety
    /// The caller alone may touch the memory of this slot; it holds a value, which nobody reads again.
    pub(crate) unsafe fn drop_value(&self, sequence: u64) {
        self.value(sequence).with_mut(|value| {
            // SAFETY: exclusive and initialised, as the caller promises.
            unsafe { (*value).assume_init_drop() }
        });
    }
}

impl<E> Drop for Slots<E> {
    fn drop(&mut self) {
        for index in 0..self.capacity() as usize {
            // SAFETY: initialised in `new`, and never used again. Values were dropped by the ring.
            unsafe {
                self.stamps.at(index).cast::<AtomicU64>().drop_in_place();
                self.values.at(index).cast::<Value<E>>().drop_in_place();
            }
        }
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
    }
}

// SAFETY: the slots own their events, so sending them sends the events.
unsafe impl<E: Send> Send for Slots<E> {}
// SAFETY: events are moved in and out through a shared reference (`Send`), and borrowed by several readers (`Sync`).
// Who may do which, and when, is the protocol's business: see `ring`.
unsafe impl<E: Send + Sync> Sync for Slots<E> {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn bytes<E>(kind: SlotLayout) -> usize {
        Slots::<E>::new(64, kind).map_or(0, |slots| slots.slot_bytes())
    }

    #[test]
    fn a_slot_in_line_takes_the_next_power_of_two_then_whole_lines() {
        assert_eq!(bytes::<()>(SlotLayout::InLine), 8);
        assert_eq!(bytes::<[u8; 8]>(SlotLayout::InLine), 16);
        assert_eq!(bytes::<[u8; 24]>(SlotLayout::InLine), 32);
        assert_eq!(bytes::<[u8; 56]>(SlotLayout::InLine), 64);
        assert_eq!(bytes::<[u8; 57]>(SlotLayout::InLine), 128);
        assert_eq!(bytes::<[u8; 120]>(SlotLayout::InLine), 128);
        assert_eq!(bytes::<[u8; 121]>(SlotLayout::InLine), 192);
    }

    #[test]
    fn a_dense_slot_takes_what_it_holds() {
        assert_eq!(bytes::<()>(SlotLayout::Dense), 8);
        assert_eq!(bytes::<u64>(SlotLayout::Dense), 16);
        assert_eq!(bytes::<[u8; 48]>(SlotLayout::Dense), 56);
        assert_eq!(bytes::<[u8; 200]>(SlotLayout::Dense), 208);
    }

    #[test]
    fn an_over_aligned_event_is_aligned_in_both_layouts() {
        #[repr(align(256))]
        struct Wide(u8);
        for kind in [SlotLayout::InLine, SlotLayout::Dense] {
            let slots = Slots::<Wide>::new(64, kind).unwrap();
            for sequence in 0..64 {
                // SAFETY: nobody else has the slots.
                assert!(unsafe { slots.replace(sequence, Wide(1), false) }.is_none());
                let (pointer, _borrow) = slots.borrow(sequence);
                assert_eq!(pointer as usize % 256, 0);
                // SAFETY: just written.
                assert_eq!(unsafe { (*pointer).0 }, 1);
            }
        }
    }

    #[test]
    fn an_absurd_capacity_is_an_error() {
        for capacity in [1usize << 63, 1 << 60, 1 << 48] {
            for kind in [SlotLayout::InLine, SlotLayout::Dense] {
                assert_eq!(
                    Slots::<u64>::new(capacity, kind).err(),
                    Some(BuildError::capacity_too_large::<u64>(capacity))
                );
            }
        }
    }
}
