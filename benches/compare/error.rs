//! Why a comparison ended without a result.

use std::fmt;

use crate::place::Misplaced;

#[derive(Debug)]
pub enum Error {
    /// A thread was not on its core: what was measured does not count.
    Misplaced(Misplaced),
    /// A candidate lost or mixed up events, could not be built, or never came to its end.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Misplaced(misplaced) => misplaced.fmt(f),
            Error::Failed(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Misplaced> for Error {
    fn from(misplaced: Misplaced) -> Error {
        Error::Misplaced(misplaced)
    }
}

impl From<String> for Error {
    fn from(why: String) -> Error {
        Error::Failed(why)
    }
}

impl From<&str> for Error {
    fn from(why: &str) -> Error {
        Error::Failed(why.into())
    }
}
