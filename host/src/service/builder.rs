//! How a service is put together.

use super::consumer::Consumer;
use super::instance::{Service, Settings};
use super::state::State;
use crate::capabilities::{
    Capabilities, CapabilitiesPublisher, CapabilitiesReport, CapabilityUpdate, Sink,
};
use crate::contain::BoxError;
use crate::dispatch::{
    Api, Context, Dispatcher, JsonSerializer, Methods, NoArgs, Serializer, base_api,
};
use crate::manager::Manager;
use crate::periodic::{PeriodicTask, PeriodicTasks, Spacing};
use crate::registry::{MemoryRegistry, ServiceId, ServiceRegistry};
use ringbus::{Clock, SystemClock};
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The choices of a [`Service`].
#[must_use = "a builder builds when it is told to"]
pub struct ServiceBuilder<M: Manager> {
    manager: Arc<M>,
    registry: Arc<dyn ServiceRegistry>,
    consumers: Vec<Box<dyn Consumer>>,
    servers: Vec<Box<dyn Consumer>>,
    apis: Vec<Api>,
    serializer: Arc<dyn Serializer>,
    backdoor_port: Option<u16>,
    capabilities: Arc<Capabilities>,
    sink: Box<Sink>,
    capabilities_spacing: Spacing,
    clock: Arc<dyn Clock>,
    external_tasks: bool,
    slow_after: Duration,
    settings: Settings,
}

impl<M: Manager> Service<M> {
    /// A builder with the defaults that its methods state.
    pub fn builder(manager: Arc<M>) -> ServiceBuilder<M> {
        ServiceBuilder::new(manager)
    }
}

impl<M: Manager> ServiceBuilder<M> {
    fn new(manager: Arc<M>) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            manager,
            registry: Arc::new(MemoryRegistry::new()),
            consumers: Vec::new(),
            servers: Vec::new(),
            apis: Vec::new(),
            serializer: Arc::new(JsonSerializer),
            backdoor_port: None,
            capabilities: Arc::new(Capabilities::new()),
            sink: Box::new(drop),
            capabilities_spacing: minute.into(),
            clock: Arc::new(SystemClock::new()),
            external_tasks: false,
            slow_after: minute,
            settings: Settings {
                timer: true,
                fuzzy_delay: minute,
                heartbeat: Duration::from_secs(10),
            },
        }
    }

    /// Where the service is known. Default: a registry of its own, in memory.
    pub fn registry(mut self, registry: impl ServiceRegistry) -> Self {
        self.registry = Arc::new(registry);
        self
    }

    /// Adds a consumer or a worker; they are started in the order in which they are added.
    pub fn consumer(mut self, consumer: impl Consumer) -> Self {
        self.consumers.push(Box::new(consumer));
        self
    }

    /// Adds a server, such as a [`ServerConsumer`](crate::ServerConsumer); they are started in the order in which they are
    /// added, after the consumers.
    pub fn server(mut self, server: impl Consumer) -> Self {
        self.servers.push(Box::new(server));
        self
    }

    /// Adds an API that comes before the manager's own.
    pub fn api(mut self, api: Api) -> Self {
        self.apis.push(api);
        self
    }

    /// What arguments and results pass through. Default: [`JsonSerializer`].
    pub fn serializer(mut self, serializer: impl Serializer) -> Self {
        self.serializer = Arc::new(serializer);
        self
    }

    /// What `get_backdoor_port` tells. Default: none.
    pub fn backdoor_port(mut self, port: u16) -> Self {
        self.backdoor_port = Some(port);
        self
    }

    /// The capabilities, for a manager that updates them itself. Default: the service's own.
    pub fn capabilities(mut self, capabilities: Arc<Capabilities>) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Takes the reports of capabilities. Default: nobody does. A panic of it is contained and logged.
    pub fn on_capabilities(
        mut self,
        sink: impl Fn(CapabilitiesReport) + Send + Sync + 'static,
    ) -> Self {
        self.sink = Box::new(sink);
        self
    }

    /// How far apart the reports of capabilities are. Default: 60 s. Negative: only on start, and when asked.
    pub fn capabilities_spacing(mut self, spacing: impl Into<Spacing>) -> Self {
        self.capabilities_spacing = spacing.into();
        self
    }

    /// Whether the service has a timer for periodic tasks. Default: yes. Without, the host calls
    /// [`run_periodic_tasks`](Service::run_periodic_tasks).
    pub fn periodic_timer(mut self, timer: bool) -> Self {
        self.settings.timer = timer;
        self
    }

    /// The timer's first pass comes after a random part of this, so that services that start at once do not work at
    /// once. Default: 60 s; zero turns it off.
    pub fn fuzzy_delay(mut self, most: Duration) -> Self {
        self.settings.fuzzy_delay = most;
        self
    }

    /// Whether periodic tasks that are external are run here. Default: no.
    pub fn external_tasks(mut self, allowed: bool) -> Self {
        self.external_tasks = allowed;
        self
    }

    /// How long a periodic task may run before it is reported as slow, and the others go on without it. Default: 60 s.
    pub fn slow_after(mut self, limit: Duration) -> Self {
        self.slow_after = limit;
        self
    }

    /// How far apart heartbeats are. Default: 10 s; zero turns them off.
    pub fn heartbeat(mut self, spacing: Duration) -> Self {
        self.settings.heartbeat = spacing;
        self
    }

    /// The clock that says when a periodic task is due. The timer sleeps by the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The service; nothing of it is started. Asks the manager for its names, tasks and methods; a panic of it there
    /// comes out here.
    pub fn build(self) -> Service<M> {
        let manager = self.manager;
        let id = ServiceId {
            host: manager.host(),
            service: manager.service_name(),
        };
        let version = manager.version();
        let publisher = Arc::new(CapabilitiesPublisher {
            id: id.clone(),
            capabilities: self.capabilities,
            sink: self.sink,
        });

        let mut tasks = PeriodicTasks::new(self.clock);
        tasks.allow_external(self.external_tasks);
        tasks.slow_after(self.slow_after);
        let task = PeriodicTask::new(PUBLISH, self.capabilities_spacing);
        let ours = Arc::clone(&publisher);
        tasks.add(task, move |_: &M| ours.publish().map(drop));
        manager.periodic_tasks(&mut tasks);

        let mut methods = Methods::new();
        add_capabilities(&mut methods, &publisher);
        manager.methods(&mut methods);
        let mut own = Api::new(version, Arc::clone(&manager), methods);
        if let Some(namespace) = manager.namespace() {
            own = own.with_namespace(namespace);
        }
        let mut apis = self.apis;
        apis.push(own);
        apis.push(base_api(id.service.clone(), self.backdoor_port));

        Service {
            manager,
            id,
            version,
            registry: self.registry,
            consumers: self.consumers,
            servers: self.servers,
            dispatcher: Arc::new(Dispatcher::new(apis, self.serializer)),
            tasks: Arc::new(tasks),
            publisher,
            settings: self.settings,
            state: State::new(),
            timers: Mutex::default(),
        }
    }
}

const PUBLISH: &str = "publish_service_capabilities";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    capabilities: CapabilityUpdate,
}

/// Part of the manager's own API, where it may have better ones.
fn add_capabilities<M>(methods: &mut Methods<M>, publisher: &Arc<CapabilitiesPublisher>) {
    let ours = Arc::clone(publisher);
    let publish = move |_: &M, _: &Context, _: NoArgs| -> Result<bool, BoxError> { ours.publish() };
    methods.add(PUBLISH, publish);
    let ours = Arc::clone(&publisher.capabilities);
    let update = move |_: &M, _: &Context, args: Update| -> Result<(), Infallible> {
        ours.update_service_capabilities(args.capabilities);
        Ok(())
    };
    methods.add("update_service_capabilities", update);
}

impl<M: Manager> fmt::Debug for ServiceBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
