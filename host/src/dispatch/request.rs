//! What a client asks for.

use super::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call of a method by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The method's name.
    pub method: String,
    /// Whose method. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The least version that will do, as text. Default: "1.0".
    #[serde(default = "default_version")]
    pub version: String,
    /// The arguments by name. Default: none, `{}`.
    #[serde(default = "no_args")]
    pub args: Value,
}

impl Request {
    /// A request without arguments, of no namespace, at version 1.0.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            namespace: None,
            version: default_version(),
            args: no_args(),
        }
    }
}

fn default_version() -> String {
    Version::default().to_string()
}

pub(super) fn no_args() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_a_method_only() {
        let request: Request = serde_json::from_str(r#"{"method": "ping"}"#).unwrap();
        assert_eq!(request, Request::new("ping"));
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(text, r#"{"method":"ping","version":"1.0","args":{}}"#);
        assert!(serde_json::from_str::<Request>("{}").is_err());
    }
}
