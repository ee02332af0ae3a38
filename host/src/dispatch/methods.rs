//! The methods that may be called.

use super::context::Context;
use super::error::DispatchError;
use super::serializer::Serializer;
use super::version::Version;
use crate::contain::{BoxError, contain};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Methods of an `M`, by name. Nothing else of it can be called.
///
/// ```
/// use ringbus_host::{Api, Context, Dispatcher, JsonSerializer, Methods, Request, Version};
/// use std::sync::Arc;
///
/// struct Greeter;
///
/// #[derive(serde::Deserialize)]
/// struct Args {
///     name: String,
/// }
///
/// impl Greeter {
///     fn greet(&self, _context: &Context, args: Args) -> Result<String, std::fmt::Error> {
///         Ok(format!("hello {}", args.name))
///     }
/// }
///
/// let mut methods = Methods::new();
/// methods.add("greet", Greeter::greet);
/// let api = Api::new("1.0".parse::<Version>()?, Arc::new(Greeter), methods);
/// let dispatcher = Dispatcher::new(vec![api], Arc::new(JsonSerializer));
///
/// let mut request = Request::new("greet");
/// request.args = serde_json::json!({"name": "you"});
/// let greeting = dispatcher.dispatch(&Context::local("docs"), request)?;
/// assert_eq!(greeting, "hello you");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Methods<M> {
    by_name: BTreeMap<String, Box<Code<M>>>,
}

/// A method, with its types forgotten.
type Code<M> = dyn Fn(&M, &str, &Context, &dyn Serializer, Value) -> Result<Value, DispatchError>
    + Send
    + Sync;

impl<M> Methods<M> {
    /// No methods.
    pub fn new() -> Self {
        Self {
            by_name: BTreeMap::new(),
        }
    }

    /// Adds a method; of one name the last stands. Its arguments are deserialized from the request's `args`.
    pub fn add<A, R, E>(
        &mut self,
        name: impl Into<String>,
        method: impl Fn(&M, &Context, A) -> Result<R, E> + Send + Sync + 'static,
    ) -> &mut Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: Into<BoxError>,
    {
        let code = move |target: &M,
                         name: &str,
                         context: &Context,
                         serializer: &dyn Serializer,
                         args: Value| {
            // Apart, as each is told of in its own way: all three run code of the host's.
            let read = || {
                let args = serializer.deserialize(context, args)?;
                Ok(serde_json::from_value::<A>(args)?)
            };
            let args = contain(read).map_err(|source| DispatchError::BadArguments {
                method: name.to_owned(),
                source,
            })?;
            let call = || method(target, context, args).map_err(Into::into);
            let result = contain(call).map_err(|source| DispatchError::Method {
                method: name.to_owned(),
                source,
            })?;
            let write = || serializer.serialize(context, serde_json::to_value(result)?);
            contain(write).map_err(|source| DispatchError::BadResult {
                method: name.to_owned(),
                source,
            })
        };
        self.by_name.insert(name.into(), Box::new(code));
        self
    }

    /// There is a method of that name.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

/// Methods of a target, under a namespace and a version.
pub struct Api {
    pub(super) namespace: Option<String>,
    pub(super) version: Version,
    pub(super) methods: Box<dyn Callable>,
}

impl Api {
    /// An API of no namespace.
    pub fn new<M: Send + Sync + 'static>(
        version: Version,
        target: Arc<M>,
        methods: Methods<M>,
    ) -> Self {
        Self {
            namespace: None,
            version,
            methods: Box::new(Bound { target, methods }),
        }
    }

    /// Under a namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }
}

/// The arguments of a method that has none: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// Methods and their target, with its type forgotten.
pub(super) trait Callable: Send + Sync {
    fn has(&self, name: &str) -> bool;

    fn call(
        &self,
        name: &str,
        context: &Context,
        serializer: &dyn Serializer,
        args: Value,
    ) -> Result<Value, DispatchError>;
}

struct Bound<M> {
    target: Arc<M>,
    methods: Methods<M>,
}

impl<M: Send + Sync> Callable for Bound<M> {
    fn has(&self, name: &str) -> bool {
        self.methods.has(name)
    }

    fn call(
        &self,
        name: &str,
        context: &Context,
        serializer: &dyn Serializer,
        args: Value,
    ) -> Result<Value, DispatchError> {
        let Some(code) = self.methods.by_name.get(name) else {
            let method = name.to_owned();
            return Err(DispatchError::NoSuchMethod { method });
        };
        code(&self.target, name, context, serializer, args)
    }
}

impl<M> Default for Methods<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> fmt::Debug for Methods<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("namespace", &self.namespace)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
