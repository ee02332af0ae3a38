//! The methods of a service: the host's additional ones, its manager's, those that every service has.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus_host::{
    Api, BoxError, Client, ConsumerFn, Context, InProcess, Manager, Methods, NoArgs, Service,
    Version,
};
use serde_json::{Value, json};
use std::sync::{Arc, mpsc};

/// A manager whose methods shadow those of others, and are shadowed.
struct Methodical;

impl Manager for Methodical {
    fn service_name(&self) -> String {
        "methodical".into()
    }
    fn version(&self) -> Version {
        Version::new(1, 5)
    }
    fn methods(&self, methods: &mut Methods<Self>) {
        for name in ["own", "shared"] {
            methods.add(name, |_: &Self, _: &Context, _: NoArgs| {
                Ok::<_, BoxError>("manager")
            });
        }
    }
}

#[test]
fn additional_apis_come_before_the_managers_and_the_base_api_last() {
    let additional = |namespace: Option<&str>, name: &str| {
        let mut methods = Methods::new();
        methods.add(name, |(): &(), _: &Context, _: NoArgs| {
            Ok::<_, BoxError>("additional")
        });
        let api = Api::new(Version::new(1, 1), Arc::new(()), methods);
        match namespace {
            Some(namespace) => api.with_namespace(namespace),
            None => api,
        }
    };
    let service = Service::builder(Arc::new(Methodical))
        .api(additional(None, "shared"))
        .api(additional(Some("baseapi"), "get_backdoor_port"))
        .backdoor_port(4444)
        .build();
    let transport = InProcess::new(Arc::clone(service.dispatcher())).unwrap();
    let client = Client::new(Arc::new(transport));
    let context = Context::local("test");
    let call = |client: &Client, method: &str, args: Value| -> Value {
        client.call(&context, method, args).unwrap()
    };
    assert_eq!(call(&client, "shared", json!({})), "additional");
    assert_eq!(call(&client, "own", json!({})), "manager");
    // Newer than the additional one knows: the manager's.
    let newer = client.clone().with_version(Version::new(1, 2));
    assert_eq!(call(&newer, "shared", json!({})), "manager");
    let base = client.with_namespace("baseapi");
    let pong = call(&base, "ping", json!({"arg": [1, "x"]}));
    assert_eq!(pong, json!({"service": "methodical", "arg": [1, "x"]}));
    assert_eq!(call(&base, "get_backdoor_port", json!({})), "additional");
}

#[test]
fn the_base_api_tells_the_backdoor_port() {
    struct Bare;
    impl Manager for Bare {}
    let tells = |service: Service<Bare>, version| {
        let transport = InProcess::new(Arc::clone(service.dispatcher())).unwrap();
        let client = Client::new(Arc::new(transport)).with_namespace("baseapi");
        let client = client.with_version(version);
        client.call::<_, Option<u16>>(&Context::local("test"), "get_backdoor_port", NoArgs {})
    };
    let bare = || Service::builder(Arc::new(Bare));
    let version = Version::new(1, 1);
    assert_eq!(tells(bare().build(), version).unwrap(), None);
    let with = bare().backdoor_port(4444).build();
    assert_eq!(tells(with, version).unwrap(), Some(4444));
    assert!(tells(bare().build(), Version::new(1, 2)).is_err());
}

#[test]
fn a_server_is_given_the_dispatcher() {
    let (given, dispatchers) = mpsc::channel();
    let server = ConsumerFn::new(
        "server",
        move |dispatcher: &Arc<_>| Ok(given.send(Arc::clone(dispatcher))?),
        || Ok(()),
    );
    let service = Service::builder(Arc::new(Methodical))
        .server(Arc::new(server))
        .build();
    service.start().unwrap();
    assert!(Arc::ptr_eq(
        &dispatchers.recv().unwrap(),
        service.dispatcher()
    ));
}
