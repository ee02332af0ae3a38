//! Methods by name: who may be called, by whom, and in which version.

mod base;
mod client;
mod context;
mod dispatcher;
mod error;
mod methods;
mod request;
mod serializer;
mod transport;
mod version;

pub use client::Client;
pub use context::{Caller, Context};
pub use dispatcher::Dispatcher;
pub use error::{CallError, DispatchError};
pub use methods::{Api, Methods, NoArgs};
pub use request::Request;
pub use serializer::{JsonSerializer, Serializer};
pub use transport::{InProcess, Transport};
pub use version::{Version, VersionError};

pub(crate) use base::base_api;
