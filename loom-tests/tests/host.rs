//! A host's own models: the caches of `examples/loom_host`, over a bus that is built on loom too.
#![cfg(loom)]
#![allow(clippy::disallowed_types, clippy::unwrap_used)] // models run on loom's own types, and fail by panics

#[path = "../../examples/loom_host/cache.rs"]
mod cache;

use cache::sync::{Arc, AtomicU64, Ordering};
use cache::{Cache, Source};
use loom::thread;
use ringbus::Bus;

/// A ring as small as a model may have it: it laps, and drops whoever is slow, in a few steps.
fn source(capacity: usize) -> Arc<Source> {
    Source::new(Bus::builder().capacity(capacity).build().unwrap())
}

/// A cache made by `join` against a change: afterwards it is as new as its source.
fn joins_against_a_change(join: fn(&Arc<Source>) -> Cache) {
    loom::model(move || {
        let source = source(2);
        let changer = {
            let source = Arc::clone(&source);
            thread::spawn(move || source.change().unwrap())
        };
        let mut cache = join(&source);
        changer.join().unwrap();
        assert_eq!(cache.refresh().unwrap(), 1, "a change was missed");
    });
}

#[test]
fn a_cache_that_joins_misses_no_change() {
    joins_against_a_change(|source| Cache::new(source).unwrap());
}

/// The host's first bug: it looks at the version before it subscribes. Any test of two threads might find it, with luck.
#[test]
#[should_panic(expected = "a change was missed")]
fn a_cache_that_looks_before_it_subscribes() {
    joins_against_a_change(|source| {
        let version = source.version.fetch_add(0, Ordering::AcqRel);
        let cache = Cache::new(source).unwrap();
        Cache { version, ..cache }
    });
}

/// The host's second bug: a load instead of a read-modify-write. The change may find nobody subscribed and the load may
/// still find the old version: nothing orders the two. No x86 machine shows it.
#[test]
#[should_panic(expected = "a change was missed")]
fn a_cache_that_merely_loads() {
    joins_against_a_change(|source| Cache {
        changes: source.changes.subscribe().unwrap(),
        version: source.version.load(Ordering::Acquire),
        source: Arc::clone(source),
    });
}

/// A cache that is dropped for being slow goes on from the source.
///
/// Fails without: `self.version = self.source.version()` in `Cache::rejoin`.
#[test]
fn a_cache_that_was_dropped_misses_no_change() {
    loom::model(|| {
        let source = source(2);
        let mut cache = Cache::new(&source).unwrap();
        (0..2).for_each(|_| source.change().unwrap());
        let changer = {
            let source = Arc::clone(&source);
            thread::spawn(move || source.change().unwrap()) // no room: drops the cache, or meets it
        };
        cache.refresh().unwrap();
        changer.join().unwrap();
        assert_eq!(cache.refresh().unwrap(), 3, "a change was missed");
    });
}

/// A cache that sleeps is woken. Under loom the bus has no thread of its own: the model takes its turns.
///
/// Fails without: `turn` below (a deadlock).
#[test]
fn a_cache_that_waits_is_woken() {
    loom::model(|| {
        let source = source(2);
        let mut cache = Cache::new(&source).unwrap();
        let done = Arc::new(AtomicU64::new(0));
        let waiter = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                done.store(cache.wait_for(1).unwrap(), Ordering::Release);
            })
        };
        while source.change().is_err() {} // exhausted: in two slots, by a waiter that took every claim away
        let mut soon = false;
        while done.load(Ordering::Acquire) == 0 {
            if soon || source.changes.wants_turn() {
                soon = source.changes.turn().watched > 0;
            }
            thread::yield_now(); // let the others run, or this loop has no end
        }
        waiter.join().unwrap();
    });
}
