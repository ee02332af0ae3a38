//! What becomes of this machine's network interfaces, as events.

use ringbus_host::{
    Consumer, Dispatcher, Event, EventManager, HookError, LinkAction, LinkChange, Links, LinksStop,
    NetifAction, host_name,
};
use serde_json::json;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The pool of what belongs to the machine itself.
const POOL: &str = "host";

/// How long it rests after an error.
const REST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct LinksConsumer {
    events: EventManager,
    running: Mutex<Option<Follower>>,
}

#[derive(Debug)]
struct Follower {
    stop: LinksStop,
    /// Dropped, it ends a rest.
    rest: Sender<()>,
    thread: JoinHandle<()>,
}

impl LinksConsumer {
    pub(crate) fn new(events: EventManager) -> Self {
        LinksConsumer {
            events,
            running: Mutex::new(None),
        }
    }
}

impl Consumer for LinksConsumer {
    fn name(&self) -> &str {
        "links"
    }

    fn start(&self, _: &Arc<Dispatcher>) -> Result<(), HookError> {
        let links = Links::open()?;
        let stop = links.stop_handle();
        let (rest, until) = channel();
        let events = self.events.clone();
        let thread = thread::Builder::new()
            .name("eventd-links".to_owned())
            .spawn(move || follow(links, &events, &until))?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(Follower { stop, rest, thread });
        Ok(())
    }

    fn stop(&self) -> Result<(), HookError> {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Follower { stop, rest, thread }) = running {
            stop.stop();
            drop(rest);
            thread.join().map_err(|_| "the thread panicked")?;
        }
        Ok(())
    }
}

fn follow(links: Links, events: &EventManager, rest: &Receiver<()>) {
    let host = host_name();
    for change in links {
        match change {
            Ok(change) => match event(&host, change) {
                Some(event) => events.report(event),
                None => tracing::warn!("a change of a link that is not known here"),
            },
            Err(error) => {
                tracing::error!("following links: {error}");
                let _ = rest.recv_timeout(REST);
            }
        }
    }
}

fn event(host: &str, change: LinkChange) -> Option<Event> {
    let action = match (change.action, change.veth) {
        (LinkAction::Add, _) => NetifAction::Add,
        (LinkAction::Remove, _) => NetifAction::Remove,
        (LinkAction::Rename { new_name }, _) => NetifAction::Rename { new_name },
        (LinkAction::Up, Some(veth)) => NetifAction::Up { veth },
        // No end of a pair, or the other end is elsewhere: there is no name to tell.
        (LinkAction::Up, None) => {
            let opts = json!({ "pool": POOL, "id": host, "action": "up", "name": change.name });
            return Some(Event::new("ct_netif", opts));
        }
        (LinkAction::Down, _) => NetifAction::Down,
        _ => return None,
    };
    Some(Event::CtNetif {
        pool: POOL.to_owned(),
        id: host.to_owned(),
        name: change.name,
        action,
    })
}
