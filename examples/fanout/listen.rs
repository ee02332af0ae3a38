//! The subscribers: those that do the work, and those that dawdle.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use ringbus::{
    Bus, Eviction, RecvError, RecvTimeoutError, SubscribeOptions, Subscriber, TryRecvError,
};

use crate::failure::Failure;
use crate::line::Line;
use crate::work::Work;

/// Who is to listen, and how.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub core: Option<usize>,
    /// Whether it dawdles over each line. It need not see them all.
    pub slow: bool,
    /// How long it may stand still before it is dropped; without, only for being lapped.
    pub stall_limit: Option<Duration>,
}

/// What a subscriber has to say afterwards.
#[derive(Debug)]
pub struct Heard {
    pub role: Role,
    pub work: Work,
    /// How far it was behind at its end, and at the worst that it saw itself.
    pub lag: u64,
    pub worst_lag: u64,
    pub end: End,
}

/// Why a subscriber reads no more.
#[derive(Debug)]
pub enum End {
    /// It has read everything.
    Closed,
    /// It was dropped.
    Evicted(Eviction),
    /// It is slow, was not dropped, and left when the input had ended.
    Left,
    /// The bus broke a promise.
    Odd(String),
}

/// How long a slow subscriber takes for each line.
pub const DAWDLE: Duration = Duration::from_millis(50);

/// How often a slow subscriber looks whether the input has ended.
const GLANCE: Duration = Duration::from_millis(5);

/// How many lines a healthy subscriber takes at once.
const AT_ONCE: usize = 256;

/// Starts a subscriber on a thread of its own, and returns when it has subscribed and
/// sits on its core. A slow one leaves when the input is `over`.
pub fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    bus: &Bus<Line>,
    role: Role,
    over: &'scope AtomicBool,
) -> Result<ScopedJoinHandle<'scope, Heard>, Failure> {
    let fail = |name: &str, error: &dyn std::error::Error| {
        Failure::input(format_args!("subscriber {name}: {error}"))
    };
    let name = role.name.clone();
    let subscriber = bus
        .subscribe_with(role.subscription())
        .map_err(|error| fail(&name, &error))?;
    let (ready, pinned) = channel();
    let handle = thread::Builder::new()
        .name(name.clone())
        .spawn_scoped(scope, move || listen(subscriber, role, over, ready))
        .map_err(|error| fail(&name, &error))?;
    match pinned.recv() {
        Ok(error) => Err(fail(&name, &error)),
        Err(_) => Ok(handle), // nothing to complain of
    }
}

impl Role {
    fn subscription(&self) -> SubscribeOptions {
        let mut options = SubscribeOptions::new().name(self.name.as_str());
        if let Some(core) = self.core {
            options = options.core(core);
        }
        if let Some(limit) = self.stall_limit {
            options = options.stall_limit(limit);
        }
        options
    }
}

fn listen(
    mut subscriber: Subscriber<Line>,
    role: Role,
    over: &AtomicBool,
    ready: Sender<ringbus::PinError>,
) -> Heard {
    if role.core.is_some()
        && let Err(error) = subscriber.pin_current_thread()
    {
        let _ = ready.send(error); // whoever started this waits for it
    }
    drop(ready);
    let mut heard = Heard {
        role,
        work: Work::default(),
        lag: 0,
        worst_lag: 0,
        end: End::Closed,
    };
    heard.end = if heard.role.slow {
        dawdle(&mut subscriber, &mut heard, over)
    } else {
        read(&mut subscriber, &mut heard)
    };
    heard.lag = match heard.end {
        End::Evicted(eviction) => eviction.lag,
        _ => subscriber.lag(),
    };
    heard
}

/// As a healthy subscriber does it: whatever is there, at once.
fn read(subscriber: &mut Subscriber<Line>, heard: &mut Heard) -> End {
    loop {
        match subscriber.recv_many(AT_ONCE, |line| heard.work.add(line)) {
            Ok(_) => heard.worst_lag = heard.worst_lag.max(subscriber.lag()),
            Err(RecvError::Closed) => return End::Closed,
            Err(RecvError::Evicted(eviction)) => return End::Evicted(eviction),
            Err(error) => return End::Odd(error.to_string()),
        }
    }
}

/// Line by line, and holding on to each for a while.
fn dawdle(subscriber: &mut Subscriber<Line>, heard: &mut Heard, over: &AtomicBool) -> End {
    while !over.load(Relaxed) {
        match subscriber.recv_timeout(GLANCE) {
            Ok(line) => {
                heard.work.add(&line);
                let since = Instant::now();
                while since.elapsed() < DAWDLE && !over.load(Relaxed) {
                    thread::sleep(GLANCE);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Closed) => return End::Closed,
            Err(RecvTimeoutError::Evicted(eviction)) => return End::Evicted(eviction),
            Err(error) => return End::Odd(error.to_string()),
        }
        heard.worst_lag = heard.worst_lag.max(subscriber.lag());
    }
    // It may have been dropped over its last line; it learns of it when it lets go of that.
    subscriber.release();
    match subscriber.try_recv() {
        Err(TryRecvError::Evicted(eviction)) => End::Evicted(eviction),
        _ => End::Left,
    }
}
