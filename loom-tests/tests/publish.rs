//! Publish against read: what a reader finds is whole.
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // models run on loom's own types

mod support_a;

use loom::sync::Arc;
use loom::thread;
use support_a::{Reader, check, shared};

/// A reader that finds an event finds what its publisher put in.
///
/// Fails without: `commit` releasing, a reader's look at a stamp acquiring (a read that is unordered with the
/// write).
#[test]
fn a_reader_sees_what_was_written() {
    check(|| {
        let bus = shared(2);
        let mut reader = Reader::join(&bus, 1);
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || {
            for n in 0..2 {
                publisher.report(Arc::new(n)).unwrap();
            }
        });
        reader.poll();
        reader.poll();
        thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events(), [0, 1]);
    });
}

/// A publisher writes over an event only when its reader is done with it, and never makes it wait.
///
/// Fails without: `Cursor::advance` releasing, `Cursor::look` acquiring (a write that is unordered with the read);
/// a gate at `cursor + capacity` and not one further.
#[test]
fn a_slot_is_written_again_when_its_reader_has_moved_on() {
    check(|| {
        let bus = shared(2);
        let mut reader = Reader::join(&bus, 1);
        for n in 0..2 {
            bus.report(Arc::new(n)).unwrap();
        }
        let mut publisher = bus.publisher();
        let thread = thread::spawn(move || publisher.try_report(Arc::new(2)).is_ok());
        reader.poll();
        reader.poll();
        let accepted = thread.join().unwrap();
        reader.drain();
        assert_eq!(reader.evicted, None);
        assert_eq!(reader.events()[..2], [0, 1]);
        assert_eq!(reader.seen.len(), if accepted { 3 } else { 2 });
    });
}
