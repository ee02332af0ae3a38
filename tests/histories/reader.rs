//! One reader of a round: where its subscriber is, and what it was given so far.

use super::books::Stay;
use super::errand::Errand;
use super::event::Event;
use super::health::Health;
use super::reading::{Alarm, Read};
use ringbus::{OnLap, SubscribeOptions, Subscriber, SubscriberId};
use std::sync::Arc;
use std::time::Duration;

/// What a reading call gives back from a thread of its own.
pub(crate) type Returned<E> = (Subscriber<E>, Read);

pub(crate) enum Seat<E> {
    Here(Subscriber<E>),
    /// Its call is frozen while it borrows an event.
    Away(Errand<Returned<E>>),
    Gone,
}

pub(crate) struct Reader<E> {
    pub(crate) number: u32,
    pub(crate) id: SubscriberId,
    pub(crate) seat: Seat<E>,
    pub(crate) on_lap: OnLap,
    pub(crate) is_limited: bool,
    pub(crate) stays: Vec<Stay>,
    /// The last stay goes on.
    pub(crate) stays_on: bool,
    pub(crate) health: Health,
    /// The bus has dropped it, as the statistics said.
    pub(crate) down: bool,
    /// The host wanted it gone.
    pub(crate) unsubscribed: bool,
    /// It sleeps, and this says when it is woken.
    pub(crate) asleep: Option<Arc<Alarm>>,
}

/// What a reader asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) window: u64,
    pub(crate) on_lap: OnLap,
    pub(crate) stall_limit: Option<Duration>,
    pub(crate) lag_limit: Option<(u64, Duration)>,
}

impl Wish {
    pub(crate) fn draw(rng: &mut fastrand::Rng, capacity: u64) -> Self {
        let on_lap = [OnLap::Evict, OnLap::Rejoin][rng.usize(..2)];
        let limit = rng.u8(..16);
        Wish {
            window: rng.u64(1..=128.min(capacity / 8)),
            on_lap,
            stall_limit: (limit == 0).then_some(Duration::from_millis(20)),
            lag_limit: (limit == 1).then_some((capacity / 2, Duration::from_millis(5))),
        }
    }

    pub(crate) fn options(&self) -> SubscribeOptions {
        let mut options = SubscribeOptions::new()
            .window(self.window as usize)
            .on_lap(self.on_lap);
        if let Some(limit) = self.stall_limit {
            options = options.stall_limit(limit);
        }
        if let Some((slots, time)) = self.lag_limit {
            options = options.lag_limit(slots, time);
        }
        options
    }
}

impl<E: Event> Reader<E> {
    /// A reader that has joined at the sequence `from`, at the step `now`.
    pub(crate) fn new(
        number: u32,
        subscriber: Subscriber<E>,
        wish: Wish,
        now: u32,
        from: u64,
        health: Health,
    ) -> Self {
        Reader {
            number,
            id: subscriber.id(),
            seat: Seat::Here(subscriber),
            on_lap: wish.on_lap,
            is_limited: wish.stall_limit.is_some() || wish.lag_limit.is_some(),
            stays: vec![Stay::new(now, from)],
            stays_on: true,
            health,
            down: false,
            unsubscribed: false,
            asleep: None,
        }
    }

    pub(crate) fn is_here(&self) -> bool {
        matches!(self.seat, Seat::Here(_))
    }

    pub(crate) fn is_away(&self) -> bool {
        matches!(self.seat, Seat::Away(_))
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.seat, Seat::Gone)
    }

    /// The subscriber of a reader that is here.
    pub(crate) fn subscriber(&mut self) -> &mut Subscriber<E> {
        match &mut self.seat {
            Seat::Here(subscriber) => subscriber,
            Seat::Away(_) | Seat::Gone => panic!("reader {} is not here", self.number),
        }
    }

    /// The stay that goes on, or the last one.
    pub(crate) fn stay(&mut self) -> &mut Stay {
        self.stays.last_mut().expect("a reader has joined once")
    }

    /// It is at the tail again, behind a gap that it was told.
    pub(crate) fn stay_anew(&mut self, now: u32, from: u64, health: Health) {
        self.stays.push(Stay::new(now, from));
        self.stays_on = true;
        self.health = health;
        self.down = false;
        self.asleep = None;
    }
}
