//! Events from JSON and to it.
//!
//! By hand: what serde derives for tagged enums buffers what it reads, and numbers lose their text there.

use super::fields::Field;
use super::names::{CommandState, ContainerState, DbAction, DbObject, ExitType};
use super::variant::{Event, NetifAction};
use crate::exact::ExactJson;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Why a JSON value is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is no object.
    #[error("an event is an object")]
    NotAnObject,
    /// It has no type.
    #[error("the event has no `type`")]
    NoType,
    /// Its type is no string.
    #[error("the `type` of the event is no string")]
    TypeNotAString,
    /// It has more than `type` and `opts`, which would be lost.
    #[error("an event has `type` and `opts`, and no `{key}`")]
    UnknownKey {
        /// The first key too many.
        key: String,
    },
}

impl Event {
    /// The typed variant that says exactly this, or else [`Custom`](Event::Custom).
    #[must_use]
    pub fn new(kind: impl Into<String>, opts: impl Into<ExactJson>) -> Self {
        read(kind.into(), opts.into())
    }
}

/// Absent `opts` are read as `{}`.
impl TryFrom<Value> for Event {
    type Error = EventError;

    fn try_from(value: Value) -> Result<Self, EventError> {
        let Value::Object(parts) = value else {
            return Err(EventError::NotAnObject);
        };
        let (mut kind, mut opts) = (None, None);
        for (key, part) in parts {
            match key.as_str() {
                "type" => kind = Some(part),
                "opts" => opts = Some(part),
                _ => return Err(EventError::UnknownKey { key }),
            }
        }
        match kind {
            Some(Value::String(kind)) => Ok(read(kind, opts.map_or_else(none, ExactJson::from))),
            Some(_) => Err(EventError::TypeNotAString),
            None => Err(EventError::NoType),
        }
    }
}

impl From<Event> for Value {
    fn from(event: Event) -> Value {
        let (kind, opts) = match event {
            Event::Custom { kind, opts } => (kind, opts.into_value()),
            _ => (event.kind().to_owned(), event.opts()),
        };
        let parts = [("type", Value::String(kind)), ("opts", opts)];
        Value::Object(
            parts
                .map(|(name, part)| (name.to_owned(), part))
                .into_iter()
                .collect(),
        )
    }
}

/// Absent `opts` are read as `{}`. For serde_json's deserializers only: serde's buffers (`flatten`, `untagged`) do not keep
/// the text of numbers, and are refused.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "event", deny_unknown_fields)]
        struct Parts {
            r#type: String,
            #[serde(default = "none")]
            opts: ExactJson,
        }
        let Parts { r#type, opts } = Parts::deserialize(deserializer)?;
        Ok(read(r#type, opts))
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_map(Some(2))?;
        parts.serialize_entry("type", self.kind())?;
        match self {
            Event::Custom { opts, .. } => parts.serialize_entry("opts", opts)?,
            _ => parts.serialize_entry("opts", &Opts(self))?,
        }
        parts.end()
    }
}

/// The `opts` of a typed event.
struct Opts<'a>(&'a Event);

impl Serialize for Opts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.fields())
    }
}

fn none() -> ExactJson {
    ExactJson::from(Value::Object(Map::new()))
}

/// The typed variant that says exactly this, or else a custom event.
fn read(kind: String, opts: ExactJson) -> Event {
    match opts.value() {
        Value::Object(fields) => match typed(&kind, fields) {
            Some(event) if says_the_same(&event, fields) => event,
            _ => Event::Custom { kind, opts },
        },
        Value::Null if kind == "osctld_shutdown" => Event::OsctldShutdown,
        _ => Event::Custom { kind, opts },
    }
}

/// Numbers are compared by their text here, so that none is rewritten.
fn says_the_same(event: &Event, fields: &Map<String, Value>) -> bool {
    event.fields().count() == fields.len()
        && event
            .fields()
            .all(|(name, field)| match (field, fields.get(name)) {
                (Field::Json(ours), Some(theirs)) => ours == theirs,
                (field, Some(theirs)) => field.to_value() == *theirs,
                (_, None) => false,
            })
}

/// The variant of that type with what it knows of the fields; there may be more.
fn typed(kind: &str, fields: &Map<String, Value>) -> Option<Event> {
    let text = |name: &str| fields.get(name)?.as_str();
    let owned = |name: &str| text(name).map(str::to_owned);
    let number = |name: &str| fields.get(name)?.as_u64();
    Some(match kind {
        "management" => Event::Management {
            id: number("id")?,
            cmd: owned("cmd")?,
            opts: fields.get("opts")?.clone(),
            state: CommandState::from_name(text("state")?)?,
        },
        "osctld_shutdown" => Event::OsctldShutdown,
        "state" => Event::State {
            pool: owned("pool")?,
            id: owned("id")?,
            state: ContainerState::from_name(text("state")?)?,
        },
        "db" => Event::Db {
            object: DbObject::from_name(text("object")?)?,
            pool: owned("pool")?,
            id: owned("id")?,
            action: DbAction::from_name(text("action")?)?,
        },
        "ct_scheduled" => Event::CtScheduled {
            pool: owned("pool")?,
            id: owned("id")?,
            cpu_package_inuse: number("cpu_package_inuse")?,
        },
        "ct_init_pid" => Event::CtInitPid {
            pool: owned("pool")?,
            id: owned("id")?,
            init_pid: number("init_pid")?.try_into().ok()?,
        },
        "ct_netif" => Event::CtNetif {
            pool: owned("pool")?,
            id: owned("id")?,
            name: owned("name")?,
            action: match text("action")? {
                "add" => NetifAction::Add,
                "remove" => NetifAction::Remove,
                "rename" => NetifAction::Rename {
                    new_name: owned("new_name")?,
                },
                "up" => NetifAction::Up {
                    veth: owned("veth")?,
                },
                "down" => NetifAction::Down,
                _ => return None,
            },
        },
        "ct_exit" => Event::CtExit {
            pool: owned("pool")?,
            id: owned("id")?,
            exit_type: ExitType::from_name(text("exit_type")?)?,
        },
        "capabilities" => Event::Capabilities {
            service: owned("service")?,
            host: owned("host")?,
            capabilities: fields
                .get("capabilities")?
                .as_array()?
                .iter()
                .map(|one| one.as_object().cloned())
                .collect::<Option<_>>()?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_event_says_why() {
        let refused = |value: Value| Event::try_from(value).unwrap_err();
        assert_eq!(refused(json!(["state"])), EventError::NotAnObject);
        assert_eq!(refused(json!({"opts": {}})), EventError::NoType);
        assert_eq!(refused(json!({"type": 1})), EventError::TypeNotAString);
        let extra = refused(json!({"type": "state", "opts": {}, "more": 1}));
        assert_eq!(extra, EventError::UnknownKey { key: "more".into() });
        assert!(extra.to_string().contains("`more`"));
        let said = |text| serde_json::from_str::<Event>(text).unwrap_err().to_string();
        assert!(said("{}").contains("missing field `type`"));
        assert!(said(r#"{"type":"state","more":1}"#).contains("unknown field `more`"));
        assert!(said(r#"{"type":1}"#).contains("expected a string"));
    }

    #[test]
    fn absent_opts_are_none() {
        for text in [
            r#"{"type":"osctld_shutdown"}"#,
            r#"{"type":"osctld_shutdown","opts":null}"#,
        ] {
            let event: Event = serde_json::from_str(text).unwrap();
            assert_eq!(event, Event::OsctldShutdown);
        }
        let event = Event::try_from(json!({"type": "mine"})).unwrap();
        assert_eq!(Value::from(event), json!({"type": "mine", "opts": {}}));
    }
}
