//! The hosting side: an event daemon and a service manager on the bus.
//!
//! # Where to look
//!
//! - [`EventManager`] takes typed [`Event`]s from anybody and brings them to every subscriber; [`Filter`] chooses among them, and
//!   [`Waiter`] waits for one, or for a row of states.
//! - [`Server`] lets other processes watch, by a Unix socket: one JSON line each way. The package's README has the
//!   protocol.
//! - A [`Manager`] is a host's own code: hooks, [`PeriodicTasks`], [`Methods`] that are called by name. A [`Service`] runs it, with
//!   [`Consumer`]s that start and stop with it; [`ServerConsumer`] makes a server one of them.
//! - [`Dispatcher`] finds the method of a [`Request`]; a [`Client`] calls it.
//! - [`Links`] and [`machine()`] tell of the machine's network interfaces and of what it has.
//!
//! The program `eventd` and the example `service` put them together.
//!
//! # The core
//!
//! The bus is the package [`ringbus`]. It is exported again here because its types are in this API, so a release of `ringbus`
//! that breaks is one of `ringbus-host` that breaks: the two have one version, and move together.
//!
//! # Platforms
//!
//! Linux. Elsewhere this library is empty and takes no dependency with it, and `eventd` ends with a message.
//!
//! **Architecture Invariant:** stands on the public interface of the bus alone, and the core knows nothing of it.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types)] // the models run nothing of this: locks and threads are std's own

mod capabilities;
mod contain;
mod decimal;
mod dispatch;
mod event;
mod events;
mod exact;
mod filter;
mod links;
mod machine;
mod manager;
mod periodic;
mod redact;
mod registry;
mod service;
mod socket;
mod ticker;
mod waiter;
mod wire;

pub use ringbus;

pub use capabilities::{
    Capabilities, CapabilitiesReport, Capability, CapabilityError, CapabilityUpdate,
};
pub use contain::{BoxError, Panicked};
pub use dispatch::{
    Api, CallError, Caller, Client, Context, DispatchError, Dispatcher, InProcess, JsonSerializer,
    Methods, NoArgs, Request, Serializer, Transport, Version, VersionError,
};
pub use event::{CommandState, ContainerState, DbAction, DbObject, ExitType};
pub use event::{Event, EventError, NetifAction};
pub use events::{EventManager, EventManagerBuilder, EventStats, Undelivered};
pub use exact::ExactJson;
pub use filter::{Filter, FilterError};
pub use links::{LinkAction, LinkChange, Links, LinksError, LinksStop};
pub use machine::{MachineError, host_name, machine};
pub use manager::{HookError, Manager};
pub use periodic::{PeriodicTask, PeriodicTasks, Skip, Spacing, TaskFailure, TaskStats};
pub use redact::Redaction;
pub use registry::{
    FileRegistry, MemoryRegistry, RegistryError, ServiceId, ServiceRecord, ServiceRegistry,
    UnixClock,
};
pub use service::{Consumer, ConsumerFn, Service, ServiceBuilder, StartError, Step};
pub use socket::{Server, ServerBuilder, ServerConsumer, ServerError, ServerReport, ServerStats};
pub use waiter::{WaitError, Waiter};
pub use wire::{Command, Line, LineReader, MAX_LINE, Reply, WireError};
