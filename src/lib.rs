//! A lock-free ring-buffer event bus for hosts that cannot afford a publisher that waits.
//!
//! Any thread reports events, every subscriber sees every event, in place and in order, and **no subscriber, however slow
//! or stuck, ever makes a publisher wait**: one that falls nearly a ring behind is dropped, and told why.
//!
//! > Freeze any one thread at any instruction, for any length of time: every other thread keeps making progress, no event
//! > that was accepted is lost to a healthy subscriber, and no memory is touched that someone still borrows.
//!
//! ```
#![doc = include_str!("../examples/quickstart.rs")]
//! ```
//!
//! # Where to look
//!
//! - [`Bus`] starts, reports, subscribes and stops; [`BusBuilder`] has the choices.
//! - [`Publisher`] is the fast way to report from a thread; [`ExclusivePublisher`] the fastest, when there is one only.
//!   [`Publish`] is what both can do.
//! - [`Subscriber`] receives: one by one, drained, the latest only, blocking, with a timeout, or async.
//!   [`Bus::handle`] runs a closure on a thread of its own instead.
//! - [`Bus::stats`] and [`BusBuilder::on_evict`] tell the host how everybody is doing.
//! - [`affinity`] has the cores.
//! - The package `ringbus-host` has an event daemon and a service manager on the bus.
//! - [`docs`]: how it works, every memory ordering, and what the promise leaves out.
//!
//! # Under loom
//!
//! With `--cfg loom` the bus is built on loom's types, so that a host can model-check its own code with it. It is then
//! driven by [`Bus::turn`] unless the builder asks for [`Drive::Threads`]; rings go down to 2 slots; cores cannot be had and
//! pinning does nothing; time stands still. [`docs::model_checking`] shows how.

#[cfg(not(target_has_atomic = "64"))]
compile_error!("ringbus needs 64-bit atomics");

mod builder;
mod bus;
mod config;
pub mod docs;
mod engine;
mod error;
mod handler;
mod notice;
mod publisher;
mod stats;
mod subscriber;

mod drain;
mod reader;
mod registry;
mod rests;
mod ring;
mod wait;
mod worker;

pub mod affinity;
mod clock;
mod failpoint;
mod limits;
mod snapshot;
mod stack;
mod sync;
mod unwind;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Where this crate's own tests stop a thread.
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub mod hooks {
    pub use crate::failpoint::{Point, set};
}

pub use affinity::default_worker_count;
pub use builder::BusBuilder;
pub use bus::{Bus, Exclusive, Shared};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{Drive, Pinning};
pub use engine::shutdown::{StopReport, Stopped};
pub use error::{
    BatchError, BuildError, Eviction, EvictionReason, PinError, RecvError, RecvTimeoutError,
    ReportError, SubscribeError, TryRecvError, TryReportError, WindowHolder,
};
pub use handler::{Handler, HandlerEnd, HandlerGuard, Info};
pub use notice::EvictionNotice;
pub use publisher::{ExclusivePublisher, Publish, Publisher};
pub use ring::in_place::SlotsMut;
pub use ring::layout::SlotLayout;
pub use stats::{BusStats, SubscriberState, SubscriberStats, WorkerStats};
pub use subscriber::{Delivery, Iter, OnLap, SubscribeOptions, Subscriber, SubscriberId, TryIter};
pub use wait::WaitStrategy;
pub use worker::turn::Turn;
