//! Versions of APIs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A version, `major.minor`. The default is 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// Raised by what older clients cannot use.
    pub major: u32,
    /// Raised by what older clients need not know.
    pub minor: u32,
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whoever offers this version can serve a request for `asked`: same major, and a minor at least as high.
    pub const fn satisfies(self, asked: Version) -> bool {
        self.major == asked.major && self.minor >= asked.minor
    }
}

/// A text is no version: not two numbers from 0 to 4294967295 with a point between.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{text:?} is no version, such as \"1.0\"")]
pub struct VersionError {
    /// The text.
    pub text: String,
}

impl Default for Version {
    fn default() -> Self {
        Self::new(1, 0)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let parts = text.split_once('.');
        let version = parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        let (major, minor) = version.ok_or_else(|| VersionError {
            text: text.to_owned(),
        })?;
        Ok(Self { major, minor })
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_a_version_and_text_that_is_not() {
        assert_eq!("1.0".parse(), Ok(Version::default()));
        assert_eq!("0.4294967295".parse(), Ok(Version::new(0, u32::MAX)));
        for text in [
            "",
            "1",
            ".",
            "1.",
            ".1",
            "1.0.0",
            "+1.0",
            "1.-1",
            " 1.0",
            "a.b",
            "1.4294967296",
        ] {
            let text = text.to_owned();
            assert_eq!(text.parse::<Version>(), Err(VersionError { text }));
        }
    }

    #[test]
    fn it_is_text_in_json() {
        let text = serde_json::to_string(&Version::new(2, 3)).unwrap();
        assert_eq!(text, "\"2.3\"");
        assert_eq!(
            serde_json::from_str::<Version>(&text).unwrap(),
            Version::new(2, 3)
        );
        assert!(serde_json::from_str::<Version>("2.3").is_err());
    }
}
