//! Secrets that do not get out.

use crate::event::Event;
use crate::exact::ExactJson;
use serde_json::Value;
use std::collections::BTreeSet;

const REDACTED: &str = "[redacted]";

/// Which keys have values that are secret.
///
/// A key is on the list if it is one of its words, or ends in one, alone or with an `s`: with `password` on it, `Password`,
/// `user_password`, `user-passwords` and `userPassword` are, and `passwordless` is not.
///
/// ```
/// use ringbus_host::Redaction;
///
/// let redaction = Redaction::new().also("passphrase");
/// assert!(redaction.covers("luks-passphrase") && redaction.covers("API_TOKEN"));
/// assert!(!redaction.covers("keyboard"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    words: BTreeSet<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new()
    }
}

impl Redaction {
    /// `password`, `passwd`, `token`, `secret` and `key`.
    #[must_use]
    pub fn new() -> Self {
        ["password", "passwd", "token", "secret", "key"]
            .into_iter()
            .fold(Self::none(), Self::also)
    }

    /// An empty list: nothing is secret.
    #[must_use]
    pub fn none() -> Self {
        Redaction {
            words: BTreeSet::new(),
        }
    }

    /// One word more. It may have a `_` or `-` itself.
    #[must_use]
    pub fn also(mut self, word: impl AsRef<str>) -> Self {
        self.words.insert(plain(word.as_ref()));
        self
    }

    /// The values of this key are secret.
    #[must_use]
    pub fn covers(&self, key: &str) -> bool {
        let key = plain(key);
        let one = key.strip_suffix('s').unwrap_or(&key);
        let ends = |key: &str| {
            self.words.contains(key)
                || key
                    .match_indices('_')
                    .any(|(at, _)| self.words.contains(&key[at + 1..]))
        };
        ends(&key) || ends(one)
    }

    /// Puts `"[redacted]"` in the place of every secret value in the `opts` of a `management` event, however deep.
    ///
    /// A `management` event that is [`Custom`](Event::Custom) is searched whole. Other events are left as they are.
    pub fn apply(&self, event: &mut Event) {
        match event {
            Event::Management { opts, .. } => self.clean(opts),
            Event::Custom { kind, opts } if kind == "management" => {
                let mut value = std::mem::replace(opts, Value::Null.into()).into_value();
                self.clean(&mut value);
                // Without the text that it was read from, which has the secrets.
                *opts = ExactJson::from(value);
            }
            _ => {}
        }
    }

    fn clean(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    if self.covers(key) {
                        *value = REDACTED.into();
                    } else {
                        self.clean(value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Words in small letters, with `_` between them.
fn plain(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 4);
    let mut small = false;
    for letter in key.chars() {
        if small && letter.is_uppercase() {
            words.push('_');
        }
        small = letter.is_lowercase();
        match letter {
            '-' => words.push('_'),
            _ => words.extend(letter.to_lowercase()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommandState;
    use serde_json::json;

    fn after(redaction: &Redaction, opts: Value) -> Value {
        let mut event = Event::Management {
            id: 1,
            cmd: "key".into(),
            opts,
            state: CommandState::Run,
        };
        redaction.apply(&mut event);
        let Event::Management { opts, cmd, .. } = event else {
            unreachable!("it is still one")
        };
        assert_eq!(cmd, "key", "only what is in opts");
        opts
    }

    #[test]
    fn keys_count_whole_or_as_the_last_word_in_any_case() {
        let list = Redaction::new();
        for key in [
            "password",
            "PASSWD",
            "Token",
            "user_password",
            "ssh-key",
            "X-Auth-Token",
            "_key",
            "passwords",
            "sshKeys",
            "userPassword",
        ] {
            assert!(list.covers(key), "{key}");
        }
        for key in [
            "",
            "passwordless",
            "Monkey",
            "keyring",
            "monkey",
            "key_id",
            "token count",
            "user.key",
        ] {
            assert!(!list.covers(key), "{key}");
        }
        let more = list.also("Api-Pin");
        assert!(more.covers("api_pin") && more.covers("my-API-pin") && !more.covers("pin"));
        assert!(!Redaction::none().covers("password"));
    }

    #[test]
    fn secrets_go_however_deep_and_whatever_they_are() {
        let opts = json!({
            "user": "joe", "password": "hunter2",
            "nested": [{"token": {"a": [1]}, "kept": 1.5}, [{"Secret": null}]],
        });
        let expected = json!({
            "user": "joe", "password": "[redacted]",
            "nested": [{"token": "[redacted]", "kept": 1.5}, [{"Secret": "[redacted]"}]],
        });
        assert_eq!(after(&Redaction::new(), opts.clone()), expected);
        assert_eq!(after(&Redaction::none(), opts.clone()), opts);
    }

    #[test]
    fn a_management_event_of_another_shape_hides_them_too_and_forgets_its_text() {
        // Two `opts`, and a state that nobody knows: custom, and its text tells more than its value.
        let text = r#"{"type":"management","opts":{"opts":{"key":"s1"},"opts":{"token":"s2","n":1e3},"state":"odd"}}"#;
        let mut event: Event = serde_json::from_str(text).unwrap();
        assert!(matches!(event, Event::Custom { .. }));
        Redaction::new().apply(&mut event);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"type":"management","opts":{"opts":{"token":"[redacted]","n":1e+3},"state":"odd"}}"#
        );
    }

    #[test]
    fn other_events_are_left_as_they_are() {
        let event = Event::new("mine", json!({"password": "mine to give"}));
        let mut same = event.clone();
        Redaction::new().apply(&mut same);
        assert_eq!(same, event);
    }
}
