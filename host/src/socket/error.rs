//! Why there is no server.

use std::io;
use std::path::PathBuf;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Somebody serves there.
    #[error("{}: in use by another process", path.display())]
    InUse {
        /// The socket's path.
        path: PathBuf,
    },
    /// Something is there that is no socket, and is not ours to remove.
    #[error("{}: there, and no socket", path.display())]
    NotASocket {
        /// The socket's path.
        path: PathBuf,
    },
    /// What is in the place of the lock is no empty file, and is not ours to remove.
    #[error("{}: there, and no lock", path.display())]
    NotALock {
        /// The lock's path.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("{}: {call}: {source}", path.display())]
    System {
        /// What it was for.
        call: &'static str,
        /// The socket's path, or that of its lock.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no thread to be had.
    #[error("no thread for the socket: {0}")]
    Thread(io::Error),
}
