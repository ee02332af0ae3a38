//! Every error type. Those that refuse an event give it back.

mod build;
mod eviction;
mod publish;
mod recv;
mod subscribe;
mod words;

pub use build::{BuildError, PinError};
pub use eviction::{Eviction, EvictionReason};
pub use publish::{BatchError, ReportError, TryReportError};
pub use recv::{RecvError, RecvTimeoutError, TryRecvError};
pub use subscribe::{SubscribeError, WindowHolder};
