//! A reader of an exclusive ring that takes a whole window by one look.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used)]

use ringbus::{
    Bus, Drive, Exclusive, ExclusivePublisher, SlotLayout, SubscribeOptions, Subscriber,
};

const CAPACITY: u64 = 64;

fn exclusive(layout: SlotLayout) -> (ExclusivePublisher<u64>, Bus<u64, Exclusive>) {
    Bus::builder()
        .capacity(CAPACITY as usize)
        .slots(layout)
        .drive(Drive::Manual)
        .build_exclusive()
        .unwrap()
}

fn receive(reader: &mut Subscriber<u64>, most: usize) -> Vec<u64> {
    let mut events = Vec::new();
    while events.len() < most
        && let Ok(event) = reader.try_recv()
    {
        events.push(*event);
    }
    events
}

fn drain(reader: &mut Subscriber<u64>, most: usize) -> Vec<u64> {
    let mut events = Vec::new();
    reader.drain(most, |event| events.push(*event)).unwrap();
    events
}

/// A subscriber that was dropped pins its window, which becomes holes in each lap. The reader gets
/// every event once, whether holes lie at the start, the middle or the end of its own windows, and
/// wherever it stops in between.
#[test]
fn holes_are_passed_over_wherever_they_lie() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        for pinned in 0..8 {
            for read in [receive, drain] {
                let (mut publisher, bus) = exclusive(layout);
                let mut reader = bus
                    .subscribe_with(SubscribeOptions::new().window(8))
                    .unwrap();
                let mut next = 0;
                let mut report = |count: u64| {
                    for _ in 0..count {
                        publisher.report(next).unwrap();
                        next += 1;
                    }
                };
                report(pinned);
                assert_eq!(read(&mut reader, usize::MAX).len() as u64, pinned);
                let mut holder = bus
                    .subscribe_with(SubscribeOptions::new().window(1))
                    .unwrap();
                report(1);
                assert_eq!(holder.try_recv().map(|event| *event).ok(), Some(pinned));

                let mut expected = pinned..;
                for round in 0..40 {
                    report(37 + round % 3);
                    let all = read(&mut reader, 20 + round as usize % 7);
                    let all = all.into_iter().chain(read(&mut reader, usize::MAX));
                    for event in all {
                        assert_eq!(Some(event), expected.next());
                    }
                }
                assert!(
                    bus.stats().workers[0].holes > 10,
                    "the pinned slot, lap for lap"
                );
                assert_eq!(expected.next(), Some(next));
            }
        }
    }
}

/// A run that begins in a window may lead beyond its end: the reader goes on inside of it.
#[test]
fn runs_lead_from_window_to_window() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        for window in [1, 2, 4, 8] {
            for read in [receive, drain] {
                let (mut publisher, bus) = exclusive(layout);
                let options = SubscribeOptions::new().window(window);
                let mut reader = bus.subscribe_with(options).unwrap();
                let mut expected = 0..;
                let mut next = 0;
                for round in 0..400 {
                    // Single events, a run, and single events, as long as they fit.
                    for run in [round % 5, 0, 2 + round % 17, 1, round % 3, 0] {
                        match run {
                            0 | 1 => {
                                publisher.report(next).unwrap();
                                next += 1;
                            }
                            run => {
                                publisher.report_batch(next..next + run).unwrap();
                                next += run;
                            }
                        }
                    }
                    let all = read(&mut reader, 3 + round as usize % 11);
                    let all = all.into_iter().chain(read(&mut reader, usize::MAX));
                    for event in all {
                        assert_eq!(Some(event), expected.next());
                    }
                }
                assert_eq!(expected.next(), Some(next));
            }
        }
    }
}
