//! Methods by name: who may be called, by whom, and in which version.

mod base;
mod client;
mod context;
mod error;
mod methods;
mod serializer;
mod transport;
mod version;

pub use client::Client;
pub use context::{Caller, Context};
pub use error::{CallError, DispatchError};
pub use methods::{Api, Methods, NoArgs};
pub use serializer::{JsonSerializer, Serializer};
pub use transport::{InProcess, Transport};
pub use version::{Version, VersionError};

pub(crate) use base::base_api;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The method's name.
    pub method: String,
    /// Whose method. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The least version that will do, as text. Default: "1.0".
    #[serde(default = "default_version")]
    pub version: String,
    /// The arguments by name. Default: none, `{}`.
    #[serde(default = "no_args")]
    pub args: Value,
}

impl Request {
    /// A request without arguments, of no namespace, at version 1.0.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            namespace: None,
            version: default_version(),
            args: no_args(),
        }
    }
}

/// Finds the method that a request names, and calls it. Any number of threads may do so at once.
pub struct Dispatcher {
    apis: Vec<Api>,
    serializer: Arc<dyn Serializer>,
}

impl Dispatcher {
    /// Of several APIs that would do, the first that has the method is called.
    pub fn new(apis: Vec<Api>, serializer: Arc<dyn Serializer>) -> Self {
        Self { apis, serializer }
    }

    /// Calls the method on this thread; blocks as long as it does. A panic of it is contained.
    ///
    /// An API will do if it has the request's namespace, and its version [satisfies](Version::satisfies) the request's.
    ///
    /// # Errors
    /// Those of [`DispatchError`], in the order in which they stand there.
    pub fn dispatch(&self, context: &Context, request: Request) -> Result<Value, DispatchError> {
        let asked = request.version.parse::<Version>()?;
        let compatible = |api: &&Api| {
            api.namespace.as_deref() == request.namespace.as_deref() && api.version.satisfies(asked)
        };
        let mut apis = self.apis.iter().filter(compatible).peekable();
        if apis.peek().is_none() {
            let namespace = request.namespace;
            return Err(DispatchError::UnsupportedVersion { namespace, asked });
        }
        let method = request.method;
        let Some(api) = apis.find(|api| api.methods.has(&method)) else {
            return Err(DispatchError::NoSuchMethod { method });
        };
        if context.is_expired() {
            return Err(DispatchError::DeadlineExceeded { method });
        }
        let serializer = &*self.serializer;
        api.methods.call(&method, context, serializer, request.args)
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dispatcher").field(&self.apis).finish()
    }
}

fn default_version() -> String {
    Version::default().to_string()
}

fn no_args() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_a_method_only() {
        let request: Request = serde_json::from_str(r#"{"method": "ping"}"#).unwrap();
        assert_eq!(request, Request::new("ping"));
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(text, r#"{"method":"ping","version":"1.0","args":{}}"#);
        assert!(serde_json::from_str::<Request>("{}").is_err());
    }
}
