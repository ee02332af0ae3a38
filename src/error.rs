//! Every error type.

use std::fmt;

/// A thread could not be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// The system refused: there is no such core, or this process may not use it.
    Refused {
        /// The core that was asked for.
        core: usize,
        /// The system's error number, where there is one.
        os_error: Option<i32>,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PinError::Refused { core, os_error } = self;
        write!(f, "core {core} cannot be had")?;
        match os_error {
            Some(code) => write!(f, ": {}", std::io::Error::from_raw_os_error(*code)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PinError {}
