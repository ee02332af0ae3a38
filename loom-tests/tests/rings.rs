//! Several rings: all or none.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

mod support_b;

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, SubscribeOptions, Subscriber, TryRecvError, TryReportError};
use support_b::Wakes;

type Event = Arc<u32>;

/// Two rings, and a reader of each.
fn rings(capacity: usize) -> (Bus<Event>, [Subscriber<Event>; 2]) {
    let builder = Bus::builder().capacity(capacity).workers(2);
    let bus: Bus<Event> = builder.build().unwrap();
    let join = |worker| {
        let options = SubscribeOptions::new().window(1).worker(worker);
        bus.subscribe_with(options).unwrap()
    };
    let readers = [0, 1].map(join);
    (bus, readers)
}

fn drain(reader: &mut Subscriber<Event>) -> Vec<u32> {
    let mut seen = Vec::new();
    loop {
        match reader.try_recv() {
            Ok(event) => seen.push(**event),
            Err(TryRecvError::Empty) => return seen,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Two publishers after the one slot that the second ring has left: both find room in both rings, both claim in the
/// first. Who is refused in the second has its event back whole, and its claim in the first becomes a hole.
///
/// Fails without: `give_up` in `claim_all` (the slot stays its writer's: the next report is refused), all claims before
/// the first commit (the event is shared when it comes back, and read in one ring), `pay` after `give_up` or `owed` set in
/// `Ring::enter` (the sleeper is asleep for good).
#[test]
fn one_ring_that_refuses_refuses_for_all() {
    let mut model = loom::model::Builder::new();
    model.max_branches = 10_000; // two rings take more steps than loom's default allows
    model.check(|| {
        // Eight slots, so that one claim in flight is not yet a quarter of the ring, which a scan would rescue.
        let (bus, [mut sleeper, mut slow]) = rings(8);
        for n in 10..17 {
            bus.report(Arc::new(n)).unwrap();
        }
        assert_eq!(drain(&mut sleeper).len(), 7);
        let wakes = Wakes::new();
        let asleep = wakes.poll(|context| sleeper.poll_ready(context));
        assert!(asleep.is_pending());

        let report = |bus: &Bus<Event>, n| match bus.try_report(Arc::new(n)) {
            Ok(()) => true,
            Err(TryReportError::Full(event)) => {
                assert_eq!((*event, Arc::strong_count(&event)), (n, 1));
                false
            }
            Err(other) => panic!("{other:?}"),
        };
        let other = bus.clone();
        let reporter = thread::spawn(move || report(&other, 1));
        let accepted = [report(&bus, 2), reporter.join().unwrap()];
        let accepted = match accepted {
            [true, false] => 2,
            [false, true] => 1,
            other => panic!("{other:?}"),
        };
        if bus.wants_turn() {
            bus.turn();
        }
        assert_eq!(wakes.count(), 1, "asleep for good");
        assert_eq!(drain(&mut sleeper), [accepted]);
        assert_eq!(drain(&mut slow)[7..], [accepted]);
        bus.try_report(Arc::new(3)).unwrap();
    });
}

/// A claim that a reader takes from its publisher in one ring is made anew there: each reader sees the event once.
///
/// Fails without: the second `publish` in `send_to_all` after a commit that lost its slot (the hasty reader sees nothing).
#[test]
fn a_claim_lost_in_one_ring_is_made_anew() {
    loom::model(|| {
        let (bus, [mut calm, mut hasty]) = rings(2);
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || publisher.report(Arc::new(7)).unwrap());
        let mut early = drain(&mut hasty);
        reporter.join().unwrap();
        early.extend(drain(&mut hasty));
        assert_eq!(early, [7]);
        assert_eq!(drain(&mut calm), [7]);
    });
}

/// A claim that a reader takes in the first ring, where there is then no room to make it anew: the claim in the second ring
/// is given up, and the report is refused whole.
///
/// Fails without: `give_up` in `send_to_all` (the slot stays its writer's: the next report is refused), the caller's policy
/// for the first ring (somebody is dropped by a `try_report`), `pay` after it (the sleeper is asleep for good).
#[test]
fn a_claim_lost_in_the_first_ring_may_be_refused_for_all() {
    let mut model = loom::model::Builder::new();
    model.max_branches = 10_000; // as above
    model.check(|| {
        let (bus, [mut hasty, mut sleeper]) = rings(2);
        let options = SubscribeOptions::new().window(1).worker(0);
        let mut slow = bus.subscribe_with(options).unwrap();
        bus.report(Arc::new(0)).unwrap();
        assert_eq!(drain(&mut hasty), [0]);
        assert_eq!(drain(&mut sleeper), [0]);
        let wakes = Wakes::new();
        let asleep = wakes.poll(|context| sleeper.poll_ready(context));
        assert!(asleep.is_pending());

        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || match publisher.try_report(Arc::new(1)) {
            Ok(()) => true,
            Err(TryReportError::Full(event)) => {
                assert_eq!((*event, Arc::strong_count(&event)), (1, 1));
                false
            }
            Err(other) => panic!("{other:?}"),
        });
        let mut seen = drain(&mut hasty);
        if bus.wants_turn() {
            // Of this drain's own making: what the publisher owes must come from itself.
            bus.turn();
        }
        let accepted = reporter.join().unwrap();
        if bus.wants_turn() {
            bus.turn();
        }
        // It was refused before it claimed in the second ring, or it owed a wake-up there.
        assert_eq!(wakes.count() > 0, sleeper.lag() > 0, "asleep for good");
        let expected = if accepted { &[1][..] } else { &[] };
        seen.extend(drain(&mut hasty));
        assert_eq!(seen, expected);
        assert_eq!(drain(&mut sleeper), expected);
        assert_eq!(drain(&mut slow), [&[0], expected].concat());
        for n in 2..4 {
            bus.try_report(Arc::new(n)).unwrap();
        }
        for reader in [&mut hasty, &mut slow, &mut sleeper] {
            assert_eq!(drain(reader), [2, 3]);
        }
    });
}
