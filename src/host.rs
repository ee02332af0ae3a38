//! The hosting side: an event daemon and a service manager on the bus.
//!
//! **Architecture Invariant:** stands on the public interface of the bus alone, and the core knows nothing of it.

// Nothing here is run by the models: locks and threads are std's own.
#![allow(clippy::disallowed_types)]

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
pub use socket::{Server, ServerBuilder, ServerError, ServerReport, ServerStats};
pub use waiter::{WaitError, Waiter};
pub use wire::{Command, Line, LineReader, MAX_LINE, Reply, WireError};
