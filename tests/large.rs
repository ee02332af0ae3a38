//! Events that are large beside a thread's stack.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{Census, Counted, builder, manual};
use ringbus::{Bus, Drive, ExclusivePublisher, ReportError, SubscribeOptions, Subscriber};
use std::thread;
use std::time::Duration;

/// What the standard library gives a thread.
const STACK: usize = 2 << 20;
const LARGE: usize = 128 << 10;

/// 128 KiB, with a `Drop`.
#[derive(Clone)]
struct Large {
    bytes: [u8; LARGE],
    counted: Counted,
}

impl Large {
    fn new(census: &Census, number: u64) -> Self {
        Large {
            bytes: [number as u8; LARGE],
            counted: census.value(number),
        }
    }

    fn number(&self) -> u64 {
        let number = self.counted.number();
        assert!(self.bytes.iter().all(|byte| *byte == number as u8));
        number
    }
}

/// Runs `act` on a thread with a small stack, in a frame of its own.
fn on_a_small_stack(act: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(STACK).spawn(act);
    thread.unwrap().join().unwrap();
}

/// Each act reports the events 0 to 49.
fn expect_fifty(reader: &mut Subscriber<Large>, lap: u32) {
    let mut count = 0;
    while let Ok(event) = reader.try_recv() {
        assert_eq!(event.number(), count, "lap {lap}");
        count += 1;
    }
    assert_eq!(count, 50, "lap {lap}");
}

fn shared(act: fn(&Bus<Large>, &Census)) {
    on_a_small_stack(move || {
        let census = Census::default();
        let bus = manual(64);
        let mut reader = bus
            .subscribe_with(SubscribeOptions::new().window(1))
            .unwrap();
        for lap in 0..3 {
            act(&bus, &census);
            expect_fifty(&mut reader, lap);
        }
        drop((reader, bus));
        census.expect_all_dropped();
    });
}

#[test]
fn one_by_one() {
    shared(|bus, census| (0..50).for_each(|n| bus.report(Large::new(census, n)).unwrap()));
    shared(|bus, census| {
        (0..50).for_each(|n| bus.try_report(Large::new(census, n)).unwrap());
    });
    shared(|bus, census| {
        let mut publisher = bus.publisher();
        (0..50).for_each(|n| publisher.report(Large::new(census, n)).unwrap());
    });
    shared(|bus, census| {
        let mut publisher = bus.publisher();
        (0..50).for_each(|n| drop(publisher.report_recycling(Large::new(census, n)).unwrap()));
    });
    shared(|bus, census| {
        let mut publisher = bus.publisher();
        (0..50).for_each(|n| {
            let event = Large::new(census, n);
            publisher.report_timeout(event, Duration::ZERO).unwrap();
        });
    });
}

#[test]
fn in_a_batch() {
    shared(|bus, census| {
        let mut events = (0..50).map(|n| Large::new(census, n));
        assert_eq!(bus.publisher().report_batch(&mut events).unwrap(), 50);
    });
    shared(|bus, census| {
        let mut events = (0..50).map(|n| Large::new(census, n));
        assert_eq!(bus.publisher().try_report_batch(&mut events), 50);
    });
}

#[test]
fn a_batch_that_does_not_fit_takes_no_more_than_fits() {
    on_a_small_stack(|| {
        let census = Census::default();
        let bus: Bus<Large> = manual(64);
        let mut reader = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        let mut events = (0..100).map(|n| Large::new(&census, n));
        assert_eq!(publisher.try_report_batch(&mut events), 64);
        assert_eq!(publisher.carried(), 0);
        assert_eq!(census.made(), 64);
        assert_eq!(reader.try_recv().unwrap().number(), 0);
    });
}

#[test]
fn a_batch_that_is_refused_gives_its_event_back() {
    on_a_small_stack(|| {
        let census = Census::default();
        let bus: Bus<Large> = manual(64);
        let _reader = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        bus.close();
        let mut events = (7..100).map(|n| Large::new(&census, n));
        let refused = Box::new(publisher.report_batch(&mut events));
        let Err(refused) = refused.as_ref() else {
            panic!("a closed bus accepts nothing");
        };
        assert!(refused.is_stopped());
        assert!(refused.rest.is_empty());
        let ReportError::Stopped(event) = &refused.error else {
            panic!("the bus was closed");
        };
        assert_eq!(event.number(), 7);
    });
}

fn exclusive(act: fn(&mut ExclusivePublisher<Large>, &Census)) {
    on_a_small_stack(move || {
        let census = Census::default();
        let (mut publisher, bus) = builder(64).drive(Drive::Manual).build_exclusive().unwrap();
        let mut reader = bus.subscribe().unwrap();
        for lap in 0..3 {
            act(&mut publisher, &census);
            expect_fifty(&mut reader, lap);
        }
        drop((publisher, reader, bus));
        census.expect_all_dropped();
    });
}

#[test]
fn by_an_exclusive_publisher() {
    exclusive(|publisher, census| {
        (0..50).for_each(|n| publisher.report(Large::new(census, n)).unwrap());
    });
    exclusive(|publisher, census| {
        (0..50).for_each(|n| publisher.try_report(Large::new(census, n)).unwrap());
    });
    exclusive(|publisher, census| {
        (0..50).for_each(|n| drop(publisher.report_recycling(Large::new(census, n)).unwrap()));
    });
    exclusive(|publisher, census| {
        (0..50).for_each(|n| {
            let event = Large::new(census, n);
            publisher.report_timeout(event, Duration::ZERO).unwrap();
        });
    });
}

#[test]
fn by_an_exclusive_publisher_in_a_batch() {
    exclusive(|publisher, census| {
        let mut events = (0..50).map(|n| Large::new(census, n));
        assert_eq!(publisher.report_batch(&mut events).unwrap(), 50);
    });
    exclusive(|publisher, census| {
        let mut events = (0..50).map(|n| Large::new(census, n));
        assert_eq!(publisher.try_report_batch(&mut events), 50);
    });
}

/// Each of two rings gets a clone.
#[test]
fn to_two_rings() {
    fn two_rings(act: fn(&Bus<Large>, &Census)) {
        on_a_small_stack(move || {
            let census = Census::default();
            let bus = builder(64).drive(Drive::Manual).workers(2).build().unwrap();
            let mut readers = [0, 1].map(|worker| {
                let options = SubscribeOptions::new().worker(worker);
                bus.subscribe_with(options).unwrap()
            });
            for lap in 0..3 {
                act(&bus, &census);
                readers
                    .iter_mut()
                    .for_each(|reader| expect_fifty(reader, lap));
            }
            drop((readers, bus));
            census.expect_all_dropped();
        });
    }
    two_rings(|bus, census| (0..50).for_each(|n| bus.report(Large::new(census, n)).unwrap()));
    two_rings(|bus, census| {
        let mut publisher = bus.publisher();
        (0..50).for_each(|n| publisher.report(Large::new(census, n)).unwrap());
    });
    two_rings(|bus, census| {
        let mut events = (0..50).map(|n| Large::new(census, n));
        assert_eq!(bus.publisher().report_batch(&mut events).unwrap(), 50);
    });
}
