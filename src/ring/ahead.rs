//! The cache lines of slots, asked for before an exclusive publisher writes there.
//!
//! A reader has read each slot since it was written last. So a store to a slot waits until the
//! reader's processor has given the line back. A processor makes its stores in order. It asks for
//! lines only as far ahead as its store buffer reaches, and several stores go to each line. A
//! publisher that asks for many lines at once has more of them on their way.
//!
//! Asked for one at a time, between its stores, they are not on their way any sooner: the request
//! waits behind the stores.

use super::layout::LINE;
use std::ops::Range;

/// How many bytes of slots are asked for at once. Where none were asked for yet, twice as many are:
/// an eighth of a small first-level cache.
const STEP: usize = 2048;

/// How far ahead an exclusive publisher has asked for slots. Indices are of one lap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// The publisher writes the slots before this one without asking. There is room for them.
    until: usize,
    /// The slots before this one were asked for.
    asked: usize,
    /// So many slots take [`STEP`] bytes. 0: none are asked for.
    step: usize,
}

impl Ahead {
    /// Where nothing was asked for, in a ring whose values lie `stride` bytes apart.
    ///
    /// A value of several lines fills each of them by itself, so that few stores go to a line. To
    /// ask for those as well takes longer than it saves.
    pub(super) fn new<E>(stride: usize) -> Ahead {
        let step = if size_of::<E>() <= LINE {
            STEP / stride.max(1)
        } else {
            0
        };
        Ahead {
            until: 0,
            asked: 0,
            step,
        }
    }

    /// The publisher is to look for room before it writes again.
    pub(super) fn stop(&mut self) {
        self.until = 0;
    }

    /// The publisher has come to another lap, and is to look for room.
    pub(super) fn start_lap(&mut self) {
        (self.until, self.asked) = (0, 0);
    }

    /// Returns whether the publisher may write the slot with this index without asking.
    #[inline(always)]
    pub(super) fn covers(&self, index: usize) -> bool {
        index < self.until
    }

    /// Returns which slots to ask for, where the next one to write is `index` and there is room
    /// until `end`.
    pub(super) fn step(&mut self, index: usize, end: usize) -> Range<usize> {
        if self.step == 0 {
            self.until = end;
            return end..end;
        }
        self.until = end.min(index + self.step);
        let start = self.asked.max(index);
        self.asked = start.max(end.min(index + 2 * self.step));
        start..self.asked
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, STEP};

    #[test]
    fn each_slot_is_asked_for_once_and_none_beyond_the_room() {
        let mut ahead = Ahead::new::<u64>(16);
        let (mut asked, mut index) = (Vec::new(), 0);
        for room in [1, 3, 300, 301, 1024] {
            ahead.stop();
            while index < room {
                assert!(!ahead.covers(index));
                asked.extend(ahead.step(index, room));
                assert!(asked.last() < Some(&room));
                while ahead.covers(index) {
                    assert!(asked.contains(&index));
                    index += 1;
                }
            }
        }
        assert_eq!(asked, (0..1024).collect::<Vec<_>>());
    }

    #[test]
    fn a_publisher_is_between_one_step_and_two_behind_what_it_asked_for() {
        let step = STEP / 16;
        let mut ahead = Ahead::new::<u64>(16);
        assert_eq!(ahead.step(0, 8192), 0..2 * step);
        assert!(ahead.covers(step - 1) && !ahead.covers(step));
        assert_eq!(ahead.step(step, 8192), 2 * step..3 * step);
        ahead.start_lap();
        assert_eq!(ahead.step(5, 8192), 5..5 + 2 * step);
    }

    #[test]
    fn values_of_several_lines_are_not_asked_for() {
        let mut ahead = Ahead::new::<[u8; 65]>(128);
        assert!(ahead.step(0, 100).is_empty());
        assert!(ahead.covers(99) && !ahead.covers(100));
        // A value without a size has nothing to ask for, and does no harm.
        assert_eq!(Ahead::new::<()>(0).step(0, 100), 0..100);
    }
}
