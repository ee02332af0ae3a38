//! Values, made ready to be compared by what they mean.

use crate::decimal::Decimal;
use crate::event::Field;
use serde_json::{Map, Number, Value};
use std::collections::{HashMap, HashSet};

/// One of some values. Texts, of which there may be many, are looked up.
#[derive(Clone, Debug)]
pub(super) struct OneOf {
    texts: HashSet<String>,
    others: Vec<Pattern>,
}

impl OneOf {
    pub(super) fn new(values: impl Iterator<Item = Value>) -> Self {
        let (mut texts, mut others) = (HashSet::new(), Vec::new());
        for value in values {
            match value {
                Value::String(text) => drop(texts.insert(text)),
                value => others.push(Pattern::new(value)),
            }
        }
        OneOf { texts, others }
    }

    pub(super) fn has(&self, field: Field<'_>) -> bool {
        match field {
            Field::Text(text) => self.texts.contains(text),
            Field::Json(Value::String(text)) => self.texts.contains(text),
            Field::Json(value) => self.others.iter().any(|pattern| pattern.is(value)),
            Field::Number(number) => self
                .others
                .iter()
                .any(|pattern| pattern.is_number(&number.into())),
            Field::Objects(objects) => self
                .others
                .iter()
                .any(|pattern| pattern.is_objects(objects)),
        }
    }
}

#[derive(Clone, Debug)]
enum Pattern {
    Null,
    Bool(bool),
    Number {
        text: String,
        /// `None` for an exponent that is too far out: then the text must do.
        decimal: Option<Decimal<'static>>,
    },
    Text(String),
    Array(Vec<Pattern>),
    Object(HashMap<String, Pattern>),
}

impl Pattern {
    fn new(value: Value) -> Self {
        match value {
            Value::Null => Pattern::Null,
            Value::Bool(truth) => Pattern::Bool(truth),
            Value::Number(number) => {
                let text = number.to_string();
                let decimal = Decimal::read(&text).map(Decimal::into_owned);
                Pattern::Number { text, decimal }
            }
            Value::String(text) => Pattern::Text(text),
            Value::Array(items) => Pattern::Array(items.into_iter().map(Pattern::new).collect()),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                Pattern::Object(
                    fields
                        .map(|(key, value)| (key, Pattern::new(value)))
                        .collect(),
                )
            }
        }
    }

    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Pattern::Null, Value::Null) => true,
            (Pattern::Bool(ours), Value::Bool(theirs)) => ours == theirs,
            (Pattern::Number { .. }, Value::Number(number)) => self.is_number(number),
            (Pattern::Text(ours), Value::String(theirs)) => ours == theirs,
            (Pattern::Array(ours), Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.is(b))
            }
            (Pattern::Object(_), Value::Object(fields)) => self.is_object(fields),
            _ => false,
        }
    }

    fn is_number(&self, number: &Number) -> bool {
        let Pattern::Number { text, decimal } = self else {
            return false;
        };
        let theirs = number.as_str();
        text == theirs || decimal.is_some() && *decimal == Decimal::read(theirs)
    }

    fn is_objects(&self, objects: &[Map<String, Value>]) -> bool {
        let Pattern::Array(items) = self else {
            return false;
        };
        items.len() == objects.len() && items.iter().zip(objects).all(|(a, b)| a.is_object(b))
    }

    fn is_object(&self, fields: &Map<String, Value>) -> bool {
        let Pattern::Object(ours) = self else {
            return false;
        };
        ours.len() == fields.len()
            && ours
                .iter()
                .all(|(key, pattern)| fields.get(key).is_some_and(|value| pattern.is(value)))
    }
}
