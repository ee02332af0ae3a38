//! What a bus promises, one thread at a time: a log, and where each subscriber is in it.
//!
//! When exactly a subscriber is lapped, and where holes are, is the bus's business: the oracle is told by the bus, and
//! checks that it had the right.

/// One subscriber's place.
#[derive(Debug)]
pub(crate) struct Place {
    /// The first event of the log that it did not read.
    next: usize,
    /// The bus dropped it, or will have, when it next looks.
    pub(crate) dropped: bool,
}

/// Every event that was accepted, in order.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    log: Vec<u64>,
    closed: bool,
}

impl Oracle {
    pub(crate) fn accept(&mut self, event: u64) {
        assert!(!self.closed, "accepted after the end");
        self.log.push(event);
    }

    pub(crate) fn refuse_as_stopped(&self) {
        assert!(self.closed, "refused as stopped before the end");
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn join(&self) -> Place {
        Place {
            next: self.log.len(),
            dropped: false,
        }
    }

    pub(crate) fn unread(&self, place: &Place) -> u64 {
        (self.log.len() - place.next) as u64
    }

    /// It was given this event: the next of the log, no gap.
    pub(crate) fn read(&self, place: &mut Place, event: u64) {
        assert_eq!(
            self.log.get(place.next),
            Some(&event),
            "a gap, or out of order"
        );
        place.next += 1;
    }

    /// It was given this event, passing over what came before it.
    pub(crate) fn skip_to(&self, place: &mut Place, event: u64) {
        let ahead = self.log[place.next..]
            .iter()
            .position(|logged| *logged == event);
        place.next += ahead.expect("an event that it had read, or that never was") + 1;
    }

    /// It was told that there is nothing.
    pub(crate) fn nothing(&self, place: &Place) {
        assert_eq!(self.unread(place), 0, "an event withheld");
        assert!(!place.dropped, "not told that it was dropped");
    }

    /// It was told that so many sequences were missed, `holes` of them at most without an event.
    pub(crate) fn missed(&self, place: &mut Place, missed: u64, holes: u64) {
        let unread = self.unread(place);
        assert!(
            (unread..=unread + holes).contains(&missed),
            "{missed} for {unread}, {holes} holes"
        );
        *place = self.join();
    }
}
