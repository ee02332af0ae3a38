//! Dispatch: every error, every order, every version.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use proptest::prelude::*;
use ringbus_host::{
    Api, BoxError, CallError, Caller, Client, Context, DispatchError, Dispatcher, InProcess,
    JsonSerializer, Methods, NoArgs, Panicked, Request, Serializer, Transport, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    one: i64,
    other: i64,
}

struct Adder;

impl Adder {
    fn add(&self, _: &Context, args: Add) -> Result<i64, BoxError> {
        let sum = args.one.checked_add(args.other);
        sum.ok_or_else(|| "too much".into())
    }

    fn methods() -> Methods<Self> {
        let mut methods = Methods::new();
        methods.add("add", Self::add);
        methods
    }
}

/// One method, `which`, that says whose it is.
fn which(whose: &'static str, version: Version) -> Api {
    let mut methods = Methods::new();
    methods.add("which", move |(): &(), _: &Context, _: NoArgs| {
        Ok::<_, BoxError>(whose)
    });
    Api::new(version, Arc::new(()), methods)
}

fn dispatcher(apis: Vec<Api>) -> Arc<Dispatcher> {
    Arc::new(Dispatcher::new(apis, Arc::new(JsonSerializer)))
}

fn adder() -> Arc<Dispatcher> {
    dispatcher(vec![Api::new(
        Version::new(1, 3),
        Arc::new(Adder),
        Adder::methods(),
    )])
}

fn client(dispatcher: &Arc<Dispatcher>) -> Client {
    Client::new(Arc::new(InProcess::new(Arc::clone(dispatcher)).unwrap()))
}

fn request(text: &str) -> Request {
    serde_json::from_str(text).unwrap()
}

fn local() -> Context {
    Context::local("test")
}

#[test]
fn a_method_is_called_with_its_arguments() {
    let add = request(r#"{"method": "add", "args": {"one": 2, "other": 3}}"#);
    assert_eq!(adder().dispatch(&local(), add).unwrap(), json!(5));
}

#[test]
fn each_error_is_its_own() {
    let fails = |text: &str| adder().dispatch(&local(), request(text)).unwrap_err();
    let bad = fails(r#"{"method": "add", "version": "one"}"#);
    assert!(matches!(&bad, DispatchError::BadVersion(error) if error.text == "one"));

    let unsupported = fails(r#"{"method": "add", "version": "1.4"}"#);
    let DispatchError::UnsupportedVersion { namespace, asked } = unsupported else {
        panic!("{unsupported:?}")
    };
    assert_eq!((namespace, asked), (None, Version::new(1, 4)));
    let foreign = fails(r#"{"method": "add", "namespace": "moon"}"#);
    assert_eq!(
        foreign.to_string(),
        "no API of \"moon\" that is compatible with version 1.0"
    );

    let none = fails(r#"{"method": "subtract"}"#);
    assert!(matches!(&none, DispatchError::NoSuchMethod { method } if method == "subtract"));

    for args in [
        r#"{}"#,
        r#"null"#,
        r#"7"#,
        r#"{"one": 1, "other": "x"}"#,
        r#"{"one": 1, "other": 2, "third": 3}"#,
    ] {
        let bad = fails(&format!(r#"{{"method": "add", "args": {args}}}"#));
        assert!(
            matches!(bad, DispatchError::BadArguments { .. }),
            "{args}: {bad}"
        );
    }

    let own = fails(r#"{"method": "add", "args": {"one": 9223372036854775807, "other": 1}}"#);
    assert!(matches!(own, DispatchError::Method { .. }));
    assert_eq!(own.to_string(), "add: too much");
}

#[test]
fn a_panic_is_the_methods_own_error() {
    let mut methods = Methods::new();
    methods.add("panic", |(): &(), _: &Context, _: NoArgs| {
        if true {
            panic!("inside");
        }
        Ok::<_, BoxError>(())
    });
    let dispatcher = dispatcher(vec![
        Api::new(Version::default(), Arc::new(()), methods),
        which("beside", Version::default()),
    ]);
    for _ in 0..2 {
        let error = dispatcher.dispatch(&local(), Request::new("panic"));
        let Err(DispatchError::Method { method, source }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(method, "panic");
        assert_eq!(source.downcast_ref::<Panicked>().unwrap().message, "inside");
    }
    let beside = dispatcher.dispatch(&local(), Request::new("which"));
    assert_eq!(beside.unwrap(), json!("beside"));
}

#[test]
fn a_result_that_cannot_be_sent_is_told_apart() {
    let mut methods = Methods::new();
    methods.add("odd", |(): &(), _: &Context, _: NoArgs| {
        Ok::<_, BoxError>(std::collections::BTreeMap::from([((1, 2), 3)]))
    });
    let dispatcher = dispatcher(vec![Api::new(Version::default(), Arc::new(()), methods)]);
    let error = dispatcher.dispatch(&local(), Request::new("odd"));
    assert!(matches!(error, Err(DispatchError::BadResult { method, .. }) if method == "odd"));
}

#[test]
fn the_first_compatible_api_with_the_method_is_called() {
    let apis = vec![
        which("too new", Version::new(2, 0)),
        which("elsewhere", Version::new(1, 9)).with_namespace("x"),
        Api::new(Version::new(1, 9), Arc::new(Adder), Adder::methods()),
        which("first", Version::new(1, 1)),
        which("second", Version::new(1, 2)),
    ];
    let dispatcher = dispatcher(apis);
    let asks = |version: &str| {
        let text = format!(r#"{{"method": "which", "version": "{version}"}}"#);
        dispatcher.dispatch(&local(), request(&text))
    };
    assert_eq!(asks("1.0").unwrap(), json!("first"));
    assert_eq!(asks("1.1").unwrap(), json!("first"));
    assert_eq!(asks("1.2").unwrap(), json!("second"));
    assert_eq!(asks("2.0").unwrap(), json!("too new"));
    // Compatible, though it has no such method: the version is not what is wrong.
    assert!(matches!(
        asks("1.3"),
        Err(DispatchError::NoSuchMethod { .. })
    ));
    assert!(matches!(
        asks("2.1"),
        Err(DispatchError::UnsupportedVersion { .. })
    ));
}

#[test]
fn the_context_reaches_the_method() {
    let (seen, contexts) = mpsc::channel();
    let mut methods = Methods::new();
    methods.add("look", move |(): &(), context: &Context, _: NoArgs| {
        seen.send(context.clone())
    });
    let dispatcher = dispatcher(vec![Api::new(Version::default(), Arc::new(()), methods)]);
    let (pid, uid, gid) = (1, 2, 3);
    let deadline = Instant::now() + Duration::from_secs(3600);
    let context = Context::new(Caller::Peer { pid, uid, gid })
        .with_request_id("req-1")
        .with_deadline(deadline);
    dispatcher.dispatch(&context, Request::new("look")).unwrap();
    assert_eq!(contexts.try_recv(), Ok(context.clone()));

    let late = context.with_deadline(Instant::now());
    let error = dispatcher.dispatch(&late, Request::new("look"));
    assert!(matches!(error, Err(DispatchError::DeadlineExceeded { method }) if method == "look"));
    assert!(contexts.try_recv().is_err(), "it was not begun");
}

#[test]
fn a_client_calls_and_is_told_the_servers_error() {
    let client = client(&adder());
    let add = Add { one: 2, other: 3 };
    assert_eq!(client.call::<_, i64>(&local(), "add", &add).unwrap(), 5);

    let text = client.call::<_, String>(&local(), "add", &add);
    assert!(matches!(text, Err(CallError::BadResult { .. })));
    let none = client.call::<_, Value>(&local(), "none", NoArgs {});
    let Err(CallError::Dispatch(DispatchError::NoSuchMethod { method })) = none else {
        panic!("{none:?}")
    };
    assert_eq!(method, "none");
    let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
    let unsent = client.call::<_, Value>(&local(), "add", odd);
    assert!(matches!(unsent, Err(CallError::BadArguments { .. })));
    let elsewhere = client.with_namespace("x");
    let unsupported = elsewhere.call::<_, i64>(&local(), "add", &add);
    assert!(matches!(
        unsupported,
        Err(CallError::Dispatch(DispatchError::UnsupportedVersion { namespace, .. }))
            if namespace.as_deref() == Some("x")
    ));
}

#[test]
fn a_cast_runs_in_order_and_tells_nobody() {
    let (ran, runs) = mpsc::channel();
    let mut methods = Methods::new();
    methods.add("note", move |(): &(), _: &Context, number: u32| {
        ran.send(number)?;
        if number == 1 {
            Err("odd".into())
        } else {
            Ok::<_, BoxError>(())
        }
    });
    let client = client(&dispatcher(vec![Api::new(
        Version::default(),
        Arc::new(()),
        methods,
    )]));
    for number in 0..3 {
        client.cast(&local(), "note", number).unwrap();
    }
    client.cast(&local(), "nobody has it", ()).unwrap();
    client.cast(&local(), "note", 3).unwrap();
    assert_eq!(runs.iter().take(4).collect::<Vec<_>>(), [0, 1, 2, 3]);
    drop(client);
    assert_eq!(runs.iter().count(), 0, "the thread ends with the transport");
}

#[test]
fn casts_wait_in_bounded_memory_and_outlive_the_transport() {
    let (begun, begins) = mpsc::channel();
    let (release, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    let mut methods = Methods::new();
    methods.add("wait", move |(): &(), _: &Context, _: NoArgs| {
        begun.send(())?;
        let _ = stuck.lock().unwrap().recv();
        Ok::<_, BoxError>(())
    });
    let client = client(&dispatcher(vec![Api::new(
        Version::default(),
        Arc::new(()),
        methods,
    )]));
    let cast = || client.cast(&local(), "wait", ());
    cast().unwrap();
    begins.recv().unwrap();
    for _ in 0..1024 {
        cast().unwrap();
    }
    assert!(matches!(cast(), Err(CallError::Full { limit: 1024 })));
    drop(client);
    drop(release);
    assert_eq!(begins.iter().count(), 1024);
}

/// Takes what it is given, so that a test sees whether anything was sent.
#[derive(Default)]
struct Recorder(Mutex<Vec<Request>>);

impl Transport for Recorder {
    fn call(&self, context: &Context, request: Request) -> Result<Value, CallError> {
        self.cast(context, request)?;
        Err(CallError::Transport("not answered".into()))
    }

    fn cast(&self, _: &Context, request: Request) -> Result<(), CallError> {
        self.0.lock().unwrap().push(request);
        Ok(())
    }
}

#[test]
fn a_client_sends_nothing_beyond_its_cap() {
    let sent = Arc::new(Recorder::default());
    let client = Client::new(Arc::clone(&sent) as Arc<dyn Transport>);
    assert!(client.can_send_version(Version::new(9, 9)));
    let capped = client.with_version_cap(Version::new(1, 2));
    assert!(capped.can_send_version(Version::new(1, 2)));
    assert!(!capped.can_send_version(Version::new(1, 3)));
    assert!(!capped.can_send_version(Version::new(2, 0)));

    let beyond = capped.clone().with_version(Version::new(1, 3));
    let call = beyond.call::<_, Value>(&local(), "m", ());
    let cast = beyond.cast(&local(), "m", ());
    for error in [call.unwrap_err(), cast.unwrap_err()] {
        let CallError::VersionCap { asked, cap } = error else {
            panic!("{error:?}")
        };
        assert_eq!((asked, cap), (Version::new(1, 3), Version::new(1, 2)));
    }
    assert!(sent.0.lock().unwrap().is_empty());

    let within = capped.with_version(Version::new(1, 2)).with_namespace("x");
    let unanswered = within.call::<_, Value>(&local(), "m", ());
    assert!(matches!(unanswered, Err(CallError::Transport(_))));
    let mut expected = Request::new("m");
    expected.namespace = Some("x".into());
    expected.version = "1.2".into();
    assert_eq!(*sent.0.lock().unwrap(), [expected]);
}

/// Sends everything in an envelope, and refuses the word "secret".
struct Envelope;

impl Serializer for Envelope {
    fn serialize(&self, context: &Context, value: Value) -> Result<Value, BoxError> {
        if value == json!("secret") {
            return Err("secret".into());
        }
        Ok(json!({"for": context.request_id, "content": value}))
    }

    fn deserialize(&self, context: &Context, mut value: Value) -> Result<Value, BoxError> {
        if value["for"] != json!(context.request_id) {
            return Err("not in an envelope".into());
        }
        Ok(value["content"].take())
    }
}

#[test]
fn the_serializer_can_be_replaced() {
    let mut methods = Adder::methods();
    methods.add("secret", |_: &Adder, _: &Context, _: NoArgs| {
        Ok::<_, BoxError>("secret")
    });
    let api = Api::new(Version::default(), Arc::new(Adder), methods);
    let dispatcher = Arc::new(Dispatcher::new(vec![api], Arc::new(Envelope)));
    let context = local().with_request_id("req-7");
    let plain = client(&dispatcher);
    let sealed = plain.clone().with_serializer(Envelope);
    let add = Add { one: 2, other: 3 };
    assert_eq!(sealed.call::<_, i64>(&context, "add", &add).unwrap(), 5);

    let refused = plain.call::<_, i64>(&context, "add", &add);
    assert!(matches!(
        refused,
        Err(CallError::Dispatch(DispatchError::BadArguments { .. }))
    ));
    let secret = sealed.call::<_, String>(&context, "secret", NoArgs {});
    assert!(matches!(
        secret,
        Err(CallError::Dispatch(DispatchError::BadResult { .. }))
    ));
    let mut args = Request::new("add");
    args.args = json!({"for": "req-7", "content": add});
    let raw = dispatcher.dispatch(&context, args).unwrap();
    assert_eq!(raw, json!({"for": "req-7", "content": 5}));
}

#[test]
fn of_one_name_the_last_method_stands() {
    let mut methods = Methods::new();
    for number in [1, 2] {
        methods.add("number", move |(): &(), _: &Context, _: NoArgs| {
            Ok::<_, BoxError>(number)
        });
    }
    let dispatcher = dispatcher(vec![Api::new(Version::default(), Arc::new(()), methods)]);
    let number = dispatcher.dispatch(&local(), Request::new("number"));
    assert_eq!(number.unwrap(), json!(2));
}

proptest! {
    /// Against the rule itself, for servers and requests of versions that are often close to each other.
    #[test]
    fn a_request_is_served_by_the_same_major_and_no_lower_minor(
        server in (0_u32..4, 0_u32..4),
        asked in (0_u32..4, 0_u32..4),
        namespaces in (0_u8..2, 0_u8..2),
    ) {
        let version = Version::new(server.0, server.1);
        let mut api = which("it", version);
        if namespaces.0 == 1 {
            api = api.with_namespace("x");
        }
        let mut request = Request::new("which");
        request.version = format!("{}.{}", asked.0, asked.1);
        request.namespace = (namespaces.1 == 1).then(|| "x".to_owned());
        let served = dispatcher(vec![api]).dispatch(&local(), request);
        let compatible = namespaces.0 == namespaces.1 && server.0 == asked.0 && server.1 >= asked.1;
        match served {
            Ok(value) => prop_assert!(compatible && value == json!("it")),
            Err(DispatchError::UnsupportedVersion { .. }) => prop_assert!(!compatible),
            Err(other) => prop_assert!(false, "{other}"),
        }
        let capped = Client::new(Arc::new(Recorder::default())).with_version_cap(version);
        let may = server.0 == asked.0 && server.1 >= asked.1;
        prop_assert_eq!(capped.can_send_version(Version::new(asked.0, asked.1)), may);
    }

    #[test]
    fn no_text_of_a_version_does_harm(text in ".*") {
        let mut request = Request::new("which");
        request.version = text;
        let served = dispatcher(vec![which("it", Version::default())]).dispatch(&local(), request);
        let expected = matches!(
            served,
            Ok(_) | Err(DispatchError::BadVersion(_) | DispatchError::UnsupportedVersion { .. })
        );
        prop_assert!(expected);
    }
}
