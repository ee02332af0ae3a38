//! Periodic tasks: when they are due, and a timer that runs them.

mod task;
mod tasks;
mod timer;

pub use task::{PeriodicTask, Skip, Spacing};
pub use tasks::{PeriodicTasks, TaskFailure, TaskStats};
pub(crate) use timer::Timer;
