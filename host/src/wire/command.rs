//! What a client asks.

use super::error::{WireError, text_of};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// One command of a client's: `{"cmd": "...", "opts": {...}}`, with `namespace` and `version` when it is for a method of
/// the service manager.
///
/// ```
/// use ringbus_host::Command;
///
/// let command = Command::parse(br#"{"cmd": "event_subscribe", "opts": {"type": "state"}}"#)?;
/// assert_eq!(command.cmd, "event_subscribe");
/// assert_eq!(command.opts["type"], "state");
/// assert_eq!(Command::parse(&command.to_line())?, command);
/// # Ok::<(), ringbus_host::WireError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// Its name.
    pub cmd: String,
    /// Its options; empty if it has none, or null.
    pub opts: Map<String, Value>,
    /// The namespace of the method; null is none.
    pub namespace: Option<String>,
    /// The version of the interface that is asked for; null is none.
    pub version: Option<String>,
}

impl Command {
    /// A command without a namespace and a version.
    pub fn new(cmd: impl Into<String>, opts: Map<String, Value>) -> Self {
        Command {
            cmd: cmd.into(),
            opts,
            namespace: None,
            version: None,
        }
    }

    /// The command that a line holds. Unknown keys beside those of a command are ignored; a key of a command's that
    /// is there twice is an error, but in `opts` the last one counts, as for other readers of JSON.
    ///
    /// # Errors
    /// [`WireError`], whatever the bytes.
    pub fn parse(line: &[u8]) -> Result<Self, WireError> {
        let text = text_of(line)?;
        let fields: Fields =
            serde_json::from_str(text).map_err(|error| WireError::of(&error, text))?;
        if let Some(key) = fields.duplicate {
            return Err(WireError::Duplicate { key });
        }
        Ok(Command {
            cmd: string("cmd", fields.cmd.ok_or(WireError::Missing { key: "cmd" })?)?,
            opts: match fields.opts {
                None | Some(Value::Null) => Map::new(),
                Some(Value::Object(opts)) => opts,
                Some(other) => return Err(WireError::wrong_type("opts", "an object", &other)),
            },
            namespace: optional_string("namespace", fields.namespace)?,
            version: optional_string("version", fields.version)?,
        })
    }

    /// The command as one line, newline included.
    pub fn to_line(&self) -> Vec<u8> {
        let mut fields = Map::new();
        fields.insert("cmd".to_owned(), self.cmd.clone().into());
        fields.insert("opts".to_owned(), self.opts.clone().into());
        for (key, value) in [("namespace", &self.namespace), ("version", &self.version)] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value.clone().into());
            }
        }
        let mut line = Value::Object(fields).to_string();
        line.push('\n');
        line.into_bytes()
    }
}

fn string(key: &'static str, value: Value) -> Result<String, WireError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(WireError::wrong_type(key, "a string", &other)),
    }
}

fn optional_string(key: &'static str, value: Option<Value>) -> Result<Option<String>, WireError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => string(key, value).map(Some),
    }
}

/// The values of a command, of any type yet.
#[derive(Default)]
struct Fields {
    cmd: Option<Value>,
    opts: Option<Value>,
    namespace: Option<Value>,
    version: Option<Value>,
    duplicate: Option<&'static str>,
}

impl Fields {
    fn slot(&mut self, key: &str) -> Option<(&'static str, &mut Option<Value>)> {
        Some(match key {
            "cmd" => ("cmd", &mut self.cmd),
            "opts" => ("opts", &mut self.opts),
            "namespace" => ("namespace", &mut self.namespace),
            "version" => ("version", &mut self.version),
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            let Some((key, slot)) = fields.slot(&key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if slot.replace(map.next_value()?).is_some() {
                fields.duplicate.get_or_insert(key);
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(line: &[u8]) -> WireError {
        Command::parse(line).unwrap_err()
    }

    #[test]
    fn what_is_not_there_has_its_default() {
        for line in [
            r#"{"cmd":"ping"}"#,
            r#" {"cmd": "ping", "opts": null, "version": null, "namespace": null} "#,
            r#"{"id": [7, {"cmd": 1}], "cmd": "ping", "opts": {}, "id": 8}"#,
        ] {
            let command = Command::parse(line.as_bytes()).unwrap();
            assert_eq!(command, Command::new("ping", Map::new()), "{line}");
        }
    }

    #[test]
    fn everything_that_is_there_is_kept_as_it_came() {
        let line = r#"{"cmd":"a\n\u0000","opts":{"z":1.50,"a":1e999999,"n":-0},"namespace":"x","version":"1.2"}"#;
        let command = Command::parse(line.as_bytes()).unwrap();
        assert_eq!(command.cmd, "a\n\0");
        assert_eq!(command.namespace.as_deref(), Some("x"));
        assert_eq!(command.version.as_deref(), Some("1.2"));
        let again = String::from_utf8(command.to_line()).unwrap();
        assert_eq!(again.matches('\n').count(), 1);
        assert!(again.contains(r#""z":1.50"#), "{again}");
        assert_eq!(Command::parse(again.as_bytes()).unwrap(), command);
    }

    #[test]
    fn the_last_one_counts_in_opts_but_a_command_says_a_thing_once() {
        let command = Command::parse(br#"{"cmd":"x","opts":{"a":1,"a":2}}"#).unwrap();
        assert_eq!(Value::Object(command.opts), json!({"a": 2}));
        for key in ["cmd", "opts", "namespace", "version"] {
            let line = format!(r#"{{"cmd":"x","{key}":null,"{key}":null}}"#);
            assert_eq!(error(line.as_bytes()), WireError::Duplicate { key });
        }
    }

    #[test]
    fn errors_say_what_and_where() {
        for (line, says) in [
            (&b"{\"cmd\": \"\xff\"}"[..], "bad UTF-8 at byte 9"),
            (
                b"",
                "bad JSON at line 1, column 0: EOF while parsing a value",
            ),
            (
                b"{\"cmd\"; 1}",
                "bad JSON at line 1, column 7: expected `:`",
            ),
            (
                b"{}\n\n x",
                "bad JSON at line 3, column 2: trailing characters",
            ),
            (
                b"{\"cmd\": 1",
                "bad JSON at line 1, column 9: EOF while parsing an object",
            ),
            (
                b"nul",
                "bad JSON at line 1, column 3: EOF while parsing a value",
            ),
            (
                b"{\"cmd\": \"\0\"}",
                "bad JSON at line 1, column 10: control character (\\u0000-\\u001F) found while parsing a string",
            ),
            (b" [1]", "an object is expected, not an array"),
            (b"\"cmd\"", "an object is expected, not a string"),
            (b"true", "an object is expected, not a boolean"),
            (b"null", "an object is expected, not null"),
            (b"-1", "an object is expected, not a number"),
            (b"{}", "`cmd` is missing"),
            (b"{\"cmd\": null}", "`cmd` must be a string, not null"),
            (
                b"{\"cmd\": [\"x\"]}",
                "`cmd` must be a string, not an array",
            ),
            (
                b"{\"cmd\": \"x\", \"opts\": [\"secret\"]}",
                "`opts` must be an object, not an array",
            ),
            (
                b"{\"cmd\": \"x\", \"version\": 1.0}",
                "`version` must be a string, not a number",
            ),
            (
                b"{\"cmd\": \"x\", \"namespace\": {}}",
                "`namespace` must be a string, not an object",
            ),
        ] {
            assert_eq!(error(line).to_string(), says, "{line:?}");
        }
    }

    #[test]
    fn depth_is_an_error_before_it_is_a_stack() {
        let nested = |key: &str, deep: usize| {
            let (open, close) = ("[".repeat(deep), "]".repeat(deep));
            format!(r#"{{"cmd":"x","{key}":{open}{close}}}"#)
        };
        let wrong = error(nested("opts", 126).as_bytes());
        assert!(
            matches!(wrong, WireError::WrongType { key: "opts", .. }),
            "{wrong}"
        );
        for deep in [127, 128, 100_000] {
            let says = error(nested("opts", deep).as_bytes()).to_string();
            assert!(says.ends_with("recursion limit exceeded"), "{deep}: {says}");
        }
        // What nobody reads may be as deep as it likes.
        assert!(Command::parse(nested("else", 100_000).as_bytes()).is_ok());
    }
}
