//! The stamp: the only truth about a slot.
//!
//! ```text
//! stamp = (lap + 1) << 12 | (run - 1) (8) | WAITED (1) | tag (3)
//! ```
//!
//! A slot's index is implied by where it is, so its lap says its sequence. A ring of 64 wraps the
//! lap after `2^58` events, nine years at a thousand million a second. A new slot bears the stamp
//! 0: at rest, of no lap, without a value. One that was filled before anything was reported bears a
//! `HOLE` of no lap.
//!
//! | tag | meaning for its sequence | value in memory? | who may touch the memory |
//! |---|---|---|---|
//! | `VACANT` | at rest, no event | no | the next claimer that enters |
//! | `HOLE` | at rest, no event | an older one | the same; perhaps an evicted reader still borrows it |
//! | `FULL` | at rest, the event | yes | readers whose window covers it, then claimers |
//! | `WRITING` | a publisher is inside | its business | that publisher |
//! | `LOST` | abandoned, its writer is still inside | its business | that writer, until it has left |
//!
//! A stamp speaks for a *run* of so many slots from its own on, usually one: a batch that was written as one, or holes where a
//! window stays pinned. The others bear stamps of earlier laps, and readers go by the first.
//!
//! **Architecture Invariant:** nobody else knows these bits.

use crate::sync::{AtomicU64, Ordering};

const TAG: u64 = 0b111;
const WAITED: u64 = 1 << 3;
const RUN_SHIFT: u32 = 4;
const RUN: u64 = 0xff << RUN_SHIFT;
const LAP_SHIFT: u32 = 12;

const VACANT: u64 = 0;
const HOLE: u64 = 1;
const FULL: u64 = 2;
const WRITING: u64 = 3;
const LOST: u64 = 4;

/// The longest run that one stamp can speak for, in slots.
pub(crate) const LONGEST_RUN: u64 = 256;
const _: () = assert!((LONGEST_RUN - 1) << RUN_SHIFT == RUN);

/// One stamp, as loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) u64);

/// What a stamp says of the sequence that a reader looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The event is there, and the `run - 1` after it are too.
    Ready { run: u64 },
    /// There is none, and never will be: a hole, and the `run - 1` after it are holes too.
    Skip { run: u64 },
    /// A publisher is inside.
    Writing,
    /// Nothing yet: not claimed, or claimed and not entered.
    Earlier,
    /// Overwritten: only ever seen after an eviction.
    Lapped,
}

impl Stamp {
    pub(crate) const NEW: Stamp = Stamp(0);
    /// Of a new slot that was given a value before anything was reported.
    pub(crate) const FILLED: Stamp = Stamp(HOLE);

    /// The stamp of a slot, and what it says of its memory.
    #[inline(always)]
    pub(crate) fn load(stamp: &AtomicU64) -> Stamp {
        // SYNC publish: the contents of the event.
        Stamp(stamp.load(Ordering::Acquire))
    }

    #[inline(always)]
    fn make(lap: u64, tag: u64) -> Stamp {
        Stamp((lap + 1) << LAP_SHIFT | tag)
    }

    #[inline(always)]
    pub(crate) fn full(lap: u64) -> Stamp {
        Self::make(lap, FULL)
    }

    /// Speaks for `run` slots at once; the others bear no stamp of this lap.
    #[inline(always)]
    pub(crate) fn with_run(self, run: u64) -> Stamp {
        debug_assert!((1..=LONGEST_RUN).contains(&run) && self.is_single());
        Stamp(self.0 | (run - 1) << RUN_SHIFT)
    }

    /// Speaks for as many slots as `other` does.
    pub(crate) fn with_run_of(self, other: Stamp) -> Stamp {
        debug_assert!(self.is_single());
        Stamp(self.0 | other.0 & RUN)
    }

    pub(crate) fn writing(lap: u64) -> Stamp {
        Self::make(lap, WRITING)
    }

    pub(crate) fn lost(lap: u64) -> Stamp {
        Self::make(lap, LOST)
    }

    /// At rest without an event, the memory holding an older value or none.
    pub(crate) fn empty(lap: u64, holds_value: bool) -> Stamp {
        Self::make(lap, if holds_value { HOLE } else { VACANT })
    }

    fn tag(self) -> u64 {
        self.0 & TAG
    }

    /// How many slots it speaks for.
    pub(crate) fn run(self) -> u64 {
        ((self.0 & RUN) >> RUN_SHIFT) + 1
    }

    /// Speaks for its own slot alone.
    #[inline(always)]
    pub(crate) fn is_single(self) -> bool {
        self.0 & RUN == 0
    }

    /// Nobody is inside.
    pub(crate) fn at_rest(self) -> bool {
        self.tag() <= FULL
    }

    pub(crate) fn is_writing(self) -> bool {
        self.tag() == WRITING
    }

    pub(crate) fn is_lost(self) -> bool {
        self.tag() == LOST
    }

    /// Of a stamp at rest: the memory holds a value.
    pub(crate) fn holds_value(self) -> bool {
        debug_assert!(self.at_rest());
        self.tag() != VACANT
    }

    /// Somebody sleeps until this stamp is swapped out.
    pub(crate) fn is_waited(self) -> bool {
        self.0 & WAITED != 0
    }

    pub(crate) fn waited(self) -> Stamp {
        debug_assert!(self.at_rest());
        Stamp(self.0 | WAITED)
    }

    /// Of a stamp at rest: the same, but that the memory holds no value any more.
    pub(crate) fn without_value(self) -> Stamp {
        debug_assert!(self.at_rest());
        Stamp(self.0 & !TAG | VACANT)
    }

    /// A publisher is inside, for `lap`.
    pub(crate) fn is_writing_in(self, lap: u64) -> bool {
        self.is_writing() && self.lap() == Some(lap)
    }

    /// At rest in `lap` with a value in each of so many slots: none if not even in its own.
    pub(crate) fn values_in(self, lap: u64) -> u64 {
        match self.tag() {
            _ if self.lap() != Some(lap) => 0,
            FULL => self.run(),
            // Of a run of holes, where a window was pinned, the others' own stamps say what they hold.
            HOLE => 1,
            _ => 0,
        }
    }

    /// Of the head of a run that is final: what `inside`, the stamp of a slot in it, would be by itself, if that is at rest and of
    /// an earlier lap.
    pub(crate) fn hand_on_to(self, inside: Stamp) -> Option<Stamp> {
        let lap = self.lap()?;
        let by_itself = match self.tag() {
            // A run of values was entered again and lost, and its writer has forgotten what lay in
            // its slots: this head is gone by now.
            FULL if inside.tag() == VACANT => return None,
            FULL => Stamp::full(lap),
            HOLE | VACANT => Stamp::empty(lap, inside.tag() != VACANT),
            _ => return None,
        };
        // A subscriber that sleeps for the slot's next event is owed a wake-up as before.
        let waited = Stamp(by_itself.0 | inside.0 & WAITED);
        (inside.is_before(lap) && inside.at_rest()).then_some(waited)
    }

    /// Belongs to a lap before `lap`.
    pub(crate) fn is_before(self, lap: u64) -> bool {
        self.0 >> LAP_SHIFT < lap + 1
    }

    /// The lap, or `None` of a new slot.
    pub(crate) fn lap(self) -> Option<u64> {
        (self.0 >> LAP_SHIFT).checked_sub(1)
    }

    /// What a reader of this slot's sequence in `lap` is to do.
    #[inline(always)]
    pub(crate) fn look(self, lap: u64) -> Look {
        // The plain case first: the event, whether waited for or not.
        let distance = (self.0 >> LAP_SHIFT).wrapping_sub(lap + 1);
        if distance == 0 {
            match self.tag() {
                FULL => Look::Ready { run: self.run() },
                WRITING => Look::Writing,
                _ => Look::Skip { run: self.run() },
            }
        } else if self.is_before(lap) {
            Look::Earlier
        } else {
            Look::Lapped
        }
    }
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tag = ["VACANT", "HOLE", "FULL", "WRITING", "LOST", "?", "?", "?"];
        f.debug_struct(tag[self.tag() as usize])
            .field("lap", &self.lap())
            .field("run", &self.run())
            .field("waited", &self.is_waited())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_slot_is_at_rest_before_every_lap() {
        for (new, holds_value) in [(Stamp::NEW, false), (Stamp::FILLED, true)] {
            assert!(new.at_rest() && !new.is_waited() && new.is_single());
            assert_eq!(new.holds_value(), holds_value);
            assert_eq!(new.lap(), None);
            assert_eq!(new.look(0), Look::Earlier);
        }
    }

    #[test]
    fn each_tag_reads_as_the_table_says() {
        for lap in [0, 1, 77, 1 << 50] {
            assert_eq!(Stamp::full(lap).look(lap), Look::Ready { run: 1 });
            assert_eq!(
                Stamp::full(lap).with_run(32).look(lap),
                Look::Ready { run: 32 }
            );
            assert_eq!(Stamp::writing(lap).look(lap), Look::Writing);
            for gone in [
                Stamp::lost(lap),
                Stamp::empty(lap, true),
                Stamp::empty(lap, false),
            ] {
                assert_eq!(gone.look(lap), Look::Skip { run: 1 });
                assert_eq!(gone.look(lap + 1), Look::Earlier);
            }
            assert_eq!(
                Stamp::empty(lap, true).with_run(8).look(lap),
                Look::Skip { run: 8 }
            );
            assert_eq!(Stamp::full(lap + 1).look(lap), Look::Lapped);
            assert_eq!(Stamp::writing(lap + 1).look(lap), Look::Lapped);
        }
    }

    #[test]
    fn waited_changes_nothing_else() {
        for stamp in [
            Stamp::full(3).with_run(2),
            Stamp::empty(3, true),
            Stamp::NEW,
        ] {
            let waited = stamp.waited();
            assert!(waited.is_waited());
            assert_eq!(waited.lap(), stamp.lap());
            assert_eq!(waited.holds_value(), stamp.holds_value());
            assert_eq!(waited.look(3), stamp.look(3));
        }
    }

    #[test]
    fn a_head_hands_on_what_its_inside_would_be_by_itself() {
        let full = Stamp::full(5).with_run(8);
        let hole = Stamp::empty(5, true).with_run(8);
        let written = Stamp::full(3).waited();
        assert!(full.hand_on_to(written) == Some(Stamp::full(5).waited()));
        assert!(hole.hand_on_to(written) == Some(Stamp::empty(5, true).waited()));
        assert!(hole.hand_on_to(Stamp::NEW) == Some(Stamp::empty(5, false)));
        // Who is there already, or came later, is left alone.
        for other in [
            Stamp::writing(3),
            Stamp::lost(3),
            Stamp::full(5),
            Stamp::writing(6),
            written.without_value(),
        ] {
            assert!(full.hand_on_to(other).is_none());
        }
        // Nothing is final under a writer.
        assert!(Stamp::lost(5).with_run(8).hand_on_to(written).is_none());
    }

    #[test]
    fn a_run_of_values_counts_where_each_slot_holds_one() {
        assert_eq!(Stamp::full(5).with_run(8).values_in(5), 8);
        assert_eq!(Stamp::full(5).with_run(8).waited().values_in(5), 8);
        assert_eq!(Stamp::empty(5, true).with_run(8).values_in(5), 1);
        for none in [
            Stamp::NEW,
            Stamp::full(4),
            Stamp::full(6),
            Stamp::empty(5, false),
            Stamp::writing(5).with_run(8),
            Stamp::lost(5),
        ] {
            assert_eq!(none.values_in(5), 0);
        }
    }
}
