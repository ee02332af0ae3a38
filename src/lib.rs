//! A lock-free ring-buffer event bus for hosts that cannot afford a publisher that waits.

#[expect(dead_code, reason = "the workers that use the rest come next")]
pub mod affinity;
mod error;

pub use affinity::default_worker_count;
pub use error::PinError;
