//! What a report costs.

#![allow(clippy::disallowed_types)] // a baseline measures the real atomics

use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};

/// The least that any shared publisher pays: one uncontended read-modify-write.
fn overhead(c: &mut Criterion) {
    let counter = AtomicU64::new(0);
    c.bench_function("overhead", |b| {
        b.iter(|| counter.fetch_add(1, Ordering::Relaxed))
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = overhead
}
criterion_main!(benches);
