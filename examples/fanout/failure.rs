//! How a run can fail, and what the process says about it.

use std::fmt;

/// One line for standard error, and the exit code that goes with it.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for cannot be had: a missing file, a bad option, no such core.
    Input(String),
    /// The run did not do what it promises: a healthy subscriber missed a line.
    Check(String),
}

impl Failure {
    pub fn input(message: impl fmt::Display) -> Self {
        Self::Input(message.to_string())
    }

    pub fn check(message: impl fmt::Display) -> Self {
        Self::Check(message.to_string())
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Input(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Input(message) | Self::Check(message)) = self;
        // File names may hold line breaks and worse.
        message.chars().try_for_each(|c| {
            if c.is_control() {
                write!(f, "{}", c.escape_default())
            } else {
                write!(f, "{c}")
            }
        })
    }
}
