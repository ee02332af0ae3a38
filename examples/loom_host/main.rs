//! A host that is also model-checked: caches that follow a source. See `docs::model_checking`.
#![allow(clippy::disallowed_types)] // the host has a facade of its own

mod cache;

use cache::{Cache, Source};
use ringbus::Bus;
use std::error::Error;
use std::thread;

const WRITERS: u64 = 2;
const CHANGES: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let source = Source::new(Bus::builder().build()?);
    let mut early = Cache::new(&source)?;
    let versions = thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| (0..CHANGES).try_for_each(|_| source.change()));
        }
        let late = Cache::new(&source)?; // while the source changes
        early.refresh()?;
        let caches = [early, late];
        let caches = caches.map(|mut cache| scope.spawn(move || cache.wait_for(WRITERS * CHANGES)));
        caches
            .into_iter()
            .map(|cache| Ok(cache.join().map_err(|_| "a cache panicked")??))
            .collect::<Result<Vec<_>, Box<dyn Error>>>()
    })?;
    println!(
        "the source changed {} times; the caches saw {versions:?}",
        WRITERS * CHANGES
    );
    assert_eq!(versions, [WRITERS * CHANGES; 2]);
    Ok(())
}
