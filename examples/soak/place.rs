//! Where the guests of an epoch meet: the bus while there is one, the ledger, and what time it is.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ringbus::{
    Bus, BusStats, EvictionNotice, Exclusive, Handler, HandlerGuard, SubscribeError,
    SubscribeOptions, Subscriber, SubscriberId,
};

use crate::counts::COUNTS;
use crate::ledger::Ledger;
use crate::payload::Payload;
use crate::violation::{self, DELIBERATE};

/// A bus of either kind.
pub enum Station<E> {
    Shared(Bus<E>),
    Exclusive(Bus<E, Exclusive>),
}

macro_rules! either {
    ($station:expr, $bus:ident => $code:expr) => {
        match $station {
            Station::Shared($bus) => $code,
            Station::Exclusive($bus) => $code,
        }
    };
}

impl<E> Clone for Station<E> {
    fn clone(&self) -> Self {
        match self {
            Station::Shared(bus) => Station::Shared(bus.clone()),
            Station::Exclusive(bus) => Station::Exclusive(bus.clone()),
        }
    }
}

impl<E: Payload> Station<E> {
    pub fn subscribe(&self, options: SubscribeOptions) -> Result<Subscriber<E>, SubscribeError> {
        either!(self, bus => bus.subscribe_with(options))
    }

    pub fn handle(
        &self,
        options: SubscribeOptions,
        handler: impl Handler<E> + 'static,
    ) -> Result<HandlerGuard, SubscribeError> {
        either!(self, bus => bus.handle_with(options, handler))
    }

    pub fn unsubscribe(&self, id: SubscriberId) -> bool {
        either!(self, bus => bus.unsubscribe(id))
    }

    pub fn stats(&self) -> BusStats {
        either!(self, bus => bus.stats())
    }

    pub fn turn(&self) {
        either!(self, bus => bus.turn());
    }
}

/// How far an epoch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hour {
    Busy,
    /// No new guests; who is there hurries, and reads to the end.
    Late,
    /// No more events either.
    Over,
}

pub struct Place<E> {
    pub ledger: Arc<Ledger>,
    /// Gone for the guests once it is to end by its last handle.
    station: RwLock<Option<Station<E>>>,
    hour: AtomicUsize,
    ids: Mutex<Vec<SubscriberId>>,
    pub handlers: AtomicUsize,
    pub told: Arc<Told>,
    /// Drops that subscribers learned of.
    pub learned: AtomicU64,
}

impl<E: Payload> Place<E> {
    pub fn new(station: Station<E>, told: Arc<Told>) -> Self {
        Self {
            ledger: Arc::new(Ledger::new()),
            station: RwLock::new(Some(station)),
            hour: AtomicUsize::new(Hour::Busy as usize),
            ids: Mutex::default(),
            handlers: AtomicUsize::new(0),
            told,
            learned: AtomicU64::new(0),
        }
    }

    pub fn station(&self) -> Option<Station<E>> {
        let station = self.station.read().unwrap_or_else(PoisonError::into_inner);
        station.as_ref().cloned()
    }

    pub fn take_station(&self) -> Option<Station<E>> {
        let mut station = self.station.write().unwrap_or_else(PoisonError::into_inner);
        station.take()
    }

    pub fn is(&self, hour: Hour) -> bool {
        self.hour.load(SeqCst) >= hour as usize
    }

    pub fn strike(&self, hour: Hour) {
        self.hour.store(hour as usize, SeqCst);
    }

    pub fn arrived(&self, id: SubscriberId) {
        COUNTS.joins.add(1);
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.push(id);
    }

    pub fn left(&self, id: SubscriberId) {
        COUNTS.leaves.add(1);
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|other| *other != id);
    }

    pub fn guest(&self, pick: impl FnOnce(usize) -> usize) -> Option<SubscriberId> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        (!ids.is_empty()).then(|| ids[pick(ids.len())])
    }

    pub fn learned_of_a_drop(&self) {
        self.learned.fetch_add(1, SeqCst);
    }
}

/// What the bus told of drops.
#[derive(Debug, Default)]
pub struct Told {
    notices: AtomicU64,
}

impl Told {
    pub fn notices(&self) -> u64 {
        self.notices.load(SeqCst)
    }

    /// For [`ringbus::BusBuilder::on_evict`].
    pub fn hear(&self, notice: &EvictionNotice) {
        COUNTS.evictions.of(notice.eviction.reason).add(1);
        let count = self.notices.fetch_add(1, SeqCst);
        if let Some(message) = &notice.panic_message
            && message != DELIBERATE
        {
            violation::record(format_args!("a handler panicked: {message}"));
        }
        // A callback may panic as well, and must not take the worker with it.
        if count % 101 == 100 {
            panic!("{DELIBERATE}");
        }
    }
}
