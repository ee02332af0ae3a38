//! Where an exclusive publisher is, and how far it may write.

use super::Ring;
use super::ahead::Ahead;
use super::gate::Blocker;
use super::segment::SegmentValues;
use super::stamp::Stamp;
use crate::rests::Rests;

/// The publisher's own side of the ring.
///
/// The cursor counts slots within a lap, because a report that knows the index of its slot need not
/// find it. Where a lap is written to its end, all of this is of that lap until a scan finds room
/// in the next.
#[derive(Debug)]
pub(crate) struct WriteCursor {
    /// The first sequence of the lap.
    pub(super) lap_start: u64,
    /// The next slot to write. The capacity, where the lap is written to its end.
    pub(super) index: usize,
    /// No slot at or beyond this one is entered: [C2 gate], [C4 pin]. At most the capacity. The
    /// slots from `index` to here all hold a value, or none does.
    pub(super) room_end: usize,
    /// How far the room is asked for.
    pub(super) ahead: Ahead,
    /// The stamp of a single event of this lap.
    pub(super) full: Stamp,
    /// The slots from this one on hold a value. At first those of the first lap hold none.
    pub(super) filled_from: usize,
    pub(super) rests: Rests,
    /// What the last scan stopped at, if it gave no room.
    pub(super) blocker: Option<Blocker>,
}

impl WriteCursor {
    /// The next sequence to write.
    #[inline(always)]
    pub(crate) fn next(&self) -> u64 {
        self.lap_start + self.index as u64
    }

    /// The next slot to write.
    #[inline(always)]
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// There is room to write the next event, and nothing to ask for before: [`Ahead`].
    #[inline(always)]
    pub(crate) fn is_prepared(&self) -> bool {
        self.ahead.covers(self.index)
    }

    /// There is room to write the next event.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.index < self.room_end
    }

    /// Returns how many events can be written without another scan.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        self.room_end - self.index
    }

    /// Returns whether the next slot, and each one after it, holds a value.
    ///
    /// Of laps but the first they always do: a pin makes no hole in the lap that it was read in, so
    /// that every slot of the first lap was written. [C4 pin]
    #[inline(always)]
    pub(crate) fn is_filled(&self) -> bool {
        self.index >= self.filled_from
    }

    /// The stamp of a single event in the room.
    #[inline(always)]
    pub(super) fn stamp(&self) -> Stamp {
        self.full
    }

    /// There is none until it is looked for.
    pub(super) fn forget_room(&mut self) {
        self.room_end = self.index;
        self.ahead.stop();
    }

    /// So many slots of the room are written.
    #[inline(always)]
    pub(super) fn advance(&mut self, slots: usize) {
        self.index += slots;
    }
}

impl<E> Ring<E> {
    /// Where the publisher starts: no room known.
    pub(crate) fn write_cursor(&self) -> WriteCursor {
        WriteCursor {
            lap_start: 0,
            index: 0,
            room_end: 0,
            ahead: Ahead::new::<E>(self.slots.value_stride()),
            full: self.segment(0, 0).full,
            filled_from: self.capacity() as usize,
            rests: Rests::default(),
            blocker: None,
        }
    }

    /// Moves the cursor to `next`, where there is no room until it is looked for.
    pub(super) fn move_cursor(&self, cursor: &mut WriteCursor, next: u64) {
        let index = (next & (self.capacity() - 1)) as usize;
        cursor.ahead.stop();
        if next - index as u64 > cursor.lap_start {
            cursor.filled_from = 0;
            cursor.ahead.start_lap();
        }
        cursor.lap_start = next - index as u64;
        cursor.index = index;
        cursor.room_end = index;
        cursor.full = self.segment(next, next).full;
    }

    /// Asks for the next slots of the room.
    #[cold]
    #[inline(never)]
    pub(crate) fn ask_ahead(&self, cursor: &mut WriteCursor) {
        self.slots
            .prefetch_write(cursor.ahead.step(cursor.index, cursor.room_end));
    }

    /// The slots that the publisher writes next.
    ///
    /// # Safety
    /// There is room at the cursor, which is this ring's.
    #[inline(always)]
    pub(super) unsafe fn values_at_cursor(&self, cursor: &WriteCursor) -> SegmentValues<'_, E> {
        debug_assert!(cursor.has_room());
        // SAFETY: the index is below the end of the room, which is at most the capacity.
        unsafe { self.slots.values_at(cursor.index()) }
    }
}
