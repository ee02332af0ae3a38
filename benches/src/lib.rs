//! Benchmarks of `ringbus`, one file per scenario beside this package's manifest, and the events that they publish.
//!
//! Run them with `cargo bench`. The comparison with other libraries is a program, `compare`: `cargo xtask compare`.

pub mod payload;
pub mod publisher;
pub mod rig;
pub mod scenario;
pub mod threads;
