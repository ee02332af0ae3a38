//! JSON that is written as it was read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value that is written as it was read, but for the space between its parts: the order of keys, `1.0`, `1e3`,
/// thirty digits, `\u00e9`.
///
/// Read it from text, with serde_json: a [`Value`] knows no more that `1e+3` was `1e3`.
///
/// ```
/// use ringbus_host::ExactJson;
///
/// let exact: ExactJson = serde_json::from_str("[1e3, 1.0, -0]")?;
/// assert_eq!(serde_json::to_string(&exact)?, "[1e3,1.0,-0]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExactJson {
    value: Value,
    /// Without space, where that is not how `value` is written.
    text: Option<Box<RawValue>>,
}

impl ExactJson {
    /// What it says.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What it says, without how it was written.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }
}

impl From<Value> for ExactJson {
    fn from(value: Value) -> Self {
        ExactJson { value, text: None }
    }
}

/// Equal if they are written equally.
impl PartialEq for ExactJson {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
            && self.text.as_deref().map(RawValue::get) == other.text.as_deref().map(RawValue::get)
    }
}

impl Eq for ExactJson {}

impl<'de> Deserialize<'de> for ExactJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value: Value = serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
        let (text, rewritten) = (without_space(raw.get()), value.to_string());
        let text = if text == rewritten {
            None
        } else {
            Some(RawValue::from_string(text).map_err(de::Error::custom)?)
        };
        Ok(ExactJson { value, text })
    }
}

impl Serialize for ExactJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) => text.serialize(serializer),
            None => self.value.serialize(serializer),
        }
    }
}

/// The text of a JSON value without the space outside of strings, so that it stays on one line.
fn without_space(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            let keeps = in_string || !c.is_ascii_whitespace();
            if c == '"' && !escaped {
                in_string = !in_string;
            }
            escaped = in_string && c == '\\' && !escaped;
            keeps
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> ExactJson {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        for text in [
            r#"{"z":1E3,"a":1e3,"m":1e+3,"n":[1.0,-0,0.10,123456789012345678901234567890]}"#,
            r#"["\u00e9\/","é/","a \" b \\"," x ",1e-999999999999]"#,
            r#"{"twice":1,"twice":2}"#,
            r#"{"$serde_json::private::Number":"7"}"#,
        ] {
            assert_eq!(serde_json::to_string(&exact(text)).unwrap(), text);
        }
    }

    #[test]
    fn only_space_between_parts_goes() {
        let text = "{ \"a b\\\" c\" :\n[ 1e3 ,\t\"\\\\\" , \" \" ] }\r\n";
        let written = serde_json::to_string(&exact(text)).unwrap();
        assert_eq!(written, r#"{"a b\" c":[1e3,"\\"," "]}"#);
    }

    #[test]
    fn text_is_kept_only_where_it_tells_more() {
        assert!(exact(r#"{"b": 1, "a": [1.0, "x"]}"#).text.is_none());
        assert!(exact("1e3").text.is_some());
        assert_ne!(exact("1e3"), exact("1e+3"));
        assert_eq!(exact("1e3").into_value(), exact("1e+3").into_value());
    }

    #[test]
    fn what_is_nested_too_deep_is_an_error() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(serde_json::from_str::<ExactJson>(&deep).is_err());
    }
}
