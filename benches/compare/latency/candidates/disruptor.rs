//! `disruptor` with a single producer: polled, or with a thread of its own, which waits as it is told to.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use disruptor::wait_strategies::WaitStrategy;
use disruptor::{
    BusySpin, EventPoller, ProcessorSettings, Producer, SingleProducerBarrier,
    build_single_producer,
};
use ringbus_benches::payload::Event48;

use crate::error::Error;
use crate::latency::ear::Ear;
use crate::latency::pace::Publish;
use crate::latency::plan::{CAPACITY, Plan, event};
use crate::latency::round::{self, Heard, Outcome, Receive, Signs, join};
use crate::place::{Misplaced, Pinned};

/// A producer, whose type cannot be named. Dropping it waits for disruptor's thread.
struct Of<D>(D);

impl<D: Producer<Event48> + Send> Publish for Of<D> {
    #[inline]
    fn offer(&mut self, event: Event48) -> bool {
        self.0.try_publish(|slot| *slot = event).is_ok()
    }
}

impl Receive for EventPoller<Event48, SingleProducerBarrier> {
    #[inline]
    fn receive(&mut self, ear: &mut Ear) -> Result<bool, Error> {
        match self.poll() {
            Ok(mut events) => {
                for event in &mut events {
                    ear.hear(event);
                }
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }
}

pub fn polled(plan: Plan) -> Result<Outcome, Error> {
    let builder = build_single_producer(CAPACITY, || event(0, 0), BusySpin);
    let (poller, builder) = builder.new_event_poller();
    round::run(plan, Of(builder.build()), poller)
}

/// What the handler keeps on its thread, until the last event.
struct State {
    ear: Option<Ear>,
    pinned: Option<Result<Pinned, Misplaced>>,
}

impl State {
    fn finish(&mut self) -> Option<Result<Heard, Misplaced>> {
        let (ear, pinned) = (self.ear.take()?, self.pinned.take()?);
        Some(pinned.and_then(|pinned| {
            let stay = pinned.leave()?;
            Ok(Heard { ear, stay })
        }))
    }
}

pub fn on_its_thread(plan: Plan, wait: impl WaitStrategy + 'static) -> Result<Outcome, Error> {
    let signs = Arc::new(Signs::default());
    let (sender, receiver) = mpsc::channel();
    let core = plan.cores.subscriber;
    let state = {
        let signs = Arc::clone(&signs);
        move || {
            let state = State {
                ear: Some(Ear::new(plan)),
                pinned: Some(Pinned::to(core)),
            };
            signs.arrive();
            state
        }
    };
    let handler = move |state: &mut State, event: &Event48, _, _| {
        let Some(ear) = &mut state.ear else { return };
        ear.hear(event);
        if ear.is_done()
            && let Some(heard) = state.finish()
        {
            let _ = sender.send(heard);
        }
    };
    let builder = build_single_producer(CAPACITY, || event(0, 0), wait).pin_at_core(core);
    let mut producer = Of(builder.handle_events_and_state_with(handler, state).build());
    let published = thread::scope(|scope| {
        join(scope.spawn(|| round::publish(&mut producer, plan, &signs, 1)))
    })?;
    producer.close();
    let heard = receiver
        .recv()
        .map_err(|_| "disruptor's thread did not see the last event")?;
    round::outcome(published, heard?)
}
