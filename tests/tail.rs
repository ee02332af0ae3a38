//! Where an exclusive bus says that it is: its publisher does not store that for each event.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::{Bus, Drive, SlotLayout};

/// What is reported at once: one event, or a batch of so many.
const SIZES: [u64; 9] = [1, 1, 3, 1, 7, 1, 1, 1, 16];

/// Everything that tells a position tells it exactly, after each report and each batch.
fn is_exact(capacity: usize, layout: SlotLayout) {
    let (mut publisher, bus) = Bus::builder()
        .capacity(capacity)
        .slots(layout)
        .drive(Drive::Manual)
        .build_exclusive()
        .unwrap();
    let mut reader = bus.subscribe().unwrap();
    let mut behind = bus.subscribe().unwrap();
    let mut next = 0;
    for size in SIZES.into_iter().cycle() {
        if size == 1 {
            publisher.report(next).unwrap();
        } else if size == 7 {
            let mut numbers = next..;
            publisher
                .report_batch_with(7, |slots| {
                    slots
                        .zip(&mut numbers)
                        .for_each(|(slot, number)| *slot = number);
                })
                .unwrap();
        } else {
            publisher.report_batch(next..next + size).unwrap();
        }
        next += size;

        assert_eq!(reader.lag(), size);
        assert_eq!(bus.lag_of(reader.id()), Some(size));
        assert_eq!(bus.stats().workers[0].published, next);
        let slowest = reader.lag().max(behind.lag());
        assert_eq!(publisher.free() as u64, capacity as u64 - slowest);
        let mut joiner = bus.subscribe().unwrap();
        assert_eq!(joiner.next_sequence(), next);
        assert!(joiner.try_recv().is_err(), "older than its join");
        drop(joiner);
        assert_eq!(*reader.latest().unwrap(), next - 1);
        reader.release();
        assert_eq!(reader.lag(), 0);
        if behind.lag() > capacity as u64 / 4 {
            behind.rejoin().unwrap();
            assert_eq!(behind.next_sequence(), next);
        }
        if next > 5 * capacity as u64 {
            break;
        }
    }
    let lag = behind.lag();
    publisher.close();
    assert_eq!(behind.lag(), lag);
    assert_eq!(behind.drain(usize::MAX, |_| {}), Ok(lag as usize));
    assert!(behind.try_recv().unwrap_err().is_closed());
}

#[test]
fn every_position_is_exact_after_each_report() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        for capacity in [64, 128, 1024] {
            is_exact(capacity, layout);
        }
    }
}
