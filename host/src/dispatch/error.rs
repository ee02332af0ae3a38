//! What may go wrong with a request, on either side.

use super::version::{Version, VersionError};
use crate::contain::BoxError;

/// Why a dispatcher has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The version asked for is none.
    #[error(transparent)]
    BadVersion(#[from] VersionError),
    /// No API of that namespace has a compatible version; there may be none of that namespace at all.
    #[error("no API of {} that is compatible with version {asked}", name(namespace.as_deref()))]
    UnsupportedVersion {
        /// The namespace asked for.
        namespace: Option<String>,
        /// The version asked for.
        asked: Version,
    },
    /// An API is compatible, but none that is has the method.
    #[error("no such method: {method}")]
    NoSuchMethod {
        /// The method asked for.
        method: String,
    },
    /// The deadline had passed before the method was begun.
    #[error("{method}: the deadline had passed")]
    DeadlineExceeded {
        /// The method asked for.
        method: String,
    },
    /// The arguments are not those of the method, which was not called.
    #[error("{method}: bad arguments: {source}")]
    BadArguments {
        /// The method asked for.
        method: String,
        /// What is wrong with them.
        source: BoxError,
    },
    /// The method's own error, or [`Panicked`](crate::Panicked).
    #[error("{method}: {source}")]
    Method {
        /// The method.
        method: String,
        /// Its error.
        source: BoxError,
    },
    /// The method was called, but its result cannot be sent.
    #[error("{method}: bad result: {source}")]
    BadResult {
        /// The method.
        method: String,
        /// What is wrong with it.
        source: BoxError,
    },
}

/// Why a client has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The client may not send that version: see [`Client::with_version_cap`](super::Client::with_version_cap).
    #[error("version {asked} is beyond the cap of {cap}")]
    VersionCap {
        /// The version that was to be asked for.
        asked: Version,
        /// The cap.
        cap: Version,
    },
    /// The arguments cannot be sent.
    #[error("{method}: bad arguments: {source}")]
    BadArguments {
        /// The method.
        method: String,
        /// What is wrong with them.
        source: BoxError,
    },
    /// The result is not of the type that was expected.
    #[error("{method}: bad result: {source}")]
    BadResult {
        /// The method.
        method: String,
        /// What is wrong with it.
        source: BoxError,
    },
    /// So many casts are waiting already.
    #[error("{limit} casts are waiting already")]
    Full {
        /// How many may wait.
        limit: usize,
    },
    /// The server's answer.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// The request or its answer did not get through.
    #[error("{0}")]
    Transport(BoxError),
}

fn name(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "no namespace".to_owned(), |name| format!("{name:?}"))
}
