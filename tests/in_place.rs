//! Reports that write into what a slot holds.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::builder;
use ringbus::{
    Bus, Drive, Exclusive, ExclusivePublisher, SlotLayout, SubscribeOptions, Subscriber,
    WaitStrategy,
};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

const CAPACITY: u64 = 64;
const LAYOUTS: [SlotLayout; 2] = [SlotLayout::InLine, SlotLayout::Dense];

thread_local! {
    /// Lines that exist on this thread. A test has a thread of its own.
    static ALIVE: Cell<i64> = const { Cell::new(0) };
    /// Defaults until the one that panics.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// An event with a buffer, which is counted.
#[derive(Debug)]
struct Line {
    number: u64,
    text: String,
}

impl Line {
    fn new(number: u64) -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Line {
            number,
            text: number.to_string(),
        }
    }

    fn set(&mut self, number: u64) {
        self.number = number;
        self.text.clear();
        self.text.push_str(&number.to_string());
    }

    /// The number, once it is sure that the text goes with it.
    fn check(&self) -> u64 {
        assert_eq!(self.text, self.number.to_string());
        self.number
    }
}

impl Default for Line {
    fn default() -> Self {
        LEFT.set(LEFT.get() - 1);
        if LEFT.get() == 0 {
            trip();
        }
        Line::new(0)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

/// A panic that no hook makes a noise about.
fn trip() -> ! {
    resume_unwind(Box::new("tripped"))
}

fn trips(act: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err());
}

type Ends = (
    ExclusivePublisher<Line>,
    Bus<Line, Exclusive>,
    Subscriber<Line>,
);

fn ends(layout: SlotLayout) -> Ends {
    let (publisher, bus) = builder(CAPACITY as usize)
        .slots(layout)
        .drive(Drive::Manual)
        .build_exclusive()
        .unwrap();
    let reader = bus
        .subscribe_with(SubscribeOptions::new().window(1))
        .unwrap();
    (publisher, bus, reader)
}

/// Takes the numbers from `next` on, as many as there are.
fn expect_from(next: u64, reader: &mut Subscriber<Line>) -> u64 {
    let mut next = next;
    let mut take = |line: &Line| {
        assert_eq!(line.check(), next);
        next += 1;
    };
    while reader.drain(usize::MAX, &mut take).is_ok_and(|n| n > 0) {}
    next
}

/// Drops all that is left of a bus.
fn end<T>(rest: T) {
    drop(rest);
    assert_eq!(ALIVE.get(), 0, "each value is dropped once");
}

#[test]
fn events_come_in_order_however_they_are_reported() {
    for layout in LAYOUTS {
        // Which way comes first decides what the slots of the first lap hold.
        for first in 0..6 {
            let (mut publisher, bus, mut reader) = ends(layout);
            let mut next = 0;
            let mut read = 0;
            for way in (0..6).cycle().skip(first) {
                let mut numbers = next..;
                let mut put = |slots: ringbus::SlotsMut<'_, Line>| {
                    for (line, number) in slots.zip(&mut numbers) {
                        line.set(number);
                    }
                };
                next += match way {
                    0 => {
                        publisher.report_with(|line| line.set(next)).unwrap();
                        1
                    }
                    1 => publisher.report_batch_with(9, put).unwrap() as u64,
                    2 => {
                        publisher.report(Line::new(next)).unwrap();
                        1
                    }
                    3 => publisher
                        .report_batch((next..next + 7).map(Line::new))
                        .unwrap() as u64,
                    4 => {
                        publisher.try_report_with(|line| line.set(next)).unwrap();
                        1
                    }
                    _ => publisher.try_report_batch_with(5, &mut put) as u64,
                };
                read = expect_from(read, &mut reader);
                assert_eq!(read, next);
                if next > 5 * CAPACITY {
                    break;
                }
            }
            end((publisher, bus, reader));
        }
    }
}

#[test]
fn a_slot_keeps_its_buffer() {
    for layout in LAYOUTS {
        let (mut publisher, bus, mut reader) = ends(layout);
        let mut buffers = vec![std::ptr::null(); CAPACITY as usize];
        for number in 0..5 * CAPACITY {
            publisher
                .report_with(|line| {
                    if number < CAPACITY {
                        assert_eq!((line.number, &*line.text), (0, "0"), "a default");
                        line.text.reserve(100);
                    } else {
                        assert_eq!(line.check(), number - CAPACITY);
                    }
                    line.set(number);
                })
                .unwrap();
            let line = reader.recv().unwrap();
            let buffer = &mut buffers[(number % CAPACITY) as usize];
            if number >= CAPACITY {
                assert_eq!(*buffer, line.text.as_ptr());
            }
            *buffer = line.text.as_ptr();
        }
        assert_eq!(ALIVE.get(), CAPACITY as i64);
        end((publisher, bus, reader));
    }
}

#[test]
fn with_no_subscriber_nothing_is_called() {
    let (mut publisher, bus, reader) = ends(SlotLayout::InLine);
    drop(reader);
    publisher.report_with(|_| unreachable!()).unwrap();
    publisher.try_report_with(|_| unreachable!()).unwrap();
    let never = |_: ringbus::SlotsMut<'_, Line>| unreachable!();
    assert_eq!(publisher.report_batch_with(1000, never).unwrap(), 1000);
    assert_eq!(publisher.try_report_batch_with(1000, never), 1000);
    assert_eq!(ALIVE.get(), 0, "nor are slots filled");
    let mut reader = bus.subscribe().unwrap();
    assert_eq!(publisher.report_batch_with(0, never).unwrap(), 0);
    assert!(reader.try_recv().is_err());
    end((publisher, bus, reader));
}

#[test]
fn with_no_subscriber_nothing_is_called_though_one_slept() {
    let (mut publisher, bus, reader) = ends(SlotLayout::InLine);
    drop(reader);
    let options = SubscribeOptions::new().wait(WaitStrategy::Park);
    let mut sleeper = bus.subscribe_with(options).unwrap();
    let nap = Duration::from_millis(2);
    assert!(sleeper.recv_timeout(nap).unwrap_err().is_timeout());
    drop(sleeper);
    publisher.report_with(|_| unreachable!()).unwrap();
    let never = |_: ringbus::SlotsMut<'_, Line>| unreachable!();
    assert_eq!(publisher.report_batch_with(9, never).unwrap(), 9);
    end((publisher, bus));
}

#[test]
fn a_panic_publishes_nothing_and_the_slot_keeps_what_was_left() {
    for layout in LAYOUTS {
        for laps in 0..3 {
            let (mut publisher, bus, mut reader) = ends(layout);
            let mut next = 0;
            while next < laps * CAPACITY + 5 {
                publisher.report_with(|line| line.set(next)).unwrap();
                next = expect_from(next, &mut reader);
            }
            trips(|| {
                let _ = publisher.report_with(|line| {
                    line.text = "left".into();
                    trip();
                });
            });
            assert!(reader.try_recv().is_err());
            trips(|| {
                let _ = publisher.report_batch_with(3, |mut slots| {
                    assert_eq!(slots.len(), 3);
                    assert_eq!(slots.next().unwrap().text, "left");
                    slots.next().unwrap().text = "left, too".into();
                    trip();
                });
            });
            assert!(reader.try_recv().is_err());
            publisher
                .report_with(|line| {
                    assert_eq!(line.text, "left");
                    line.set(next);
                })
                .unwrap();
            publisher
                .report_with(|line| {
                    assert_eq!(line.text, "left, too");
                    line.set(next + 1);
                })
                .unwrap();
            assert_eq!(expect_from(next, &mut reader), next + 2);
            end((publisher, bus, reader));
        }
    }
}

/// Some slots of the first lap are filled then, and some are not.
#[test]
fn a_default_that_panics_leaves_the_slots_to_the_next_report() {
    for layout in LAYOUTS {
        for defaults in 1..=CAPACITY - 3 {
            for way in 0..4 {
                let (mut publisher, bus, mut reader) = ends(layout);
                for number in 0..3 {
                    publisher.report(Line::new(number)).unwrap();
                }
                LEFT.set(defaults);
                trips(|| {
                    let _ = publisher.report_with(|_| unreachable!());
                });
                LEFT.set(u64::MAX);
                let alive = ALIVE.get();
                assert_eq!(alive, 3 + defaults as i64 - 1);
                let mut read = expect_from(0, &mut reader);
                assert_eq!(read, 3);
                while read < 3 * CAPACITY {
                    let mut numbers = read..;
                    match way {
                        0 => publisher.report(Line::new(read)).unwrap(),
                        1 => drop(publisher.report_batch((read..read + 20).map(Line::new))),
                        2 => publisher.report_with(|line| line.set(read)).unwrap(),
                        _ => drop(publisher.report_batch_with(20, |slots| {
                            slots.zip(&mut numbers).for_each(|(line, n)| line.set(n));
                        })),
                    }
                    read = expect_from(read, &mut reader);
                }
                assert_eq!(ALIVE.get(), CAPACITY as i64, "one in each slot");
                end((publisher, bus, reader));
            }
        }
    }
}

/// Few of a lap are reported, and the others were filled for nothing.
#[test]
fn a_bus_that_ends_in_its_first_lap_drops_what_it_filled() {
    for layout in LAYOUTS {
        for reports in 0..CAPACITY {
            let (mut publisher, bus, reader) = ends(layout);
            if reports % 2 == 0 {
                publisher.report(Line::new(0)).unwrap();
            }
            for number in 0..reports {
                publisher.report_with(|line| line.set(number)).unwrap();
            }
            end((publisher, bus, reader));
        }
    }
}

#[test]
fn slots_that_are_not_taken_are_reported_as_they_are() {
    let (mut publisher, bus, mut reader) = ends(SlotLayout::InLine);
    let take_two = |slots: ringbus::SlotsMut<'_, Line>| {
        slots.zip(7..9).for_each(|(line, number)| line.set(number));
    };
    assert_eq!(publisher.report_batch_with(4, take_two).unwrap(), 4);
    let mut numbers = Vec::new();
    reader
        .drain(usize::MAX, |line| numbers.push(line.check()))
        .unwrap();
    assert_eq!(numbers, [7, 8, 0, 0]);
    end((publisher, bus, reader));
}

#[test]
fn try_reports_stop_where_a_subscriber_is_a_ring_behind() {
    let (mut publisher, bus, mut reader) = ends(SlotLayout::Dense);
    let mut numbers = 0..;
    let mut put = |slots: ringbus::SlotsMut<'_, Line>| {
        slots.zip(&mut numbers).for_each(|(line, n)| line.set(n));
    };
    let some = publisher.try_report_batch_with(1000, &mut put) as u64;
    assert_eq!(some, CAPACITY);
    let refused = publisher.try_report_with(|_| unreachable!());
    assert!(refused.unwrap_err().is_full());
    assert_eq!(publisher.try_report_batch_with(1, &mut put), 0);
    assert_eq!(expect_from(0, &mut reader), some);
    assert_eq!(publisher.try_report_batch_with(3, &mut put), 3);
    assert_eq!(expect_from(some, &mut reader), some + 3);
    end((publisher, bus, reader));
}

#[test]
fn a_sleeper_is_woken() {
    const EVENTS: u64 = 2_000;
    let (mut publisher, bus) = builder::<u64>(CAPACITY as usize).build_exclusive().unwrap();
    let mut reader = bus.subscribe().unwrap();
    let thread = thread::spawn(move || {
        let mut next = 0;
        while let Ok(number) = reader.recv().map(|number| *number) {
            assert_eq!(number, next);
            next += 1;
            if next % 100 == 0 {
                thread::yield_now();
            }
        }
        next
    });
    let mut next = 0;
    while next < EVENTS {
        if next % 3 == 0 {
            next += u64::from(publisher.try_report_with(|slot| *slot = next).is_ok());
        } else {
            let mut numbers = next..;
            next += publisher.try_report_batch_with(7, |slots| {
                slots.zip(&mut numbers).for_each(|(slot, n)| *slot = n);
            }) as u64;
        }
        thread::yield_now();
    }
    publisher.close();
    assert_eq!(thread.join().unwrap(), next);
}
