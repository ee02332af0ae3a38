//! Filters, against a naive oracle that looks at the JSON of an event.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use ringbus_host::{ContainerState, Event, Filter};
use serde_json::{Value, json};

fn filter(text: &str) -> Filter {
    Filter::try_from(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

fn mine(opts: &str) -> Event {
    serde_json::from_str(&format!(r#"{{"type":"mine","opts":{opts}}}"#)).unwrap()
}

fn running() -> Event {
    Event::State {
        pool: "tank".into(),
        id: "web".into(),
        state: ContainerState::Running,
    }
}

#[test]
fn a_state_is_its_string() {
    assert!(filter(r#"{"type":"state","opts":{"state":"running"}}"#).matches(&running()));
    assert!(!filter(r#"{"opts":{"state":"stopped"}}"#).matches(&running()));
    assert!(
        Filter::new()
            .field("state", ContainerState::Running)
            .matches(&running())
    );
}

#[test]
fn every_field_of_a_typed_event_can_be_asked_for() {
    for event in [
        running(),
        Event::new(
            "management",
            json!({"id": 7, "cmd": "c", "opts": {"a": [1]}, "state": "run"}),
        ),
        Event::new(
            "ct_init_pid",
            json!({"pool": "p", "id": "i", "init_pid": 1}),
        ),
        Event::new(
            "ct_scheduled",
            json!({"pool": "p", "id": "i", "cpu_package_inuse": 0}),
        ),
        Event::new(
            "db",
            json!({"object": "user", "pool": "p", "id": "i", "action": "add"}),
        ),
        Event::new(
            "ct_exit",
            json!({"pool": "p", "id": "i", "exit_type": "halt"}),
        ),
        Event::new(
            "ct_netif",
            json!({"pool": "p", "id": "i", "action": "up", "name": "n", "veth": "v"}),
        ),
        Event::new(
            "capabilities",
            json!({"service": "s", "host": "h", "capabilities": [{"a": 1, "b": null}, {}]}),
        ),
    ] {
        assert!(!matches!(event, Event::Custom { .. }));
        let Value::Object(fields) = event.opts() else {
            unreachable!("typed events have objects")
        };
        for (name, value) in fields {
            assert!(Filter::new().field(&name, value).matches(&event), "{name}");
            assert!(!Filter::new().field(&name, "?").matches(&event), "{name}");
            assert!(
                !Filter::new().field(&name, json!([{}])).matches(&event),
                "{name}"
            );
        }
        assert!(!Filter::new().field("absent", Value::Null).matches(&event));
    }
}

#[test]
fn numbers_are_what_they_mean_exactly() {
    let pid = Event::CtInitPid {
        pool: "p".into(),
        id: "i".into(),
        init_pid: 1200,
    };
    for same in ["1200", "1200.0", "1.2e3", "12E+02", "12000e-1"] {
        assert!(
            filter(&format!(r#"{{"opts":{{"init_pid":{same}}}}}"#)).matches(&pid),
            "{same}"
        );
    }
    for other in [
        "1201",
        "-1200",
        "120",
        r#""1200""#,
        "[[1200]]",
        "true",
        "null",
    ] {
        assert!(
            !filter(&format!(r#"{{"opts":{{"init_pid":{other}}}}}"#)).matches(&pid),
            "{other}"
        );
    }
    let exact = filter(r#"{"opts":{"n":9007199254740993}}"#);
    assert!(exact.matches(&mine(r#"{"n":9007199254740993.0}"#)));
    assert!(!exact.matches(&mine(r#"{"n":9007199254740992}"#)));
}

#[test]
fn numbers_that_are_far_out_cost_nothing() {
    let far = filter(r#"{"opts":{"n":[1e999999999,-1e-999999999]}}"#);
    assert!(far.matches(&mine(r#"{"n":10e999999998}"#)));
    assert!(far.matches(&mine(r#"{"n":-0.1e-999999998}"#)));
    assert!(!far.matches(&mine(r#"{"n":1e999999998}"#)));
    let beyond = format!("1e+{}", "9".repeat(100_000));
    let filter = filter(&format!(r#"{{"opts":{{"n":{beyond}}}}}"#));
    assert!(filter.matches(&mine(&format!(r#"{{"n":{beyond}}}"#))));
    assert!(!filter.matches(&mine(&format!(r#"{{"n":{beyond}1}}"#))));
}

#[test]
fn many_values_are_one_of_them() {
    let ids: Vec<String> = (0..50_000).map(|n| format!("ct{n}")).collect();
    let filter = Filter::new().field_in("id", ids);
    assert!(filter.matches(&mine(r#"{"id":"ct49999"}"#)));
    assert!(!filter.matches(&mine(r#"{"id":"ct50000"}"#)));
}

#[test]
fn an_event_without_fields_matches_by_type_alone() {
    let event = mine("[1]");
    assert!(filter(r#"{"type":["other","mine"]}"#).matches(&event));
    assert!(!filter(r#"{"type":"mine","opts":{"0":1}}"#).matches(&event));
}

/// Small numbers as a fraction of a thousand, so that the oracle can compute with them.
fn thousandths(text: &str) -> i128 {
    let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let power = exponent.parse::<i32>().unwrap() - fraction.len() as i32 + 12;
    let scaled = digits * 10i128.pow(power as u32);
    if whole.starts_with('-') {
        -scaled.abs()
    } else {
        scaled
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            thousandths(&a.to_string()) == thousandths(&b.to_string())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn one_of(wanted: &Value, found: &Value) -> bool {
    match wanted {
        Value::Array(values) => values.iter().any(|value| same(value, found)),
        value => same(value, found),
    }
}

fn naive(filter: &Value, event: &Value) -> bool {
    let types = filter.get("type").is_none_or(|t| one_of(t, &event["type"]));
    let fields = filter["opts"].as_object().unwrap();
    types
        && fields.iter().all(|(name, wanted)| {
            let found = event["opts"].get(name);
            found.is_some_and(|found| one_of(wanted, found))
        })
}

fn number() -> impl Strategy<Value = String> {
    "-?[01](\\.[01]{1,2})?([eE][+-]?[01])?"
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => number(),
        1 => "\"[0-2ab]?\"",
        1 => prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(str::to_owned),
        1 => prop_oneof![Just("running"), Just("stopped")].prop_map(|s| format!("\"{s}\"")),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            items.prop_map(|items| format!("[{}]", items.join(","))),
            inner
                .clone()
                .prop_map(|value| format!(r#"{{"a":{value}}}"#)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#)),
            (inner.clone(), inner).prop_map(|(a, b)| format!(r#"{{"b":{b},"a":{a}}}"#)),
        ]
    })
}

/// The text of an object with some of a few fields, each once.
fn fields() -> impl Strategy<Value = String> {
    let field = || prop::option::of(value());
    (field(), field(), field()).prop_map(|fields| {
        let fields = [("pool", fields.0), ("id", fields.1), ("state", fields.2)];
        let fields = fields.map(|(name, value)| Some(format!(r#""{name}":{}"#, value?)));
        let fields: Vec<_> = fields.into_iter().flatten().collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn filters_say_what_the_oracle_says(
        types in prop_oneof![
            Just(""), Just(r#""type":"state","#), Just(r#""type":["mine","state"],"#),
        ],
        wanted in fields(),
        kind in prop_oneof![Just("state"), Just("mine"), Just("db")],
        found in fields(),
    ) {
        let filter: Value = serde_json::from_str(&format!(r#"{{{types}"opts":{wanted}}}"#)).unwrap();
        let event: Value = serde_json::from_str(&format!(r#"{{"type":"{kind}","opts":{found}}}"#)).unwrap();
        let fields = filter["opts"].as_object().unwrap();
        if fields.values().any(|value| value == &json!([])) {
            prop_assert!(Filter::try_from(&filter).is_err(), "one of no values");
        } else {
            let says = Filter::try_from(&filter).unwrap().matches(&event.clone().try_into().unwrap());
            prop_assert_eq!(says, naive(&filter, &event));
        }
    }

    #[test]
    fn values_are_the_same_as_the_oracle_says(
        (a, b) in prop_oneof![(number(), number()), (value(), value())]
    ) {
        let (a, b): (Value, Value) =
            (serde_json::from_str(&a).unwrap(), serde_json::from_str(&b).unwrap());
        let event = Event::new("mine", json!({"x": b}));
        prop_assert_eq!(Filter::new().field("x", a.clone()).matches(&event), same(&a, &event.opts()["x"]));
        prop_assert!(Filter::new().field("x", event.opts()["x"].clone()).matches(&event));
    }

    #[test]
    fn hostile_filters_are_an_error_or_a_filter(parts in fields(), key in "[a-z]{0,5}") {
        for text in [parts.clone(), format!(r#"{{"{key}":{parts}}}"#), format!("[{parts}]")] {
            let value: Value = serde_json::from_str(&text).unwrap();
            let known = value.as_object().is_some_and(|parts| {
                parts.keys().all(|key| key == "type" || key == "opts")
            });
            prop_assert!(known || Filter::try_from(&value).is_err());
        }
    }
}
