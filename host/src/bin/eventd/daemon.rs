//! The daemon: its parts put together, run until a signal.

use crate::links::LinksConsumer;
use crate::machine::Machine;
use crate::options::Options;
use clap::Parser;
use ringbus::Bus;
use ringbus_host::{BoxError, Capabilities, Event, EventManager, Server, ServerConsumer, Service};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

pub(crate) fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Else a log that takes nothing (a full disk, a reader that is gone) panics whoever logs.
        .log_internal_errors(false)
        .init();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "eventd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BoxError> {
    // Before anything is started: a signal from here on finds us ready to undo it.
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let service = service(options)?;
    service.start()?;
    tracing::info!("serving on {}", options.socket.display());
    if let Some(signal) = signals.forever().next() {
        tracing::info!("signal {signal}: shutting down");
    }
    service.kill()?;
    service.wait();
    Ok(())
}

fn service(options: &Options) -> Result<Service<Machine>, BoxError> {
    // A little longer than the server drains, so that it is the server who decides.
    let stop = options
        .drain_deadline
        .saturating_add(Duration::from_secs(1));
    let bus = Bus::builder().capacity(options.capacity).stop_timeout(stop);
    let events = EventManager::builder().bus(bus).build()?;
    let server = Server::builder(&options.socket, events.clone())
        .max_clients(options.max_clients)
        .write_deadline(options.write_deadline)
        .drain_deadline(options.drain_deadline);
    let server = options
        .allow_uid
        .iter()
        .fold(server, |server, uid| server.allow_uid(*uid));

    let capabilities = Arc::new(Capabilities::new());
    let machine = Machine::new(events.clone(), options.workers, Arc::clone(&capabilities));
    let sink = events.clone();
    Ok(Service::builder(Arc::new(machine))
        .capabilities(capabilities)
        .on_capabilities(move |report| {
            sink.report(Event::Capabilities {
                service: report.service,
                host: report.host,
                capabilities: report.capabilities,
            });
        })
        .fuzzy_delay(Duration::ZERO)
        .consumer(LinksConsumer::new(events))
        .server(ServerConsumer::new(server))
        .build())
}
