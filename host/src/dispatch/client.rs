//! The caller's side.

use super::context::Context;
use super::error::CallError;
use super::request::{Request, no_args};
use super::serializer::{JsonSerializer, Serializer};
use super::transport::Transport;
use super::version::Version;
use crate::contain::contain;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// Calls methods over a [`Transport`]. Clones share it.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    serializer: Arc<dyn Serializer>,
    namespace: Option<String>,
    version: Version,
    cap: Option<Version>,
}

impl Client {
    /// A client that asks for version 1.0 of no namespace, without a cap.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            serializer: Arc::new(JsonSerializer),
            namespace: None,
            version: Version::default(),
            cap: None,
        }
    }

    /// One that asks for methods of a namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// One that asks for another version: that in which a method came to be what the caller needs.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// One that sends nothing that a server of version `cap` would not understand.
    #[must_use]
    pub fn with_version_cap(mut self, cap: Version) -> Self {
        self.cap = Some(cap);
        self
    }

    /// One with another serializer, which has to be the server's.
    #[must_use]
    pub fn with_serializer(mut self, serializer: impl Serializer) -> Self {
        self.serializer = Arc::new(serializer);
        self
    }

    /// The cap, if there is one, allows `version`.
    pub fn can_send_version(&self, version: Version) -> bool {
        self.cap.is_none_or(|cap| cap.satisfies(version))
    }

    /// Calls a method and waits for its result, as long as the transport does.
    ///
    /// # Errors
    /// Those of [`CallError`]; [`CallError::VersionCap`] before anything is sent.
    pub fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        context: &Context,
        method: &str,
        args: A,
    ) -> Result<R, CallError> {
        let request = self.request(context, method, args)?;
        let result = self.transport.call(context, request)?;
        let read = || {
            let result = self.serializer.deserialize(context, result)?;
            Ok(serde_json::from_value(result)?)
        };
        contain(read).map_err(|source| CallError::BadResult {
            method: method.to_owned(),
            source,
        })
    }

    /// Has a method called, and does not wait: nobody is told what becomes of it.
    ///
    /// # Errors
    /// As [`call`](Self::call), without those of the server.
    pub fn cast<A: Serialize>(
        &self,
        context: &Context,
        method: &str,
        args: A,
    ) -> Result<(), CallError> {
        let request = self.request(context, method, args)?;
        self.transport.cast(context, request)
    }

    fn request<A: Serialize>(
        &self,
        context: &Context,
        method: &str,
        args: A,
    ) -> Result<Request, CallError> {
        let asked = self.version;
        if let Some(cap) = self.cap.filter(|_| !self.can_send_version(asked)) {
            return Err(CallError::VersionCap { asked, cap });
        }
        let write = || {
            let args = serde_json::to_value(args)?;
            let args = if args.is_null() { no_args() } else { args };
            self.serializer.serialize(context, args)
        };
        let args = contain(write).map_err(|source| CallError::BadArguments {
            method: method.to_owned(),
            source,
        })?;
        Ok(Request {
            method: method.to_owned(),
            namespace: self.namespace.clone(),
            version: asked.to_string(),
            args,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("namespace", &self.namespace)
            .field("version", &self.version)
            .field("cap", &self.cap)
            .finish_non_exhaustive()
    }
}
