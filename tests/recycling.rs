//! What `report_recycling` gives back: of each slot the value that it held, however many holes lie in between.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, builder};
use ringbus::{Bus, Delivery, Drive, ReportError, SlotLayout, SubscribeOptions, Subscriber};

const CAPACITY: u64 = 64;
const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];

/// What each slot holds. A hole leaves it as it is.
struct Slots([Option<u64>; CAPACITY as usize]);

impl Slots {
    fn new() -> Self {
        Slots([None; CAPACITY as usize])
    }

    /// The event went where `reader` finds it: what was given back is what that slot held.
    fn check(
        &mut self,
        number: u64,
        back: Option<Counted>,
        reader: &mut Subscriber<Counted>,
    ) -> u64 {
        let event = reader.try_recv().unwrap();
        assert_eq!(event.number(), number);
        let sequence = Delivery::sequence(&event);
        let held = self.0[(sequence % CAPACITY) as usize].replace(number);
        assert_eq!(back.map(|back| back.number()), held, "at {sequence}");
        sequence
    }
}

/// Five laps with somebody's window pinned from the second on, and three after it has let go.
fn laps_around_a_pinned_window<M>(
    census: &Census,
    bus: &Bus<Counted, M>,
    mut report: impl FnMut(Counted) -> Result<Option<Counted>, ReportError<Counted>>,
) {
    let mut slots = Slots::new();
    let back = report(census.value(1_000)).unwrap();
    assert_eq!(back.unwrap().number(), 1_000, "nobody listens");
    let window = |slots| {
        bus.subscribe_with(SubscribeOptions::new().window(slots))
            .unwrap()
    };
    let mut reader = window(1);
    let mut stuck = window(4);
    let mut next = 0;
    let mut last = 0;
    let mut go_on = |laps: u64, reader: &mut Subscriber<Counted>| {
        let mut holes = 0;
        for _ in 0..laps * CAPACITY {
            let back = report(census.value(next)).unwrap();
            let sequence = slots.check(next, back, reader);
            holes += sequence.saturating_sub(last + 1);
            (next, last) = (next + 1, sequence);
        }
        holes
    };
    assert_eq!(
        go_on(1, &mut reader),
        0,
        "not in the lap that it was read in"
    );
    let held = stuck.try_recv().unwrap();
    assert!(go_on(4, &mut reader) >= 4 * 4);
    assert_eq!(held.number(), 0);
    drop(stuck);
    go_on(3, &mut reader);
    assert_eq!(census.alive() as u64, CAPACITY, "a value in each slot");
}

#[test]
fn a_shared_publisher_gives_back_what_each_slot_held() {
    for layout in LAYOUTS {
        let census = Census::default();
        let bus = builder(64)
            .drive(Drive::Manual)
            .slots(layout)
            .build()
            .unwrap();
        let mut publisher = bus.publisher();
        laps_around_a_pinned_window(&census, &bus, |event| publisher.report_recycling(event));
        drop((bus, publisher));
        census.expect_all_dropped();
    }
}

#[test]
fn an_exclusive_publisher_gives_back_what_each_slot_held() {
    for layout in LAYOUTS {
        let census = Census::default();
        let builder = builder(64).drive(Drive::Manual).slots(layout);
        let (mut publisher, bus) = builder.build_exclusive().unwrap();
        laps_around_a_pinned_window(&census, &bus, |event| publisher.report_recycling(event));
        drop((bus, publisher));
        census.expect_all_dropped();
    }
}

#[test]
fn with_two_rings_one_value_comes_back_and_the_others_are_dropped() {
    let census = Census::default();
    let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
    let mut readers = [0, 1].map(|_| bus.subscribe().unwrap());
    let mut publisher = bus.publisher();
    for n in 0..3 * CAPACITY {
        let back = publisher.report_recycling(census.value(n)).unwrap();
        assert_eq!(back.map(|back| back.number()), n.checked_sub(CAPACITY));
        for reader in &mut readers {
            assert_eq!(reader.try_recv().unwrap().number(), n);
        }
    }
    assert_eq!(census.alive() as u64, 2 * CAPACITY);
    bus.close();
    let refused = publisher.report_recycling(census.value(7)).unwrap_err();
    assert!(refused.is_stopped());
    assert_eq!(refused.into_inner().number(), 7);
    drop((bus, publisher, readers));
    census.expect_all_dropped();
}

/// A ring that just began to be heard has slots without values.
#[test]
fn with_two_rings_out_of_step_the_value_of_either_comes_back() {
    let census = Census::default();
    let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
    let on = |worker| SubscribeOptions::new().worker(worker);
    let mut reader = bus.subscribe_with(on(1)).unwrap();
    for n in 0..CAPACITY {
        bus.report(census.value(n)).unwrap();
        assert_eq!(reader.try_recv().unwrap().number(), n);
    }
    reader.release();
    let first = bus.subscribe_with(on(0)).unwrap();
    let back = bus.publisher().report_recycling(census.value(CAPACITY));
    assert_eq!(back.unwrap().map(|back| back.number()), Some(0));
    drop((bus, first, reader));
    census.expect_all_dropped();
}

#[cfg(feature = "test-hooks")]
#[test]
fn a_claim_that_is_lost_gives_nothing_away() {
    use ringbus::ManualClock;
    use ringbus::hooks::{self, Point};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    let (census, clock) = (Census::default(), ManualClock::new());
    let builder = builder(64).drive(Drive::Manual).clock(clock.clone());
    let bus = builder.build().unwrap();
    let reader = Rc::new(RefCell::new(bus.subscribe().unwrap()));
    let mut publisher = bus.publisher();
    // One write in three is robbed of its slot, after the older value was moved out.
    let (robbed, mut written) = (reader.clone(), 0);
    hooks::set(move |point| {
        if point == Point::Written {
            written += 1;
            if written % 3 == 1 {
                let mut reader = robbed.borrow_mut();
                assert!(reader.try_recv().unwrap_err().is_empty());
                clock.advance(Duration::from_secs(1));
                assert!(reader.try_recv().unwrap_err().is_empty());
            }
        }
    });
    let mut slots = Slots::new();
    for n in 0..4 * CAPACITY {
        let back = publisher.report_recycling(census.value(n)).unwrap();
        slots.check(n, back, &mut reader.borrow_mut());
    }
    hooks::set(|_| {});
    assert!(bus.stats().workers[0].abandoned >= CAPACITY);
    drop((bus, publisher, reader));
    census.expect_all_dropped();
}
