//! Filters: which events somebody wants.

mod pattern;

use crate::event::Event;
use pattern::OneOf;
use serde_json::Value;
use std::collections::HashSet;

/// Which events somebody wants: of one of some types, and with fields of one of some values. All must match.
///
/// Values are compared by what they mean in JSON: `1`, `1.0` and `10e-1` are one number, exactly, whatever its size (an exponent
/// of more than 38 digits is compared as it is written); the order of keys does not count. A string is no number, and a field
/// that is absent is not null.
///
/// ```
/// use ringbus_host::{ContainerState, Event, Filter};
///
/// let filter = Filter::new().of_type("state").field("pool", "tank").field_in("id", ["web", "db"]);
/// assert!(filter.matches(&Event::State {
///     pool: "tank".into(),
///     id: "db".into(),
///     state: ContainerState::Running,
/// }));
/// assert!(!filter.matches(&Event::OsctldShutdown));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Filter {
    types: Option<HashSet<String>>,
    fields: Vec<(String, OneOf)>,
}

/// Why a JSON value is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The filter is no object.
    #[error("a filter is an object")]
    NotAnObject,
    /// It has a key that is neither `type` nor `opts`.
    #[error("a filter has `type` and `opts`, and no `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// `type` is neither a string nor a list of strings.
    #[error("`type` of the filter is neither a string nor a list of strings")]
    BadType,
    /// `type` is an empty list, which would match nothing.
    #[error("`type` of the filter is an empty list")]
    EmptyType,
    /// `opts` is no object.
    #[error("`opts` of the filter is no object")]
    OptsNotAnObject,
    /// A field has an empty list of values, which would match nothing.
    #[error("field `{field}` of the filter is an empty list")]
    EmptyField {
        /// The field.
        field: String,
    },
}

impl Filter {
    /// Matches everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events of this type, or of another that is asked for likewise.
    pub fn of_type(mut self, kind: impl Into<String>) -> Self {
        self.types.get_or_insert_default().insert(kind.into());
        self
    }

    /// Only events whose field of that name has this value. An array is a value as any other here.
    pub fn field(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.field_in(name, [value])
    }

    /// Only events whose field of that name has one of these values: with none, no event at all.
    pub fn field_in<V: Into<Value>>(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = OneOf::new(values.into_iter().map(Into::into));
        self.fields.push((name.into(), values));
        self
    }

    /// Whether this is an event that is wanted. Allocates nothing for text, and only then looks at a field if the type and
    /// the fields before it match.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.types
            .as_ref()
            .is_none_or(|types| types.contains(event.kind()))
            && self
                .fields
                .iter()
                .all(|(name, values)| event.field(name).is_some_and(|field| values.has(field)))
    }
}

/// As clients ask: `{"type": "state" or ["state", ...], "opts": {"pool": "tank", "id": ["a", ...]}}`. Either may be absent or
/// null, as may the filter; a field with a list matches one of its values.
impl TryFrom<&Value> for Filter {
    type Error = FilterError;

    fn try_from(value: &Value) -> Result<Self, FilterError> {
        let mut filter = Filter::new();
        let parts = match value {
            Value::Null => return Ok(filter),
            Value::Object(parts) => parts,
            _ => return Err(FilterError::NotAnObject),
        };
        for (key, part) in parts {
            filter = match (key.as_str(), part) {
                ("type" | "opts", Value::Null) => filter,
                ("type", _) => filter.of_types_in(part)?,
                ("opts", _) => filter.fields_in(part)?,
                _ => return Err(FilterError::UnknownKey { key: key.clone() }),
            };
        }
        Ok(filter)
    }
}

impl Filter {
    fn of_types_in(self, value: &Value) -> Result<Self, FilterError> {
        match value {
            Value::String(kind) => Ok(self.of_type(kind)),
            Value::Array(kinds) if kinds.is_empty() => Err(FilterError::EmptyType),
            Value::Array(kinds) => kinds.iter().try_fold(self, |filter, kind| {
                Ok(filter.of_type(kind.as_str().ok_or(FilterError::BadType)?))
            }),
            _ => Err(FilterError::BadType),
        }
    }

    fn fields_in(self, value: &Value) -> Result<Self, FilterError> {
        let fields = value.as_object().ok_or(FilterError::OptsNotAnObject)?;
        fields.iter().try_fold(self, |filter, (name, value)| {
            Ok(match value {
                Value::Array(values) if values.is_empty() => {
                    return Err(FilterError::EmptyField {
                        field: name.clone(),
                    });
                }
                Value::Array(values) => filter.field_in(name, values.iter().cloned()),
                value => filter.field(name, value.clone()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_filter_names_the_bad_part() {
        let refused = |value: Value| Filter::try_from(&value).unwrap_err();
        assert_eq!(refused(json!("state")), FilterError::NotAnObject);
        let unknown = refused(json!({"typ": "state"}));
        assert_eq!(unknown, FilterError::UnknownKey { key: "typ".into() });
        assert!(unknown.to_string().contains("`typ`"));
        assert_eq!(refused(json!({"type": 1})), FilterError::BadType);
        assert_eq!(refused(json!({"type": ["db", 1]})), FilterError::BadType);
        assert_eq!(refused(json!({"type": []})), FilterError::EmptyType);
        assert_eq!(refused(json!({"opts": []})), FilterError::OptsNotAnObject);
        let empty = refused(json!({"opts": {"pool": "tank", "id": []}}));
        assert_eq!(empty, FilterError::EmptyField { field: "id".into() });
        assert!(empty.to_string().contains("`id`"));
    }

    #[test]
    fn one_that_asks_for_nothing_matches_everything() {
        for value in [
            json!(null),
            json!({}),
            json!({"type": null, "opts": null}),
            json!({"opts": {}}),
        ] {
            let filter = Filter::try_from(&value).unwrap();
            assert!(filter.matches(&Event::OsctldShutdown), "{value}");
        }
    }

    #[test]
    fn built_and_parsed_they_are_the_same() {
        let event = |pool: &str, id| Event::new("mine", json!({"pool": pool, "id": id}));
        let built = Filter::new()
            .of_type("yours")
            .of_type("mine")
            .field("pool", "tank")
            .field_in("id", [1, 2]);
        let parsed = json!({"type": ["yours", "mine"], "opts": {"pool": "tank", "id": [1, 2]}});
        let parsed = Filter::try_from(&parsed).unwrap();
        for filter in [built, parsed] {
            assert!(filter.matches(&event("tank", 2)));
            assert!(!filter.matches(&event("tank", 3)));
            assert!(!filter.matches(&event("dozer", 2)));
            assert!(!filter.matches(&Event::new("other", json!({"pool": "tank", "id": 2}))));
        }
        let none = Filter::new().field_in("id", Vec::<i32>::new());
        assert!(!none.matches(&event("tank", 2)));
    }
}
