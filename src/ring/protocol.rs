//! Who may publish to a ring, and what follows from it.

/// How a ring is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Any number of publishers: each claims a slot, enters it, writes and commits.
    Shared,
    /// One publisher: it claims nothing, and writes slot after slot.
    Exclusive,
}

impl Protocol {
    /// Returns whether a claim that hangs can be abandoned. An exclusive publisher claims nothing.
    #[inline(always)]
    pub(crate) fn can_abandon(self) -> bool {
        self == Protocol::Shared
    }

    /// Returns whether a sleeper marks the stamp that it waits for, so that the publisher which
    /// replaces that stamp cannot miss it.
    ///
    /// An exclusive publisher stores its stamps, and would overwrite a mark. Its sleepers ask for a
    /// wake-up instead, and it may miss one that asks while a report is under way. Naps cover that.
    #[inline(always)]
    pub(crate) fn marks_stamps(self) -> bool {
        self == Protocol::Shared
    }

    /// Returns whether slots are written in the order of their sequences, so that an event speaks
    /// for the slots before it.
    #[inline(always)]
    pub(crate) fn writes_in_order(self) -> bool {
        self == Protocol::Exclusive
    }

    /// Returns whether the tail is stored less often than events are published, so that the stamps
    /// have to be searched for what came since.
    #[inline(always)]
    pub(crate) fn stores_tail_late(self) -> bool {
        self == Protocol::Exclusive
    }
}
