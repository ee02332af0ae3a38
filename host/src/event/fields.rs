//! The fields of an event, in the order of its JSON: what is written, and what filters look at.

use super::variant::{Event, NetifAction};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The value of one field, borrowed from its event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    Text(&'a str),
    Number(u64),
    Json(&'a Value),
    Objects(&'a [Map<String, Value>]),
}

impl Field<'_> {
    pub(super) fn to_value(self) -> Value {
        match self {
            Field::Text(text) => Value::from(text),
            Field::Number(number) => Value::from(number),
            Field::Json(value) => value.clone(),
            Field::Objects(objects) => Value::from(objects.to_vec()),
        }
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::Text(text) => serializer.serialize_str(text),
            Field::Number(number) => serializer.serialize_u64(*number),
            Field::Json(value) => value.serialize(serializer),
            Field::Objects(objects) => objects.serialize(serializer),
        }
    }
}

/// As many fields as a typed event has at most.
const MOST: usize = 5;

type Row<'a> = [Option<(&'static str, Field<'a>)>; MOST];

fn row<'a, const N: usize>(fields: [(&'static str, Field<'a>); N]) -> Row<'a> {
    const { assert!(N <= MOST) };
    let mut row = [None; MOST];
    for (place, field) in row.iter_mut().zip(fields) {
        *place = Some(field);
    }
    row
}

impl Event {
    /// The `opts` of its JSON. An object, but for a [`Custom`](Event::Custom) event that came with something else.
    #[must_use]
    pub fn opts(&self) -> Value {
        match self {
            Event::Custom { opts, .. } => opts.value().clone(),
            _ => Value::Object(
                self.fields()
                    .map(|(name, field)| (name.to_owned(), field.to_value()))
                    .collect(),
            ),
        }
    }

    /// The field of that name, if there is one.
    pub(crate) fn field(&self, name: &str) -> Option<Field<'_>> {
        match self {
            Event::Custom { opts, .. } => opts.value().get(name).map(Field::Json),
            _ => self
                .fields()
                .find_map(|(of, field)| (of == name).then_some(field)),
        }
    }

    /// The fields of a typed event; a custom one has its own.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Field<'_>)> {
        use Field::{Json, Number, Objects, Text};
        let fields = match self {
            Event::Management {
                id,
                cmd,
                opts,
                state,
            } => row([
                ("id", Number(*id)),
                ("cmd", Text(cmd)),
                ("opts", Json(opts)),
                ("state", Text(state.as_str())),
            ]),
            Event::State { pool, id, state } => row([
                ("pool", Text(pool)),
                ("id", Text(id)),
                ("state", Text(state.as_str())),
            ]),
            Event::Db {
                object,
                pool,
                id,
                action,
            } => row([
                ("object", Text(object.as_str())),
                ("pool", Text(pool)),
                ("id", Text(id)),
                ("action", Text(action.as_str())),
            ]),
            Event::CtScheduled {
                pool,
                id,
                cpu_package_inuse,
            } => row([
                ("pool", Text(pool)),
                ("id", Text(id)),
                ("cpu_package_inuse", Number(*cpu_package_inuse)),
            ]),
            Event::CtInitPid { pool, id, init_pid } => row([
                ("pool", Text(pool)),
                ("id", Text(id)),
                ("init_pid", Number((*init_pid).into())),
            ]),
            Event::CtNetif {
                pool,
                id,
                name,
                action,
            } => netif(pool, id, name, action),
            Event::CtExit {
                pool,
                id,
                exit_type,
            } => row([
                ("pool", Text(pool)),
                ("id", Text(id)),
                ("exit_type", Text(exit_type.as_str())),
            ]),
            Event::Capabilities {
                service,
                host,
                capabilities,
            } => row([
                ("service", Text(service)),
                ("host", Text(host)),
                ("capabilities", Objects(capabilities)),
            ]),
            Event::OsctldShutdown | Event::Custom { .. } => row([]),
        };
        fields.into_iter().flatten()
    }
}

fn netif<'a>(pool: &'a str, id: &'a str, name: &'a str, action: &'a NetifAction) -> Row<'a> {
    use Field::Text;
    let mut row = row([
        ("pool", Text(pool)),
        ("id", Text(id)),
        ("action", Text(action.as_str())),
        ("name", Text(name)),
    ]);
    row[MOST - 1] = match action {
        NetifAction::Rename { new_name } => Some(("new_name", Text(new_name))),
        NetifAction::Up { veth } => Some(("veth", Text(veth))),
        NetifAction::Add | NetifAction::Remove | NetifAction::Down => None,
    };
    row
}
