//! The memory of a ring: stamps and values, in line or apart.
//!
//! Both layouts are one code: a base and a stride for the stamps, a base and a stride for the values.

use crate::error::BuildError;
use crate::ring::stamp::Stamp;
use crate::sync::{AtomicU64, Borrow, UnsafeCell, prefetch, prefetch_write};
use std::alloc::{Layout, alloc, dealloc};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::{self, NonNull};

/// A cache line, as slots are aligned.
pub(super) const LINE: usize = 64;

/// A row of values on more cache lines than this is left to the processor, which notices rows by
/// itself.
const FEW_LINES: usize = 8;

/// How a ring lays out its slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotLayout {
    /// Stamp and value side by side, so that an event that fits travels in one cache line. A slot takes the next
    /// power of two up to 64 bytes, then whole lines; none straddles a line that it need not.
    #[default]
    InLine,
    /// Stamps and values in arrays of their own: less memory and more bandwidth for bulk.
    Dense,
}

type Value<E> = UnsafeCell<MaybeUninit<E>>;

/// An array that starts at `base`, an element every `stride` bytes.
#[derive(Clone, Copy, Debug)]
struct Array {
    base: NonNull<u8>,
    stride: usize,
}

impl Array {
    /// # Safety
    /// `index` is below the number of elements that the memory was laid out for.
    #[inline(always)]
    unsafe fn at(self, index: usize) -> NonNull<u8> {
        // SAFETY: in bounds of the allocation, as the caller promises.
        unsafe { self.base.byte_add(index * self.stride) }
    }
}

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

/// Where things lie in the one allocation.
struct Plan {
    layout: Layout,
    stamp_stride: usize,
    values_at: usize,
    value_stride: usize,
}

impl Plan {
    fn new<E>(capacity: usize, kind: SlotLayout) -> Option<Plan> {
        let stamp = Layout::new::<AtomicU64>();
        let value = Layout::new::<Value<E>>();
        let (bytes, align, plan) = match kind {
            SlotLayout::InLine => {
                let (slot, values_at) = stamp.extend(value).ok()?;
                let slot = slot.pad_to_align();
                let stride = if slot.size() <= LINE {
                    slot.size().next_power_of_two()
                } else {
                    slot.size()
                        .checked_next_multiple_of(LINE.max(slot.align()))?
                };
                let bytes = stride.checked_mul(capacity)?;
                (bytes, slot.align(), (stride, values_at, stride))
            }
            SlotLayout::Dense => {
                let stride = value.pad_to_align().size();
                let stamps = stamp.size().checked_mul(capacity)?;
                let values_at = stamps.checked_next_multiple_of(LINE.max(value.align()))?;
                let bytes = values_at.checked_add(stride.checked_mul(capacity)?)?;
                (
                    bytes,
                    stamp.align().max(value.align()),
                    (stamp.size(), values_at, stride),
                )
            }
        };
        Some(Plan {
            layout: Layout::from_size_align(bytes, align.max(LINE)).ok()?,
            stamp_stride: plan.0,
            values_at: plan.1,
            value_stride: plan.2,
        })
    }
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
    pub(crate) fn row(&self, sequence: u64) -> Row<'_, E> {
        // SAFETY: masked, so below the capacity.
        unsafe { self.row_at((sequence & self.mask) as usize) }
    }

    /// Returns the slots from the one with this index to the end of the lap.
    ///
    /// # Safety
    /// `index` is below the capacity.
    #[inline(always)]
    pub(crate) unsafe fn row_at(&self, index: usize) -> Row<'_, E> {
        let from = |array: Array| Array {
            // SAFETY: in bounds, as the caller promises.
            base: unsafe { array.at(index) },
            stride: array.stride,
        };
        Row {
            stamps: from(self.stamps),
            values: from(self.values),
            _slots: PhantomData,
        }
    }

    /// Moves `event` in, and the value out that was there.
    ///
    /// # Safety
    /// The caller alone may touch the memory of this slot, and it holds a value if and only if `holds_value`.
    #[inline(always)]
    pub(crate) unsafe fn replace(&self, sequence: u64, event: E, holds_value: bool) -> Option<E> {
        // SAFETY: as the caller promises; the first of a row is always there.
        unsafe { self.row(sequence).replace(0, event, holds_value) }
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

/// Slots in a row, as far as their lap goes: where they lie is found once for all of them.
#[derive(Debug)]
pub(crate) struct Row<'a, E> {
    stamps: Array,
    values: Array,
    _slots: PhantomData<&'a Slots<E>>,
}

impl<'a, E> Row<'a, E> {
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
