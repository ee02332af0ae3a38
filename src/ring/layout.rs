//! Where stamps and values lie in the memory of a ring: in line or apart.
//!
//! Both layouts are one code: a base and a stride for the stamps, a base and a stride for the values.

use crate::sync::{AtomicU64, UnsafeCell};
use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A cache line, as slots are aligned.
pub(super) const LINE: usize = 64;

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

/// A value, or nothing, that a model follows.
pub(super) type Value<E> = UnsafeCell<MaybeUninit<E>>;

/// An array that starts at `base`, an element every `stride` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    pub(super) base: NonNull<u8>,
    pub(super) stride: usize,
}

impl Array {
    /// # Safety
    /// `index` is below the number of elements that the memory was laid out for.
    #[inline(always)]
    pub(super) unsafe fn at(self, index: usize) -> NonNull<u8> {
        // SAFETY: in bounds of the allocation, as the caller promises.
        unsafe { self.base.byte_add(index * self.stride) }
    }
}

/// Where things lie in the one allocation.
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) stamp_stride: usize,
    pub(super) values_at: usize,
    pub(super) value_stride: usize,
}

impl Plan {
    pub(super) fn new<E>(capacity: usize, kind: SlotLayout) -> Option<Plan> {
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
