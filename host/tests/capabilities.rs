//! Capabilities: when they are reported, and when not.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::ManualClock;
use ringbus_host::{
    Capabilities, CapabilitiesReport, Capability, Client, Context, InProcess, Manager, Service,
    ServiceBuilder,
};
use serde_json::{Value, json};
use std::sync::{Arc, mpsc};
use std::time::Duration;

struct Compute;

impl Manager for Compute {
    fn host(&self) -> String {
        "here".into()
    }
    fn service_name(&self) -> String {
        "compute".into()
    }
}

fn capability(name: &str) -> Capability {
    Capability::from_iter([("name".to_owned(), json!(name))])
}

fn report(names: &[&str]) -> Value {
    let capabilities: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"service": "compute", "host": "here", "capabilities": capabilities})
}

struct Bench {
    service: Service<Compute>,
    clock: ManualClock,
    reports: mpsc::Receiver<CapabilitiesReport>,
}

impl Bench {
    fn new(change: impl Fn(ServiceBuilder<Compute>) -> ServiceBuilder<Compute>) -> Self {
        let (sender, reports) = mpsc::channel();
        let clock = ManualClock::new();
        let builder = Service::builder(Arc::new(Compute))
            .clock(clock.clone())
            .periodic_timer(false)
            .on_capabilities(move |report| sender.send(report).unwrap());
        Self {
            service: change(builder).build(),
            clock,
            reports,
        }
    }

    fn pass_after(&self, seconds: u64) -> Vec<Value> {
        self.clock.advance(Duration::from_secs(seconds));
        self.service.run_periodic_tasks(true).unwrap();
        self.sent()
    }

    fn sent(&self) -> Vec<Value> {
        let reports = self.reports.try_iter();
        reports
            .map(|report| serde_json::to_value(report).unwrap())
            .collect()
    }

    fn update(&self, names: &[&str]) {
        let many: Vec<_> = names.iter().map(|name| capability(name)).collect();
        self.service
            .capabilities()
            .update_service_capabilities(many);
    }
}

#[test]
fn nothing_is_sent_before_there_are_any() {
    let bench = Bench::new(|builder| builder);
    bench.service.start().unwrap();
    assert_eq!(bench.pass_after(60), [json!(null); 0]);
    assert!(!bench.service.publish_service_capabilities());
    bench.update(&["a"]);
    assert_eq!(
        bench.sent(),
        [json!(null); 0],
        "an update alone sends nothing"
    );
    assert_eq!(bench.pass_after(60), [report(&["a"])]);
}

#[test]
fn they_are_sent_on_start_and_every_minute() {
    let bench = Bench::new(|builder| builder);
    bench.update(&["a", "b"]);
    bench.service.start().unwrap();
    assert_eq!(bench.sent(), [report(&["a", "b"])]);
    assert_eq!(bench.pass_after(0), [json!(null); 0], "once on start");
    assert_eq!(bench.pass_after(59), [json!(null); 0]);
    assert_eq!(bench.pass_after(1), [report(&["a", "b"])]);
    bench.update(&["c"]);
    assert_eq!(bench.pass_after(60), [report(&["c"])], "the latest");
}

#[test]
fn one_is_a_list_of_one_and_none_clears() {
    let bench = Bench::new(|builder| builder);
    bench.service.start().unwrap();
    let capabilities = bench.service.capabilities();
    capabilities.update_service_capabilities(capability("a"));
    assert_eq!(bench.pass_after(60), [report(&["a"])]);
    capabilities.update_service_capabilities(Vec::new());
    assert_eq!(bench.pass_after(60), [json!(null); 0]);
    capabilities.update_service_capabilities(capability("b"));
    assert_eq!(bench.pass_after(60), [report(&["b"])]);
    capabilities.update_service_capabilities(None::<Capability>);
    assert_eq!(bench.pass_after(60), [json!(null); 0]);
}

#[test]
fn the_period_is_the_hosts_choice() {
    let seven = Bench::new(|builder| builder.capabilities_spacing(7));
    seven.update(&["a"]);
    assert_eq!(seven.pass_after(6), [json!(null); 0]);
    assert_eq!(seven.pass_after(1), [report(&["a"])]);

    let each_pass = Bench::new(|builder| builder.capabilities_spacing(0));
    each_pass.update(&["a"]);
    assert_eq!(each_pass.pass_after(0), [report(&["a"])]);
    assert_eq!(each_pass.pass_after(0), [report(&["a"])]);

    let off = Bench::new(|builder| builder.capabilities_spacing(-1));
    off.update(&["a"]);
    assert_eq!(off.pass_after(3600), [json!(null); 0]);
    off.service.start().unwrap();
    assert_eq!(off.sent(), [report(&["a"])], "on start all the same");
}

#[test]
fn they_are_updated_and_published_over_dispatch() {
    let bench = Bench::new(|builder| builder);
    let transport = InProcess::new(Arc::clone(bench.service.dispatcher())).unwrap();
    let client = Client::new(Arc::new(transport));
    let context = Context::local("test");
    let publish = || -> bool {
        let method = "publish_service_capabilities";
        client.call(&context, method, ()).unwrap()
    };
    let update = |capabilities: Value| {
        let args = json!({"capabilities": capabilities});
        client.call::<_, ()>(&context, "update_service_capabilities", args)
    };
    assert!(!publish());
    update(json!({"name": "a"})).unwrap();
    assert!(publish());
    assert_eq!(bench.sent(), [report(&["a"])]);
    update(json!([{"name": "b"}, {"name": "c"}])).unwrap();
    assert!(publish());
    assert_eq!(bench.sent(), [report(&["b", "c"])]);
    let error = update(json!(["b"])).unwrap_err().to_string();
    assert!(
        error.ends_with(r#"a capability is an object, not "b""#),
        "{error}"
    );
    assert!(publish(), "the earlier ones stand");
    update(json!(null)).unwrap();
    assert!(!publish());
    assert_eq!(bench.sent(), [report(&["b", "c"])]);
}

#[test]
fn a_late_subscriber_reads_the_latest() {
    let shared = Arc::new(Capabilities::new());
    let theirs = Arc::clone(&shared);
    let bench = Bench::new(move |builder| builder.capabilities(Arc::clone(&theirs)));
    bench.service.start().unwrap();
    assert_eq!(bench.service.capabilities().latest(), None);
    shared.update_service_capabilities(capability("a"));
    let latest = bench.service.capabilities().latest().unwrap();
    shared.update_service_capabilities(capability("b"));
    assert_eq!(*latest, [capability("a")], "what was read stays as it was");
    let latest = bench.service.capabilities().latest().unwrap();
    assert_eq!(*latest, [capability("b")]);
}

#[test]
fn a_sink_that_panics_harms_nobody() {
    let bench = Bench::new(|builder| builder.on_capabilities(|_| panic!("sink")));
    bench.update(&["a"]);
    bench.service.start().unwrap();
    assert!(!bench.service.publish_service_capabilities());
    bench.clock.advance(Duration::from_secs(60));
    let failure = bench.service.run_periodic_tasks(true).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "periodic task publish_service_capabilities: panicked: sink"
    );
}
