//! Events as JSON: byte for byte for each type, and nothing lost of what nobody here knows.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use ringbus_host::{
    CommandState, ContainerState, DbAction, DbObject, Event, ExitType, NetifAction,
};
use serde_json::{Value, json};

fn read(text: &str) -> Event {
    serde_json::from_str(text).unwrap()
}

fn write(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

fn is_custom(event: &Event) -> bool {
    matches!(event, Event::Custom { .. })
}

/// Written as the text, read back as the event, and the same through a `Value`.
fn golden(event: Event, text: &str) {
    assert_eq!(write(&event), text);
    assert_eq!(read(text), event);
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(Value::from(event.clone()), value);
    assert_eq!(Value::from(event.clone()).to_string(), text);
    assert_eq!(value["type"], event.kind());
    assert_eq!(value["opts"], event.opts());
    assert_eq!(Event::new(event.kind(), event.opts()), event);
    assert_eq!(Event::try_from(value).unwrap(), event);
}

fn pool() -> String {
    "tank".into()
}

fn id() -> String {
    "web".into()
}

#[test]
fn management() {
    let event = |state| Event::Management {
        id: 18446744073709551615,
        cmd: "ct_start".into(),
        opts: json!({"id": "web", "wait": [1.50, null]}),
        state,
    };
    for state in CommandState::ALL {
        assert_eq!(read(&write(&event(*state))), event(*state));
    }
    golden(
        event(CommandState::Failed),
        r#"{"type":"management","opts":{"id":18446744073709551615,"cmd":"ct_start","opts":{"id":"web","wait":[1.5,null]},"state":"failed"}}"#,
    );
}

#[test]
fn osctld_shutdown() {
    golden(
        Event::OsctldShutdown,
        r#"{"type":"osctld_shutdown","opts":{}}"#,
    );
}

#[test]
fn state() {
    for (state, name) in ContainerState::ALL.iter().zip([
        "stopped", "starting", "running", "stopping", "aborting", "freezing", "frozen", "thawed",
    ]) {
        let text = r#"{"type":"state","opts":{"pool":"tank","id":"web","state":"NAME"}}"#;
        let (pool, id, state) = (pool(), id(), *state);
        golden(
            Event::State { pool, id, state },
            &text.replace("NAME", name),
        );
    }
}

#[test]
fn db() {
    for (object, name) in DbObject::ALL.iter().zip([
        "pool",
        "user",
        "group",
        "container",
        "id_range",
        "repository",
    ]) {
        for (action, verb) in [(DbAction::Add, "add"), (DbAction::Remove, "remove")] {
            let text = r#"{"type":"db","opts":{"object":"NAME","pool":"tank","id":"web","action":"VERB"}}"#;
            golden(
                Event::Db {
                    object: *object,
                    pool: pool(),
                    id: id(),
                    action,
                },
                &text.replace("NAME", name).replace("VERB", verb),
            );
        }
    }
}

#[test]
fn ct_scheduled() {
    golden(
        Event::CtScheduled {
            pool: pool(),
            id: id(),
            cpu_package_inuse: 1,
        },
        r#"{"type":"ct_scheduled","opts":{"pool":"tank","id":"web","cpu_package_inuse":1}}"#,
    );
}

#[test]
fn ct_init_pid() {
    golden(
        Event::CtInitPid {
            pool: pool(),
            id: id(),
            init_pid: 4194304,
        },
        r#"{"type":"ct_init_pid","opts":{"pool":"tank","id":"web","init_pid":4194304}}"#,
    );
}

#[test]
fn ct_netif() {
    let new_name = "eth1".to_owned();
    let veth = "veth7".to_owned();
    for (action, tail) in [
        (NetifAction::Add, r#""add","name":"eth0""#),
        (NetifAction::Remove, r#""remove","name":"eth0""#),
        (
            NetifAction::Rename { new_name },
            r#""rename","name":"eth0","new_name":"eth1""#,
        ),
        (
            NetifAction::Up { veth },
            r#""up","name":"eth0","veth":"veth7""#,
        ),
        (NetifAction::Down, r#""down","name":"eth0""#),
    ] {
        let text =
            format!(r#"{{"type":"ct_netif","opts":{{"pool":"tank","id":"web","action":{tail}}}}}"#);
        golden(
            Event::CtNetif {
                pool: pool(),
                id: id(),
                name: "eth0".into(),
                action,
            },
            &text,
        );
    }
}

#[test]
fn ct_exit() {
    for (exit_type, name) in [(ExitType::Halt, "halt"), (ExitType::Reboot, "reboot")] {
        let text = r#"{"type":"ct_exit","opts":{"pool":"tank","id":"web","exit_type":"NAME"}}"#;
        golden(
            Event::CtExit {
                pool: pool(),
                id: id(),
                exit_type,
            },
            &text.replace("NAME", name),
        );
    }
}

#[test]
fn capabilities() {
    let one = |value: Value| value.as_object().unwrap().clone();
    golden(
        Event::Capabilities {
            service: "compute".into(),
            host: "node1".into(),
            capabilities: vec![one(json!({"vcpus": 8, "arch": "x86_64"})), one(json!({}))],
        },
        r#"{"type":"capabilities","opts":{"service":"compute","host":"node1","capabilities":[{"vcpus":8,"arch":"x86_64"},{}]}}"#,
    );
}

#[test]
fn the_order_of_keys_does_not_make_a_known_event_custom() {
    let event =
        read(r#" {"opts": {"state":"frozen", "id":"web", "pool":"tank"}, "type":"state"} "#);
    let (pool, id, state) = (pool(), id(), ContainerState::Frozen);
    assert_eq!(event, Event::State { pool, id, state });
}

#[test]
fn a_known_type_that_does_not_fit_stays_as_it_came() {
    for text in [
        // No such state; a field too few, too many, null, of another kind; `opts` of another kind.
        r#"{"type":"state","opts":{"pool":"tank","id":"web","state":"melted"}}"#,
        r#"{"type":"state","opts":{"pool":"tank","state":"running"}}"#,
        r#"{"type":"state","opts":{"pool":"tank","id":"web","state":"running","more":1}}"#,
        r#"{"type":"state","opts":{"pool":null,"id":"web","state":"running"}}"#,
        r#"{"type":"state","opts":{"pool":"tank","id":7,"state":"running"}}"#,
        r#"{"type":"state","opts":["tank","web","running"]}"#,
        r#"{"type":"state","opts":null}"#,
        r#"{"type":"osctld_shutdown","opts":{"why":"tired"}}"#,
        // Integers in another writing, or out of range.
        r#"{"type":"ct_init_pid","opts":{"pool":"tank","id":"web","init_pid":1.0}}"#,
        r#"{"type":"ct_init_pid","opts":{"pool":"tank","id":"web","init_pid":1e3}}"#,
        r#"{"type":"ct_init_pid","opts":{"pool":"tank","id":"web","init_pid":-0}}"#,
        r#"{"type":"ct_init_pid","opts":{"pool":"tank","id":"web","init_pid":4294967296}}"#,
        r#"{"type":"ct_scheduled","opts":{"pool":"tank","id":"web","cpu_package_inuse":-1}}"#,
        // What belongs to another action.
        r#"{"type":"ct_netif","opts":{"pool":"tank","id":"web","action":"down","name":"e","veth":null}}"#,
        r#"{"type":"ct_netif","opts":{"pool":"tank","id":"web","action":"up","name":"e"}}"#,
        r#"{"type":"ct_netif","opts":{"pool":"tank","id":"web","action":"add","name":"e","new_name":"f"}}"#,
        r#"{"type":"capabilities","opts":{"service":"a","host":"b","capabilities":[1]}}"#,
        // Types that nobody here knows.
        r#"{"type":"State","opts":{"pool":"tank","id":"web","state":"running"}}"#,
        r#"{"type":"","opts":7}"#,
    ] {
        let event = read(text);
        assert!(is_custom(&event), "{text}");
        assert_eq!(write(&event), text);
    }
}

#[test]
fn numbers_and_keys_of_custom_events_keep_their_text() {
    let text = r#"{"type":"mine","opts":{"z":1.0,"a":1e3,"m":-0,"b":1E+05,"c":123456789012345678901234567890,"d":0.10,"e":1e999999999}}"#;
    assert_eq!(write(&read(text)), text);
}

#[test]
fn what_is_no_json_or_nested_too_deep_is_an_error() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    for text in [
        format!(r#"{{"type":"mine","opts":{deep}}}"#),
        r#"{"type":"mine","opts":{"a":01}}"#.into(),
        r#"{"type":"mine","opts":{}"#.into(),
        r#"{"type":"mine","type":"yours","opts":{}}"#.into(),
        "[]".into(),
        "".into(),
    ] {
        assert!(serde_json::from_str::<Event>(&text).is_err(), "{text}");
    }
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,9})?",
        Just("1.0".to_owned()),
        Just("1e3".to_owned()),
        Just("-0".to_owned()),
    ]
}

fn string() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| Value::from(text).to_string())
}

/// The text of any JSON value, without space.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => number(),
        3 => string(),
        1 => prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let fields = prop::collection::vec((string(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            fields.prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{k}:{v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn known() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    let objects = prop::collection::vec(prop::collection::vec((text(), any::<i64>()), 0..4), 0..4);
    prop_oneof![
        (any::<u64>(), text(), json_text(), 0..3usize).prop_map(|(id, cmd, opts, state)| {
            Event::Management {
                id,
                cmd,
                opts: serde_json::from_str(&opts).unwrap(),
                state: CommandState::ALL[state],
            }
        }),
        (text(), text(), 0..8usize).prop_map(|(pool, id, state)| Event::State {
            pool,
            id,
            state: ContainerState::ALL[state],
        }),
        (text(), text(), any::<u32>()).prop_map(|(pool, id, init_pid)| Event::CtInitPid {
            pool,
            id,
            init_pid
        }),
        (text(), text(), text(), text(), 0..3).prop_map(|(pool, id, name, other, action)| {
            let action = match action {
                0 => NetifAction::Rename { new_name: other },
                1 => NetifAction::Up { veth: other },
                _ => NetifAction::Down,
            };
            Event::CtNetif {
                pool,
                id,
                name,
                action,
            }
        }),
        (text(), text(), objects).prop_map(|(service, host, objects)| {
            let objects = objects.into_iter().map(|fields| {
                let fields = fields.into_iter();
                fields.map(|(key, n)| (key, Value::from(n))).collect()
            });
            Event::Capabilities {
                service,
                host,
                capabilities: objects.collect(),
            }
        }),
    ]
}

proptest! {
    #[test]
    fn typed_events_come_back(event in known()) {
        prop_assert_eq!(&read(&write(&event)), &event);
        prop_assert_eq!(&Event::try_from(Value::from(event.clone())).unwrap(), &event);
        prop_assert!(!is_custom(&event));
    }

    #[test]
    fn custom_events_come_back_byte_for_byte(kind in string(), opts in json_text()) {
        let text = format!(r#"{{"type":{kind},"opts":{opts}}}"#);
        let event = read(&text);
        prop_assert!(is_custom(&event));
        prop_assert_eq!(write(&event), text);
    }

    #[test]
    fn hostile_text_is_an_error_or_an_event(text in "[\\[\\]{}\",:a-z0-9eE.+\\- \\\\]{0,60}") {
        if let Ok(event) = serde_json::from_str::<Event>(&text) {
            prop_assert_eq!(read(&write(&event)), event);
        }
    }
}
