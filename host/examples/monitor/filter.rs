//! The filter, as the server wants it.

use std::str::FromStr;

use serde_json::{Map, Value};

/// One `--match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    field: String,
    value: Value,
}

impl FromStr for Match {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, value) = text
            .split_once('=')
            .ok_or("no `=` between field and value")?;
        if field.is_empty() {
            return Err("no field before the `=`");
        }
        Ok(Match {
            field: field.to_owned(),
            value: serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        })
    }
}

/// The options of `event_subscribe`.
pub fn compose(types: &[String], matches: &[Match]) -> Map<String, Value> {
    let mut fields = Map::new();
    for Match { field, value } in matches {
        let value = value.clone();
        match fields.get_mut(field) {
            None => drop(fields.insert(field.clone(), value)),
            Some(known) => *known = either(known.take(), value),
        }
    }
    let mut filter = Map::new();
    match types {
        [] => {}
        [one] => drop(filter.insert("type".to_owned(), one.as_str().into())),
        many => drop(filter.insert("type".to_owned(), many.into())),
    }
    if !fields.is_empty() {
        filter.insert("opts".to_owned(), fields.into());
    }
    filter
}

/// A list is a choice already.
fn either(one: Value, other: Value) -> Value {
    let choices = |value| match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let mut all = choices(one);
    all.extend(choices(other));
    all.into()
}
