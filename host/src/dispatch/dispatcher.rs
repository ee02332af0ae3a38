//! From the name of a method to its call.

use super::context::Context;
use super::error::DispatchError;
use super::methods::Api;
use super::request::Request;
use super::serializer::Serializer;
use super::version::Version;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

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
