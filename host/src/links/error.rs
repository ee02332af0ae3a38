//! Why there is no change of a link.

use std::io;

/// Why there is no change of a link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinksError {
    /// A system call failed, or the kernel refused.
    #[error("{call}: {source}")]
    System {
        /// What was tried.
        call: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A message of the kernel's makes no sense.
    #[error("a malformed message about links: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// [`LinksStop::stop`](crate::LinksStop::stop) was called.
    #[error("stopped")]
    Stopped,
}

impl LinksError {
    pub(super) fn system(call: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| LinksError::System { call, source }
    }
}
