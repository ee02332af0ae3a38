//! What one claim may hold, and what becomes of a subscriber that waits for it.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_a;

use loom::sync::Arc;
use loom::thread;
use support_a::{Reader, check, shared};

/// [K1 share] Wherever the publisher of a batch stands, it holds at most its share of the ring: all that is claimed beyond
/// that is there to be read.
///
/// Fails without: the share in `publish_batch` (a claim takes the whole batch); the number of publishers in it.
#[test]
fn a_frozen_batch_holds_no_more_than_its_share() {
    check(|| {
        let bus = shared(8);
        let mut reader = Reader::join(&bus, 1);
        let [mut publisher, _other] = [bus.publisher(), bus.publisher()];
        let batch = thread::spawn(move || {
            let events = [1, 2, 3].map(Arc::new);
            assert_eq!(publisher.report_batch(&mut events.into_iter()).unwrap(), 3);
        });
        let claimed = reader.lag();
        reader.drain();
        // Eight slots, half of which claims may take under loom, and two publishers.
        let held = claimed.saturating_sub(reader.seen.len() as u64);
        assert!(held <= 2, "{held} of {claimed} claimed");
        batch.join().unwrap();
        reader.drain();
        assert_eq!(reader.events(), [1, 2, 3]);
    });
}

/// [K2 young] A publisher stalls in a claim while others go on to the end of the ring: the subscriber that waits there is not
/// dropped, because each scan abandons the claim in time or stops short of it.
///
/// Fails without: the claim that a scan finds ahead of a cursor taking the blame from it.
#[test]
fn a_subscriber_that_waits_for_a_claim_is_not_dropped() {
    check(|| {
        let bus = shared(4);
        let mut reader = Reader::join(&bus, 1);
        let other = bus.clone();
        let stalled = thread::spawn(move || other.report(Arc::new(10)).unwrap());
        for n in 0..3 {
            bus.report(Arc::new(n)).unwrap();
        }
        reader.drain();
        stalled.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.sorted(), [0, 1, 2, 10]);
    });
}
