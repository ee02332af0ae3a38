//! A service with hooks, a consumer of bus events, a periodic task, methods that clients of a socket call, and
//! capabilities, until SIGTERM or SIGINT:
//!
//! ```console
//! $ cargo run --package ringbus-host --example service -- --seconds 3
//! ```
#![allow(clippy::disallowed_types)] // a host uses what it likes

use clap::Parser;
use ringbus::{Bus, HandlerGuard, SubscribeOptions};
use ringbus_host::{
    BoxError, CapabilitiesReport, Client, Command, Consumer, ConsumerFn, Context, Event,
    EventManager, HookError, InProcess, Line, LineReader, Manager, MemoryRegistry, Methods,
    PeriodicTask, PeriodicTasks, Reply, Server, ServerConsumer, Service, ServiceRegistry,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

#[derive(Parser)]
struct Options {
    /// Where its clients call it. Default: in the directory for temporary files.
    #[arg(long)]
    socket: Option<PathBuf>,
    /// End after so many seconds, as if by SIGTERM.
    #[arg(long)]
    seconds: Option<u64>,
}

/// The manager, with the host's own state.
struct Counter {
    bus: Bus<u64>,
    /// What clients of the socket follow.
    events: EventManager,
    count: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Add {
    number: u64,
}

impl Counter {
    fn tick(&self) -> Result<(), BoxError> {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.events
            .report(Event::new("count", json!({ "count": count })));
        Ok(self.bus.report(count)?)
    }

    fn add(&self, context: &Context, args: Add) -> Result<u64, BoxError> {
        println!("{} asks to add {}", context.caller, args.number);
        let add = |count: u64| count.checked_add(args.number);
        let before = self
            .count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        Ok(before.map_err(|_| "too much")? + args.number)
    }
}

impl Manager for Counter {
    fn service_name(&self) -> String {
        "counter".into()
    }

    fn init_host(&self) -> Result<(), HookError> {
        println!("init_host");
        self.events.start(1)?;
        Ok(self.bus.start()?)
    }

    fn pre_start_hook(&self) -> Result<(), HookError> {
        println!("pre_start_hook");
        Ok(())
    }

    fn post_start_hook(&self) -> Result<(), HookError> {
        println!("post_start_hook");
        Ok(())
    }

    fn cleanup_host(&self) -> Result<(), HookError> {
        println!("cleanup_host");
        let _ = self.bus.stop();
        let _ = self.events.stop();
        Ok(())
    }

    fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
        tasks.add(PeriodicTask::new("tick", 1), Self::tick);
    }

    fn methods(&self, methods: &mut Methods<Self>) {
        methods.add("add", Self::add);
    }
}

fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let options = Options::parse();
    // Before anything is started: a signal from here on finds us ready to undo it.
    let mut signals = Signals::new([SIGTERM, SIGINT])?;

    let socket = options.socket.unwrap_or_else(|| {
        let name = format!("ringbus-service-{}.sock", std::process::id());
        std::env::temp_dir().join(name)
    });

    let bus = Bus::builder().build()?;
    let events = EventManager::new()?;
    let registry = Arc::new(MemoryRegistry::new());
    let counter = Counter {
        bus: bus.clone(),
        events: events.clone(),
        count: AtomicU64::new(0),
    };
    let service = Service::builder(Arc::new(counter))
        .registry(Arc::clone(&registry))
        .consumer(printer(bus))
        .server(ServerConsumer::new(Server::builder(&socket, events)))
        .on_capabilities(print_report)
        .fuzzy_delay(Duration::ZERO)
        .build();

    let counts = Map::from_iter([("counts".to_owned(), json!("up"))]);
    service.capabilities().update_service_capabilities(counts);
    service.start()?;
    for record in registry.list()? {
        println!("{} is a member: {}", record.id, record.member);
    }
    call_in_process(&service)?;
    call_over_the_socket(&socket)?;

    if let Some(seconds) = options.seconds {
        let handle = signals.handle();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(seconds));
            handle.close();
        });
    }
    match signals.forever().next() {
        Some(signal) => println!("signal {signal}"),
        None => println!("the time is over"),
    }
    service.kill()?;
    service.wait();
    for task in service.task_stats() {
        println!(
            "{}: {} runs, {} failures",
            task.name, task.runs, task.failures
        );
    }
    println!("records left: {}", registry.list()?.len());
    Ok(())
}

/// Calls the service as a client in this process does.
fn call_in_process(service: &Service<Counter>) -> Result<(), BoxError> {
    let transport = InProcess::new(Arc::clone(service.dispatcher()))?;
    let client = Client::new(Arc::new(transport));
    let context = Context::local("example");
    let sum: u64 = client.call(&context, "add", Add { number: 100 })?;
    println!("add: {sum}");
    if let Err(error) = client.call::<_, Value>(&context, "subtract", Add { number: 1 }) {
        println!("subtract: {error}");
    }
    let base = client.with_namespace("baseapi");
    let pong: Value = base.call(&context, "ping", json!({"arg": "hello"}))?;
    println!("ping: {pong}");
    Ok(())
}

/// Calls the service as a client of another process does.
fn call_over_the_socket(socket: &Path) -> Result<(), BoxError> {
    let stream = UnixStream::connect(socket)?;
    let mut lines = LineReader::new(&stream);
    let mut reply = || match lines.read_line()? {
        Line::Whole(line) => Ok::<Reply, BoxError>(Reply::parse(line)?),
        end => Err(format!("{end:?}").into()),
    };
    reply()?; // its greeting
    for method in ["add", "subtract"] {
        let opts = Map::from_iter([("number".to_owned(), json!(1000))]);
        (&stream).write_all(&Command::new(method, opts).to_line())?;
        match reply()? {
            Reply::Response(sum) => println!("over the socket: {method}: {sum}"),
            Reply::Failure { message } => println!("over the socket: {message}"),
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

/// A consumer that prints what the bus carries, on a thread of the bus.
fn printer(bus: Bus<u64>) -> impl Consumer {
    let running = Arc::new(Mutex::new(None::<HandlerGuard>));
    let theirs = Arc::clone(&running);
    let lock = |guard: &Mutex<Option<HandlerGuard>>, next| {
        let mut guard = guard.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *guard, next)
    };
    ConsumerFn::new(
        "printer",
        move |_| {
            let options = SubscribeOptions::new().name("printer");
            let guard = bus.handle(options, |count| println!("count {count}"))?;
            lock(&running, Some(guard));
            Ok(())
        },
        move || {
            drop(lock(&theirs, None)); // unsubscribes
            Ok(())
        },
    )
}

fn print_report(report: CapabilitiesReport) {
    match serde_json::to_string(&report) {
        Ok(text) => println!("capabilities: {text}"),
        Err(error) => eprintln!("capabilities: {error}"),
    }
}
