//! A service: a manager, run in order.

mod builder;
mod consumer;
mod instance;
mod start;
mod state;
mod stop;

pub use builder::ServiceBuilder;
pub use consumer::{Consumer, ConsumerFn};
pub use instance::Service;
pub use start::{StartError, Step};
