//! Why a registry fails.

use super::record::ServiceId;
use crate::contain::BoxError;
use std::path::PathBuf;

/// Why a registry did not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no record of the service.
    #[error("no record of {0}")]
    NotFound(ServiceId),
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no record.
    #[error("{} is no record: {source}", path.display())]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A store of the host's own.
    #[error("{0}")]
    Other(BoxError),
}
