//! Who may be dropped for lag, and what may exhaust a ring.
//!
//! A publisher drops a subscriber whose cursor is more than 7/8 of the ring behind its own claim. Between the two lie
//! sequences of these kinds, counted since the subscriber last had read everything:
//!
//! - *unread*: events that were accepted or committed and that it has not read. Those of a call that is frozen count as far
//!   as they may be committed, because a call tells what was accepted only at its end.
//! - *frozen*: slots of claims whose publishers froze, each [`share`] at most, because a claim holds no more than an eighth of
//!   the ring divided by the publishers of the moment. A freeze counts once for each subscriber: its claim lies in that span,
//!   or was made before and its slots are passed over a lap later, never both, as the span is shorter than the ring. What the
//!   publisher publishes anew after a thaw counts among the unread.
//! - *pinned*: the windows of subscribers that were dropped and had not noticed. A span shorter than the ring meets each at
//!   most once. They are skipped because they may be borrowed.
//! - the subscriber's own window, because its cursor moves once a window, and the one slot that the publisher wants.

/// The slots that one claim may hold in a ring of `capacity` with so many publishers.
pub(crate) fn share(capacity: u64, publishers: u64) -> u64 {
    (capacity / 8 / publishers.max(1)).max(1)
}

/// What lies between a subscriber's cursor and the publishers, counted since it had read everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    pub(crate) window: u64,
    accepted: u64,
    read: u64,
    frozen: u64,
    pinned: u64,
    /// A call was refused as exhausted: its claim was given back as holes.
    given_back: u64,
}

impl Health {
    /// A subscriber that has just joined, or has read everything, where publishers hold so many slots by freezes and so many
    /// are pinned.
    pub(crate) fn fresh(window: u64, frozen: u64, pinned: u64) -> Self {
        Health {
            window,
            frozen,
            pinned,
            ..Health::default()
        }
    }

    pub(crate) fn accept(&mut self, events: u64) {
        self.accepted += events;
    }

    pub(crate) fn read(&mut self, events: u64) {
        self.read += events;
    }

    pub(crate) fn freeze(&mut self, slots: u64) {
        self.frozen += slots;
    }

    pub(crate) fn pin(&mut self, slots: u64) {
        self.pinned += slots;
    }

    pub(crate) fn give_back(&mut self, slots: u64) {
        self.given_back += slots;
    }

    /// Returns how far the cursor may be behind, at most, with so many events committed by calls that are under way.
    pub(crate) fn behind(&self, committed: u64) -> u64 {
        let unread = (self.accepted + committed).saturating_sub(self.read);
        unread + self.frozen + self.pinned + self.given_back + self.window + 1
    }

    /// A subscriber was dropped for lag: panics if it cannot have been as slow as that.
    pub(crate) fn check_drop(&self, reader: usize, capacity: u64, committed: u64) {
        assert!(
            self.behind(committed) > capacity * 7 / 8,
            "reader {reader} was dropped for lag and was healthy: {} of {capacity} slots behind at most, \
             {committed} of them committed by calls under way: {self:?}",
            self.behind(committed),
        );
    }
}
