//! Why a line is no command and no reply.

use serde_json::Value;

/// Why a line means nothing. The connection may go on.
///
/// None of these repeats a value of the line's: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not text.
    #[error("bad UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first byte that cannot be, counted from 0.
        offset: usize,
    },
    /// A string that begins with `$serde_json::private::`.
    #[error("a reserved string at byte {offset}")]
    Reserved {
        /// Where it begins, counted from 0.
        offset: usize,
    },
    /// Not JSON, or nested more than 127 deep.
    #[error("bad JSON at line {line}, column {column}: {reason}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// JSON, but no object.
    #[error("an object is expected, not {found}")]
    NotAnObject {
        /// What it is, with its article.
        found: &'static str,
    },
    /// A key is not there.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value is of another type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The value's key.
        key: &'static str,
        /// What it must be, with its article.
        expected: &'static str,
        /// What it is, with its article.
        found: &'static str,
    },
    /// A key is there twice, and readers would differ in which one counts.
    #[error("`{key}` is there twice")]
    Duplicate {
        /// The key.
        key: &'static str,
    },
}

impl WireError {
    /// What `error` says of `text`, which should have been an object.
    pub(super) fn of(error: &serde_json::Error, text: &str) -> Self {
        let found = match text.trim_start().bytes().next() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        if error.is_data() && !text.trim_start().starts_with('{') {
            return WireError::NotAnObject { found };
        }
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let place = format!(" at line {line} column {column}");
        WireError::NotJson {
            line,
            column,
            reason: said.strip_suffix(&place).unwrap_or(&said).to_owned(),
        }
    }

    pub(super) fn wrong_type(key: &'static str, expected: &'static str, found: &Value) -> Self {
        WireError::WrongType {
            key,
            expected,
            found: name_of(found),
        }
    }
}

/// The text of a line, if no key in it is one that serde_json takes for its own: their values it reads as JSON once more,
/// and counts the depth anew.
pub(super) fn text_of(line: &[u8]) -> Result<&str, WireError> {
    let text = std::str::from_utf8(line).map_err(|error| WireError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let (mut start, mut escaped) = (None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (start, byte) {
            (None, b'"') => start = Some(at),
            (Some(from), b'"') if !escaped => {
                let string = text.get(from..=at).unwrap_or_default();
                // As a rule nothing is unescaped: neither way to begin it.
                let may_be = string.starts_with("\"$") || string.starts_with("\"\\u");
                if may_be
                    && serde_json::from_str::<String>(string)
                        .is_ok_and(|key| key.starts_with("$serde_json::private::"))
                {
                    return Err(WireError::Reserved { offset: from });
                }
                start = None;
            }
            _ => {}
        }
        escaped = start.is_some() && byte == b'\\' && !escaped;
    }
    Ok(text)
}

/// What a value is, with its article.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
