//! Benchmarks of `ringbus`, one file per scenario beside this package's manifest.
//!
//! Run them with `cargo bench`.
