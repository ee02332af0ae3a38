//! The candidates, one file each: every library as its own documentation would have it used.

pub mod async_broadcast;
pub mod bus;
pub mod crossbeam;
pub mod disruptor;
pub mod disruptor_threads;
pub mod photon_ring;
pub mod ringbus;
pub mod rtrb;
pub mod tokio;
