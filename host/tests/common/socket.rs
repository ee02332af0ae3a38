//! A server in this process, its manager, and methods that can be waited for.
#![allow(dead_code, clippy::disallowed_types, clippy::unwrap_used)]

use crate::daemon::{Client, LONG, Scratch, told, until};
use ringbus::{Bus, Pinning};
use ringbus_host::{
    Api, BoxError, Caller, Context, Dispatcher, Event, EventManager, JsonSerializer, Methods,
    NoArgs, Server, ServerBuilder, Version,
};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// A server on a manager that runs one worker, and where it is.
pub(crate) struct Host {
    pub(crate) manager: EventManager,
    pub(crate) server: Option<Server>,
    pub(crate) scratch: Scratch,
}

impl Host {
    pub(crate) fn new(build: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::with_capacity(8192, build)
    }

    pub(crate) fn with_capacity(
        slots: usize,
        build: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let bus = Bus::builder()
            .capacity(slots)
            .pinning(Pinning::Off)
            .stop_timeout(LONG);
        let manager = EventManager::builder().bus(bus).build().unwrap();
        manager.start(1).unwrap();
        let scratch = Scratch::new();
        let builder = Server::builder(scratch.path("socket"), manager.clone())
            .version("7")
            .write_deadline(LONG)
            .drain_deadline(LONG);
        Host {
            manager,
            server: Some(build(builder).start().unwrap()),
            scratch,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::greeted(self.server().path())
    }

    pub(crate) fn report(&self, n: u64) {
        self.manager.report(Event::new("n", json!({ "n": n })));
    }

    /// Waits until nobody is connected.
    pub(crate) fn expect_empty(&self) {
        until("everybody is gone", || {
            let stats = self.server().stats();
            stats.clients == 0 && stats.subscriptions == 0
        });
        until("nobody is subscribed", || {
            self.manager.stats().bus.subscribers.is_empty()
        });
    }
}

pub(crate) fn number(n: u64) -> String {
    told("n", &format!(r#"{{"n":{n}}}"#))
}

pub(crate) fn management(id: u64, cmd: &str, opts: &str, state: &str) -> String {
    told(
        "management",
        &format!(r#"{{"id":{id},"cmd":"{cmd}","opts":{opts},"state":"{state}"}}"#),
    )
}

pub(crate) struct Methodical {
    began: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

impl Methodical {
    fn who(&self, context: &Context, _: NoArgs) -> Result<Value, BoxError> {
        let Caller::Peer { pid, uid, gid } = context.caller else {
            return Err("nobody".into());
        };
        Ok(json!([pid, uid, gid, context.request_id]))
    }

    fn fail(&self, _: &Context, _: NoArgs) -> Result<(), BoxError> {
        Err("as asked".into())
    }

    fn panic(&self, _: &Context, _: NoArgs) -> Result<(), BoxError> {
        panic!("as asked")
    }

    fn wait(&self, _: &Context, _: NoArgs) -> Result<&'static str, BoxError> {
        self.began.lock().unwrap().send(())?;
        self.go.lock().unwrap().recv()?;
        Ok("waited")
    }
}

pub(crate) fn dispatcher() -> (Arc<Dispatcher>, Receiver<()>, Sender<()>) {
    let (tell, began) = channel();
    let (go, wait) = channel();
    let target = Arc::new(Methodical {
        began: Mutex::new(tell),
        go: Mutex::new(wait),
    });
    let mut methods = Methods::new();
    methods.add("who", Methodical::who);
    methods.add("fail", Methodical::fail);
    methods.add("panic", Methodical::panic);
    methods.add("wait", Methodical::wait);
    let own = Api::new(Version::new(1, 2), Arc::clone(&target), methods);
    let mut others = Methods::new();
    others.add("ping", Methodical::who);
    let other = Api::new(Version::new(1, 0), target, others).with_namespace("other");
    let dispatcher = Dispatcher::new(vec![own, other], Arc::new(JsonSerializer));
    (Arc::new(dispatcher), began, go)
}
