//! What the server says.

use super::error::{WireError, text_of};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One line of the server's.
///
/// ```
/// use ringbus_host::Reply;
///
/// let reply = Reply::Response("subscribed".into());
/// assert_eq!(reply.to_line(), b"{\"status\":true,\"response\":\"subscribed\"}\n");
/// assert_eq!(Reply::parse(&reply.to_line())?, reply);
/// # Ok::<(), ringbus_host::WireError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The first line, with the server's version: `{"version": "..."}`.
    Greeting {
        /// The version.
        version: String,
    },
    /// It was done, or it is an event: `{"status": true, "response": ...}`.
    Response(Value),
    /// It was not: `{"status": false, "message": "..."}`.
    Failure {
        /// What went wrong.
        message: String,
    },
}

impl Reply {
    /// The reply as one line, newline included.
    pub fn to_line(&self) -> Vec<u8> {
        let value = match self {
            Reply::Greeting { version } => json!({ "version": version }),
            Reply::Response(response) => json!({ "status": true, "response": response }),
            Reply::Failure { message } => json!({ "status": false, "message": message }),
        };
        let mut line = value.to_string();
        line.push('\n');
        line.into_bytes()
    }

    /// The line of a [`Response`](Self::Response), newline included, straight from what it holds.
    ///
    /// # Errors
    /// What cannot be JSON: a map whose keys are no strings, say.
    pub fn response_line(response: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
        let mut line = br#"{"status":true,"response":"#.to_vec();
        serde_json::to_writer(&mut line, response)?;
        line.extend(b"}\n");
        Ok(line)
    }

    /// The reply that a line holds; a response that is missing is null.
    ///
    /// # Errors
    /// [`WireError`], whatever the bytes. It never is [`Duplicate`](WireError::Duplicate): the last one counts.
    pub fn parse(line: &[u8]) -> Result<Self, WireError> {
        let text = text_of(line)?;
        let mut fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| WireError::of(&error, text))?;
        match fields.remove("status") {
            Some(Value::Bool(true)) => {
                let response = fields.remove("response").unwrap_or_default();
                Ok(Reply::Response(response))
            }
            Some(Value::Bool(false)) => Ok(Reply::Failure {
                message: string(&mut fields, "message", "message")?,
            }),
            Some(other) => Err(WireError::wrong_type("status", "a boolean", &other)),
            None => Ok(Reply::Greeting {
                version: string(&mut fields, "version", "status")?,
            }),
        }
    }
}

/// Takes a string out; if there is no value, it is `missing` that is missing.
fn string(
    fields: &mut Map<String, Value>,
    key: &'static str,
    missing: &'static str,
) -> Result<String, WireError> {
    match fields.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(WireError::wrong_type(key, "a string", &other)),
        None => Err(WireError::Missing { key: missing }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn each_is_one_line_and_comes_back() {
        for reply in [
            Reply::Greeting {
                version: "1\n2".into(),
            },
            Reply::Response(Value::Null),
            Reply::Response(json!({"a\r\n": ["\n", {"b": "\u{2028}\u{0}"}]})),
            Reply::Failure {
                message: "line\nline".into(),
            },
        ] {
            let line = reply.to_line();
            assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            assert_eq!(line.last(), Some(&b'\n'));
            assert_eq!(Reply::parse(&line).unwrap(), reply);
            if let Reply::Response(value) = &reply {
                assert_eq!(Reply::response_line(value).unwrap(), line);
            }
        }
    }

    #[test]
    fn what_cannot_be_json_is_an_error() {
        let odd: BTreeMap<Vec<u8>, u8> = [(vec![1], 2)].into();
        assert!(Reply::response_line(&odd).is_err());
    }

    #[test]
    fn what_is_no_reply_says_why() {
        for (line, says) in [
            ("{}", "`status` is missing"),
            (
                r#"{"status": 1}"#,
                "`status` must be a boolean, not a number",
            ),
            (r#"{"status": false}"#, "`message` is missing"),
            (
                r#"{"status": false, "message": {}}"#,
                "`message` must be a string, not an object",
            ),
            (
                r#"{"version": 1}"#,
                "`version` must be a string, not a number",
            ),
            ("[]", "an object is expected, not an array"),
            (
                "{",
                "bad JSON at line 1, column 1: EOF while parsing an object",
            ),
        ] {
            assert_eq!(Reply::parse(line.as_bytes()).unwrap_err().to_string(), says);
        }
        assert_eq!(
            Reply::parse(b"\"\x80").unwrap_err(),
            WireError::NotUtf8 { offset: 1 }
        );
        assert_eq!(
            Reply::parse(br#"{"status":true}"#).unwrap(),
            Reply::Response(Value::Null)
        );
    }
}
