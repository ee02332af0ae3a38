//! `disruptor` with a thread that it manages itself, spinning as its documentation has it for speed (`BusySpin`).

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use disruptor::{
    BusySpin, ProcessorSettings, Producer, build_multi_producer, build_single_producer,
};
use ringbus_benches::payload::Payload;

use super::disruptor::Of;
use crate::error::Error;
use crate::place::{Misplaced, Pinned, Stay};
use crate::throughput::driver::{Gates, Outcome, Plan, Received, join, outcome, publish};
use crate::throughput::work::Check;

/// One producer, or any number of them; one consumer.
#[derive(Clone, Copy)]
pub enum Threads {
    Single,
    Multi,
}

/// What the handler keeps on its thread.
struct State {
    pinned: Option<Result<Pinned, Misplaced>>,
    check: Check,
}

impl State {
    fn leave(&mut self) -> Option<Result<Stay, Misplaced>> {
        let pinned = self.pinned.take()?;
        Some(pinned.and_then(Pinned::leave))
    }
}

/// One run; its rules are those of [`driver::run`](crate::throughput::driver::run).
pub fn run<P: Payload>(kind: Threads, plan: Plan) -> Result<Outcome, Error> {
    let gates = Arc::new(Gates::default());
    let (sender, receiver) = mpsc::channel();
    let core = plan.work.cores.subscriber;
    let state = {
        let gates = Arc::clone(&gates);
        move || {
            gates.ready.arrive();
            State {
                pinned: Some(Pinned::to(core)),
                check: Check::default(),
            }
        }
    };
    let handler = {
        let gates = Arc::clone(&gates);
        move |state: &mut State, event: &P, _, end_of_batch: bool| {
            state.check.see(event);
            if !end_of_batch {
                return;
            }
            let next = state.check.next();
            if next == plan.warm {
                state.check.forget_missed();
                gates.warmed.arrive();
            } else if next == plan.end() {
                let _ = sender.send((Instant::now(), state.check, state.leave()));
            }
        }
    };
    let (begin, published) = match kind {
        Threads::Single => {
            let builder = build_single_producer(plan.work.capacity, || P::new(0), BusySpin);
            let builder = builder.pin_at_core(core);
            let producer = builder.handle_events_and_state_with(handler, state).build();
            produce::<P, _>(producer, plan, &gates)
        }
        Threads::Multi => {
            let builder = build_multi_producer(plan.work.capacity, || P::new(0), BusySpin);
            let builder = builder.pin_at_core(core);
            let producer = builder.handle_events_and_state_with(handler, state).build();
            produce::<P, _>(producer, plan, &gates)
        }
    }?;
    let (end, check, stay) = receiver
        .recv()
        .map_err(|_| "disruptor's thread did not see the last event")?;
    let Some(stay) = stay else {
        return Err("disruptor's thread saw the last event twice".into());
    };
    let received = Received {
        end,
        check,
        stay: stay?,
    };
    outcome(begin, published, &[received], plan, false)
}

fn produce<P: Payload, D: Producer<P> + Send>(
    producer: D,
    plan: Plan,
    gates: &Gates,
) -> Result<(Instant, Stay), Misplaced> {
    // Dropping the producer, which is done here, waits for disruptor's thread.
    let (begin, stay, _) =
        thread::scope(|scope| join(scope.spawn(|| publish::<P, _>(Of(producer), plan, gates))))?;
    Ok((begin, stay))
}
