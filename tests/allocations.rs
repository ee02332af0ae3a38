//! In steady state nothing is allocated: this test's own allocator says so.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

mod common;

use common::{builder, manual};
use ringbus::{Drive, RecvError, SlotLayout};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no count, and needs none.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `body` a few times to settle, then counts what a thousand runs allocate or free on this thread.
fn allocations(mut body: impl FnMut()) -> u64 {
    (0..10).for_each(|_| body());
    let before = COUNT.get();
    (0..1_000).for_each(|_| body());
    COUNT.get() - before
}

#[test]
fn the_allocator_counts() {
    assert_eq!(
        allocations(|| drop(std::hint::black_box(Box::new(1)))),
        2_000
    );
}

#[test]
fn a_shared_publisher_and_its_subscriber_allocate_nothing() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        for drive in [Drive::Manual, Drive::Threads] {
            let bus = builder::<u64>(64)
                .slots(layout)
                .drive(drive)
                .build()
                .unwrap();
            let mut publisher = bus.publisher();
            let mut subscriber = bus.subscribe().unwrap();
            let all = allocations(|| {
                publisher.report(1).unwrap();
                publisher.try_report(2).unwrap();
                publisher.report_recycling(3).unwrap();
                assert_eq!(*subscriber.recv().unwrap(), 1);
                assert_eq!(*subscriber.try_recv().unwrap(), 2);
                assert_eq!(subscriber.drain(8, |_| {}).unwrap(), 1);
                assert_eq!(publisher.report_batch(&mut (0..40)).unwrap(), 40);
                assert_eq!(subscriber.recv_many(30, |_| {}).unwrap(), 30);
                assert_eq!(subscriber.drain(30, |_| {}).unwrap(), 10);
                assert_eq!(publisher.try_report_batch(&mut (0..40)), 40);
                assert_eq!(*subscriber.recv_matching(|n| *n == 20).unwrap(), 20);
                assert_eq!(*subscriber.latest().unwrap(), 39);
                assert!(subscriber.try_recv().unwrap_err().is_empty());
            });
            assert_eq!(all, 0, "{layout:?} {drive:?}");
        }
    }
}

#[test]
fn the_bus_itself_allocates_nothing_to_report() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    let all = allocations(|| {
        bus.report(1).unwrap();
        bus.try_report(2).unwrap();
        assert_eq!(subscriber.drain(8, |_| {}).unwrap(), 2);
    });
    assert_eq!(all, 0);
}

#[test]
fn an_exclusive_publisher_and_its_subscriber_allocate_nothing() {
    for layout in [SlotLayout::InLine, SlotLayout::Dense] {
        let builder = builder::<u64>(64).slots(layout);
        let (mut publisher, bus) = builder.build_exclusive().unwrap();
        let mut subscriber = bus.subscribe().unwrap();
        let all = allocations(|| {
            publisher.report(1).unwrap();
            publisher.try_report(2).unwrap();
            publisher.report_recycling(3).unwrap();
            assert_eq!(*subscriber.recv().unwrap(), 1);
            assert_eq!(subscriber.drain(8, |_| {}).unwrap(), 2);
            assert_eq!(publisher.report_batch(&mut (0..40)).unwrap(), 40);
            assert_eq!(subscriber.drain(64, |_| {}).unwrap(), 40);
            assert_eq!(publisher.try_report_batch(&mut (0..40)), 40);
            assert_eq!(subscriber.drain(64, |_| {}).unwrap(), 40);
        });
        assert_eq!(all, 0, "{layout:?}");
    }
}

#[test]
fn a_lap_over_an_evicted_reader_allocates_nothing_for_the_publisher() {
    let bus = manual::<u64>(64);
    let mut publisher = bus.publisher();
    let stuck = bus.subscribe().unwrap();
    let mut reading = bus.subscribe().unwrap();
    let all = allocations(|| {
        publisher.report(1).unwrap();
        assert_eq!(*reading.recv().unwrap(), 1);
    });
    assert_eq!(all, 0);
    drop(stuck);
}

#[test]
fn to_be_evicted_and_to_rejoin_with_nobody_to_tell_allocates_little() {
    let bus = manual::<u64>(64);
    let mut subscriber = bus.subscribe().unwrap();
    bus.unsubscribe(subscriber.id());
    assert!(matches!(subscriber.recv(), Err(RecvError::Evicted(_))));
    subscriber.rejoin().unwrap();
    let all = allocations(|| {
        bus.report(1).unwrap();
        assert_eq!(*subscriber.recv().unwrap(), 1);
    });
    assert_eq!(all, 0);
}
