//! A reader that follows closely rests where that lets events gather, whatever its window.
#![cfg(feature = "test-hooks")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ringbus::hooks::{self, Point};
use ringbus::{Bus, Drive, Exclusive, ExclusivePublisher, SubscribeOptions, Subscriber};

/// Returns a count of this thread's rests.
fn count_rests() -> Rc<Cell<u64>> {
    let rests = Rc::new(Cell::new(0));
    let seen = Rc::clone(&rests);
    hooks::set(move |point| seen.set(seen.get() + u64::from(point == Point::Resting)));
    rests
}

/// Returns how often a reader rests in [`ROUNDS`] rounds, if `events` are reported in each, and
/// then read by `read`.
fn rests(
    window: usize,
    events: u64,
    read: impl Fn(&mut Subscriber<u64>),
) -> Result<u64, Box<dyn std::error::Error>> {
    let bus = Bus::builder().capacity(64).drive(Drive::Manual).build()?;
    let mut reader = bus.subscribe_with(SubscribeOptions::new().window(window))?;
    let rests = count_rests();
    for _ in 0..ROUNDS {
        for event in 0..events {
            bus.report(event)?;
        }
        read(&mut reader);
    }
    Ok(rests.get())
}

const ROUNDS: u64 = 640;

fn receive_all(reader: &mut Subscriber<u64>) {
    while reader.try_recv().is_ok() {}
}

fn drain_all(reader: &mut Subscriber<u64>) {
    while reader
        .drain(usize::MAX, |_| {})
        .is_ok_and(|events| events > 0)
    {}
}

fn read_newest(reader: &mut Subscriber<u64>) {
    while reader.latest().is_ok() {}
}

#[test]
fn a_reader_rests_wherever_more_than_one_event_gathered() -> Result<(), Box<dyn std::error::Error>>
{
    for window in [1, 2, 4, 8, 16] {
        for events in [2, 3, 4, 8, 9, 16, 17] {
            for read in [receive_all, drain_all, read_newest] {
                let rests = rests(window, events, read)?;
                // Four in a row, if each of them brought more than one event.
                let in_a_row = if events > 4 { 4 } else { 1 };
                assert_eq!(
                    rests,
                    in_a_row * ROUNDS,
                    "a window of {window}, {events} events"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_reader_seldom_rests_where_one_event_comes_each_time() -> Result<(), Box<dyn std::error::Error>>
{
    for window in [1, 2, 4, 8, 16] {
        for read in [receive_all, drain_all, read_newest] {
            // One after 2 rounds, 4, 8, 16, 32, and then after 64 each.
            assert_eq!(rests(window, 1, read)?, 15, "a window of {window}");
        }
    }
    Ok(())
}

/// Slots of a window in the tests of readers that come close to an exclusive publisher.
const WINDOW: u64 = 8;

/// An exclusive bus, and a reader with such a window. No lap ends in a test.
#[allow(clippy::type_complexity)]
fn exclusive() -> Result<
    (
        ExclusivePublisher<u64>,
        Bus<u64, Exclusive>,
        Subscriber<u64>,
    ),
    Box<dyn std::error::Error>,
> {
    let (publisher, bus) = Bus::builder()
        .capacity(8192)
        .drive(Drive::Manual)
        .build_exclusive()?;
    let reader = bus.subscribe_with(SubscribeOptions::new().window(WINDOW as usize))?;
    Ok((publisher, bus, reader))
}

#[test]
fn a_reader_that_comes_close_to_an_exclusive_publisher_rests_while_it_pays()
-> Result<(), Box<dyn std::error::Error>> {
    let (mut publisher, _bus, mut reader) = exclusive()?;
    let rests = count_rests();
    for _ in 0..ROUNDS {
        for event in 0..WINDOW + WINDOW / 2 {
            publisher.report(event)?;
        }
        drain_all(&mut reader);
    }
    // One where everything is read, each time. And four where the second window is half there:
    // after 1 round, 3, 7, 15, 31, 63, and then after 64 each.
    assert_eq!(rests.get(), ROUNDS + 4 * 15);
    Ok(())
}

#[test]
fn a_reader_that_was_away_goes_back_without_a_rest() -> Result<(), Box<dyn std::error::Error>> {
    let (mut publisher, _bus, mut reader) = exclusive()?;
    let rests = count_rests();
    let mut rests_after = |events| -> Result<u64, Box<dyn std::error::Error>> {
        rests.set(0);
        for event in 0..events {
            publisher.report(event)?;
        }
        // It goes back when it finds nothing.
        drain_all(&mut reader);
        Ok(rests.get())
    };
    // Whole windows each time: by the first it does not know yet.
    rests_after(4 * WINDOW)?;
    for _ in 0..100 {
        assert_eq!(rests_after(4 * WINDOW)?, 0);
        assert_eq!(rests_after(2 * WINDOW + 4)?, 0);
    }
    // Less than that each time: the publisher is near again.
    for _ in 0..64 {
        assert_eq!(rests_after(2)?, 0);
    }
    for _ in 0..100 {
        assert_eq!(rests_after(2)?, 1);
    }
    // Away once, and then between one window and two each time.
    rests_after(4 * WINDOW)?;
    for _ in 0..63 {
        assert_eq!(rests_after(WINDOW + 4)?, 0);
    }
    for _ in 0..10 {
        assert_ne!(rests_after(WINDOW + 4)?, 0);
    }
    Ok(())
}

#[test]
fn a_reader_of_batches_that_was_away_once_rests_again() -> Result<(), Box<dyn std::error::Error>> {
    let (mut publisher, _bus, mut reader) = exclusive()?;
    let rests = count_rests();
    for event in 0..8 * WINDOW {
        publisher.report(event)?;
        if event == WINDOW {
            drain_all(&mut reader);
        }
    }
    drain_all(&mut reader);
    let mut in_batches = |rounds| -> Result<u64, Box<dyn std::error::Error>> {
        rests.set(0);
        for _ in 0..rounds {
            publisher.report_batch(0..2 * WINDOW)?;
            drain_all(&mut reader);
        }
        Ok(rests.get())
    };
    assert_eq!(in_batches(60)?, 0);
    assert_ne!(in_batches(60)?, 0);
    Ok(())
}

#[test]
fn a_reader_waits_for_a_publisher_that_it_slowed_down() -> Result<(), Box<dyn std::error::Error>> {
    type Report = fn(&mut ExclusivePublisher<u64>);
    let one_by_one: Report = |publisher| {
        for event in 0..WINDOW / 2 {
            publisher.report(event).expect("the bus is open");
        }
    };
    let in_batches: Report = |publisher| {
        publisher
            .report_batch(0..WINDOW / 2)
            .expect("the bus is open");
    };
    for report in [one_by_one, in_batches] {
        let (publisher, _bus, mut reader) = exclusive()?;
        let publisher = Rc::new(RefCell::new(publisher));
        // Half a window comes with each rest, so that it takes two, and these pay each time.
        let (during, rests) = (Rc::clone(&publisher), Rc::new(Cell::new(0)));
        let seen = Rc::clone(&rests);
        hooks::set(move |point| {
            if point == Point::Resting {
                seen.set(seen.get() + 1);
                report(&mut during.borrow_mut());
            }
        });
        for _ in 0..4 {
            report(&mut publisher.borrow_mut());
        }
        for _ in 0..ROUNDS {
            assert_eq!(reader.drain(WINDOW as usize, |_| {})?, WINDOW as usize);
        }
        assert_eq!(rests.get(), 2 * (ROUNDS - 1));
    }
    Ok(())
}

#[test]
fn a_publisher_that_finds_little_room_rests_while_it_pays() -> Result<(), Box<dyn std::error::Error>>
{
    let (mut publisher, bus) = Bus::builder()
        .capacity(64)
        .drive(Drive::Manual)
        .build_exclusive()?;
    let mut reader = bus.subscribe_with(SubscribeOptions::new().window(4))?;
    while publisher.try_report(0).is_ok() {}
    let rests = count_rests();
    for _ in 0..ROUNDS {
        assert_eq!(reader.drain(4, |_| {})?, 4);
        reader.release();
        for event in 0..4 {
            publisher.try_report(event)?;
        }
        assert!(publisher.try_report(4).is_err());
    }
    assert_eq!(rests.get(), 15);

    // A rest that brings more room: it pays, and the next scan that finds little rests again.
    let reader = Rc::new(std::cell::RefCell::new(reader));
    let (during, again) = (Rc::clone(&reader), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&again);
    hooks::set(move |point| {
        if point == Point::Resting {
            counted.set(counted.get() + 1);
            let _ = during.borrow_mut().drain(4, |_| {});
            during.borrow_mut().release();
        }
    });
    for _ in 0..ROUNDS {
        assert_eq!(reader.borrow_mut().drain(4, |_| {})?, 4);
        reader.borrow_mut().release();
        while publisher.try_report(0).is_ok() {}
    }
    assert!(again.get() > ROUNDS - 64, "{} rests", again.get());
    Ok(())
}
