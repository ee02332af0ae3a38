//! A service: its order, and how it is undone from each step.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus_host::{
    BoxError, ConsumerFn, HookError, Manager, MemoryRegistry, Panicked, RegistryError, Service,
    ServiceBuilder, ServiceId, ServiceRecord, ServiceRegistry, StartError, Step, Version,
};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// What happened, in order, and what is to go wrong.
#[derive(Default)]
struct Script {
    log: Mutex<Vec<String>>,
    errors: Vec<&'static str>,
    panics: Vec<&'static str>,
    records: MemoryRegistry,
}

impl Script {
    fn at(&self, what: &str) -> Result<(), BoxError> {
        self.log.lock().unwrap().push(what.to_owned());
        if self.panics.contains(&what) {
            panic!("{what} panics");
        }
        if self.errors.contains(&what) {
            return Err(format!("{what} fails").into());
        }
        Ok(())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

struct Scripted(Arc<Script>);

impl Manager for Scripted {
    fn host(&self) -> String {
        "here".into()
    }
    fn service_name(&self) -> String {
        "scripted".into()
    }
    fn version(&self) -> Version {
        Version::new(1, 2)
    }
    fn init_host(&self) -> Result<(), HookError> {
        self.0.at("init_host")
    }
    fn pre_start_hook(&self) -> Result<(), HookError> {
        self.0.at("pre_start_hook")
    }
    fn post_start_hook(&self) -> Result<(), HookError> {
        self.0.at("post_start_hook")
    }
    fn cleanup_host(&self) -> Result<(), HookError> {
        self.0.at("cleanup_host")
    }
}

/// Writes down what is asked of it, then does it.
struct ScriptedRegistry(Arc<Script>);

impl ServiceRegistry for ScriptedRegistry {
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError> {
        self.0.at("create").map_err(RegistryError::Other)?;
        self.0.records.create(id, version)
    }
    fn join(&self, id: &ServiceId) -> Result<(), RegistryError> {
        self.0.at("join").map_err(RegistryError::Other)?;
        self.0.records.join(id)
    }
    fn beat(&self, id: &ServiceId) -> Result<(), RegistryError> {
        self.0.records.beat(id)
    }
    fn leave(&self, id: &ServiceId) -> Result<(), RegistryError> {
        self.0.at("leave").map_err(RegistryError::Other)?;
        self.0.records.leave(id)
    }
    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError> {
        self.0.at("remove").map_err(RegistryError::Other)?;
        self.0.records.remove(id)
    }
    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError> {
        self.0.records.list()
    }
}

fn scripted(script: &Arc<Script>) -> ServiceBuilder<Scripted> {
    let part = |name: &'static str| {
        let (one, other) = (Arc::clone(script), Arc::clone(script));
        let stop = format!("stop {name}");
        ConsumerFn::new(name, move |_| one.at(name), move || other.at(&stop))
    };
    Service::builder(Arc::new(Scripted(Arc::clone(script))))
        .registry(ScriptedRegistry(Arc::clone(script)))
        .server(part("server"))
        .consumer(part("consumer 1"))
        .consumer(part("consumer 2"))
        .periodic_timer(false)
}

const START: [&str; 8] = [
    "init_host",
    "create",
    "pre_start_hook",
    "consumer 1",
    "consumer 2",
    "server",
    "post_start_hook",
    "join",
];
const STOP: [&str; 5] = [
    "leave",
    "stop server",
    "stop consumer 2",
    "stop consumer 1",
    "cleanup_host",
];

#[test]
fn a_start_and_a_stop_are_in_order_and_may_be_repeated() {
    let script = Arc::new(Script::default());
    let service = scripted(&script).build();
    assert!(!service.is_running());
    for _ in 0..2 {
        service.start().unwrap();
        assert!(service.is_running());
        assert_eq!(script.take(), START);
        service.stop();
        assert!(!service.is_running());
        assert_eq!(script.take(), STOP);
        service.wait();
    }
    let records = script.records.list().unwrap();
    assert_eq!(records.len(), 1, "a stop keeps the record");
    assert!(!records[0].member);
}

/// Each step of a start, with what is undone when it fails.
fn failures() -> Vec<(&'static str, Step, Vec<&'static str>)> {
    let consumer = |number| Step::Consumer(format!("consumer {number}"));
    let undone = |stops: &[&'static str]| [stops, &["remove", "cleanup_host"]].concat();
    vec![
        ("init_host", Step::InitHost, vec![]),
        ("create", Step::CreateRecord, vec!["cleanup_host"]),
        ("pre_start_hook", Step::PreStartHook, undone(&[])),
        ("consumer 1", consumer(1), undone(&[])),
        ("consumer 2", consumer(2), undone(&["stop consumer 1"])),
        ("server", Step::Server("server".into()), undone(&STOP[2..4])),
        ("post_start_hook", Step::PostStartHook, undone(&STOP[1..4])),
        ("join", Step::Join, undone(&STOP[1..4])),
    ]
}

fn fails_at(script: Script, at: &str, step: &Step, undone: &[&str]) -> BoxError {
    let script = Arc::new(script);
    let service = scripted(&script).build();
    let error = service.start().unwrap_err();
    let StartError::Failed {
        step: failed,
        source,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(failed, *step);
    let begun = START.iter().position(|one| *one == at).unwrap();
    assert_eq!(script.take(), [&START[..=begun], undone].concat());
    assert!(!service.is_running());
    assert_eq!(script.records.list().unwrap(), []);
    service.wait();
    service.stop();
    assert_eq!(script.take(), [""; 0], "nothing is left to stop");
    source
}

#[test]
fn an_error_at_any_step_undoes_what_was_started_in_reverse() {
    for (at, step, undone) in failures() {
        let errors = vec![at];
        let script = Script {
            errors,
            ..Script::default()
        };
        let source = fails_at(script, at, &step, &undone);
        assert_eq!(source.to_string(), format!("{at} fails"));
    }
}

#[test]
fn a_panic_at_any_step_does_too() {
    for (at, step, undone) in failures() {
        let panics = vec![at];
        let script = Script {
            panics,
            ..Script::default()
        };
        let source = fails_at(script, at, &step, &undone);
        let message = &source.downcast_ref::<Panicked>().unwrap().message;
        assert_eq!(*message, format!("{at} panics"));
    }
}

#[test]
fn an_undo_that_fails_keeps_no_other_from_being_done() {
    let script = Arc::new(Script {
        errors: vec!["join", "stop consumer 2", "remove"],
        panics: vec!["stop server"],
        ..Script::default()
    });
    let service = scripted(&script).build();
    service.start().unwrap_err();
    let undone = [&STOP[1..4], &["remove", "cleanup_host"]].concat();
    assert_eq!(script.take(), [&START[..], &undone].concat());
}

#[test]
fn a_failed_start_keeps_the_record_of_an_earlier_run() {
    let script = Arc::new(Script {
        errors: vec!["post_start_hook"],
        ..Script::default()
    });
    let service = scripted(&script).build();
    script
        .records
        .create(service.id(), Version::new(1, 0))
        .unwrap();
    service.start().unwrap_err();
    assert!(!script.take().contains(&"remove".to_owned()));
    assert_eq!(script.records.list().unwrap().len(), 1);
}

#[test]
fn a_stop_swallows_errors_and_panics() {
    let script = Arc::new(Script {
        errors: vec!["leave", "stop consumer 1", "cleanup_host"],
        panics: vec!["stop server", "stop consumer 2"],
        ..Script::default()
    });
    let service = scripted(&script).build();
    service.start().unwrap();
    script.take();
    service.stop();
    assert_eq!(script.take(), STOP);
    assert!(!service.is_running());
    service.start().unwrap();
}

#[test]
fn a_kill_stops_and_removes_the_record() {
    let script = Arc::new(Script::default());
    let service = scripted(&script).build();
    service.start().unwrap();
    script.take();
    service.kill().unwrap();
    assert_eq!(script.take(), [&STOP[..], &["remove"]].concat());
    assert_eq!(script.records.list().unwrap(), []);
    service.kill().unwrap(); // none is there, which is as it should be
    assert_eq!(script.take(), ["remove"]);
}

#[test]
fn a_kill_tells_that_the_record_is_still_there() {
    let errors = vec!["remove"];
    let script = Arc::new(Script {
        errors,
        ..Script::default()
    });
    let service = scripted(&script).build();
    service.start().unwrap();
    let error = service.kill().unwrap_err();
    assert_eq!(error.to_string(), "remove fails");
    assert!(!service.is_running());
}

#[test]
fn a_service_that_runs_cannot_be_started() {
    let script = Arc::new(Script::default());
    let service = scripted(&script).build();
    service.start().unwrap();
    script.take();
    assert!(matches!(service.start(), Err(StartError::NotStopped)));
    assert_eq!(script.take(), [""; 0]);
    assert!(service.is_running());
}

#[test]
fn dropping_a_service_stops_it() {
    let script = Arc::new(Script::default());
    let service = scripted(&script).build();
    service.start().unwrap();
    script.take();
    drop(service);
    assert_eq!(script.take(), STOP);
}

/// Stops its own service in a hook.
#[derive(Default)]
struct Fickle {
    service: OnceLock<Weak<Service<Fickle>>>,
    cleanups: Mutex<u32>,
    last_hook: bool,
}

impl Fickle {
    fn stop(&self) {
        let service = self.service.get().and_then(Weak::upgrade);
        service.unwrap().stop();
    }
}

impl Manager for Fickle {
    fn pre_start_hook(&self) -> Result<(), HookError> {
        if !self.last_hook {
            self.stop();
        }
        Ok(())
    }
    fn cleanup_host(&self) -> Result<(), HookError> {
        *self.cleanups.lock().unwrap() += 1;
        Ok(())
    }
}

#[test]
fn a_stop_during_a_start_undoes_it() {
    for last_hook in [false, true] {
        let manager = Arc::new(Fickle {
            last_hook,
            ..Fickle::default()
        });
        let records = Arc::new(MemoryRegistry::new());
        // In the last step: the sink of the first report.
        let reporter = Arc::clone(&manager);
        let service = Service::builder(Arc::clone(&manager))
            .registry(Arc::clone(&records))
            .on_capabilities(move |_| reporter.stop())
            .build();
        let service = Arc::new(service);
        manager.service.set(Arc::downgrade(&service)).unwrap();
        let any = serde_json::Map::new();
        service.capabilities().update_service_capabilities(any);
        assert!(matches!(service.start(), Err(StartError::Stopped)));
        assert!(!service.is_running());
        assert_eq!(*manager.cleanups.lock().unwrap(), 1);
        assert_eq!(records.list().unwrap(), []);
        service.wait();
    }
}
