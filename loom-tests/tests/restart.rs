//! Stopping and starting under a publisher that keeps the old list of workers.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

use loom::sync::Arc;
use loom::thread;
use ringbus::{Bus, ReportError};
use std::time::Duration;

/// An event that is reported while the bus stops and starts is given back or accepted by one of the two runs; what
/// follows the start is read by whoever has joined the new run.
///
/// Fails without: `reload` after a ring was found closed (`send.rs`: Stopped for ever), the list replaced before the rings are
/// closed (`Core::stop`: likewise, as the reload finds the old one).
#[test]
fn a_publisher_finds_the_workers_of_the_next_run() {
    let mut model = loom::model::Builder::new();
    model.max_branches = 10_000; // two runs take more steps than loom's default allows
    model.check(|| {
        let bus: Bus<Arc<u32>> = Bus::builder().capacity(2).build().unwrap();
        let mut old = bus.subscribe().unwrap();
        let mut publisher = bus.publisher();
        let reporter = thread::spawn(move || {
            let accepted = match publisher.report(Arc::new(1)) {
                Ok(()) => true,
                Err(ReportError::Stopped(event)) => {
                    assert_eq!((*event, Arc::strong_count(&event)), (1, 1));
                    false
                }
                Err(other) => panic!("{other:?}"),
            };
            (publisher, accepted)
        });
        drop(bus.stop_timeout(Duration::ZERO));
        bus.start().unwrap();
        let mut new = bus.subscribe().unwrap();
        let (mut publisher, accepted) = reporter.join().unwrap();
        let read =
            |result: Result<ringbus::Delivery<'_, Arc<u32>>, _>| result.ok().map(|event| **event);
        let seen = [read(old.try_recv()), read(new.try_recv())];
        if !accepted {
            assert_eq!(seen, [None, None]);
        }
        publisher.report(Arc::new(2)).unwrap();
        assert_eq!(read(new.try_recv()), Some(2));
    });
}
