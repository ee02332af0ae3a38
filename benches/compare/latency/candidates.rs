//! The candidates, one file each.

pub mod clock_alone;
pub mod crossbeam;
pub mod disruptor;
pub mod photon_ring;
pub mod raw;
pub mod ringbus;
pub mod tokio;
