//! tokio's broadcast channel, to a thread that blocks or to a task. A receiver that lags loses
//! events.

use ringbus_benches::payload::Event48;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{CAPACITY, Plan};
use crate::latency::round::{self, Outcome, Receive};

struct Parked(Receiver<Event48>);

struct Task {
    runtime: Runtime,
    receiver: Receiver<Event48>,
}

pub fn parked(plan: Plan) -> Result<Outcome, Error> {
    let (sender, receiver) = broadcast::channel(CAPACITY);
    round::run(plan, sender, Parked(receiver))
}

pub fn task(plan: Plan) -> Result<Outcome, Error> {
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let runtime = runtime()?;
    round::run(plan, sender, Task { runtime, receiver })
}

/// One thread runs the tasks: the receiver's.
pub fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().build();
    Ok(runtime.map_err(|error| format!("tokio's runtime: {error}"))?)
}

impl Publish for Sender<Event48> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.send(event).is_ok()
    }
}

impl Receive for Parked {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        Ok(hear(self.0.blocking_recv(), ear))
    }
}

impl Receive for Task {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        Ok(hear(self.runtime.block_on(self.receiver.recv()), ear))
    }
}

fn hear(received: Result<Event48, RecvError>, ear: &mut Ear) -> bool {
    // What was missed shows in the next event's number, or at the end.
    received.inspect(|event| ear.hear(event)).is_ok()
}
