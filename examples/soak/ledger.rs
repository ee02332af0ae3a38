//! What publishers say they did: the side of the books that subscribers are held against.
//!
//! Each publisher numbers its accepted events from 0. A number is offered again until it is accepted, so that what is
//! accepted has no gaps.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::CachePadded;

use crate::violation;

/// Publishers that an epoch has room for.
const PAGES: usize = 512;

#[derive(Debug)]
pub struct Ledger {
    pages: Box<[CachePadded<Page>]>,
    opened: AtomicUsize,
    /// Twice the number of stops; odd from a stop to the next start.
    run: AtomicUsize,
    /// What each publisher had accepted when a stop began.
    stops: Mutex<Vec<Vec<u64>>>,
    ends: Mutex<Vec<End>>,
}

#[derive(Debug, Default)]
struct Page {
    /// No number from here on was offered yet.
    begun: AtomicU64,
    /// Every number below was accepted.
    accepted: AtomicU64,
}

/// A subscriber that read to the end of a run: from each publisher it has everything below `until`.
#[derive(Debug)]
pub struct End {
    pub run: usize,
    pub until: Vec<u64>,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            pages: (0..PAGES).map(|_| CachePadded::default()).collect(),
            opened: AtomicUsize::new(0),
            run: AtomicUsize::new(0),
            stops: Mutex::default(),
            ends: Mutex::default(),
        }
    }

    /// A page for a new publisher, while there are any. Only the epoch's own thread opens pages.
    pub fn open(&self) -> Option<usize> {
        let page = self.opened.load(Ordering::Relaxed);
        (page < PAGES).then(|| self.opened.fetch_add(1, Ordering::SeqCst))
    }

    /// Numbers below `end` may be offered from now on. Told many at a time: the fence must not stand between two
    /// events, where it might hide that one is missing in the library.
    pub fn begin(&self, publisher: usize, end: u64) {
        self.pages[publisher].begun.store(end, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub fn accept(&self, publisher: usize, end: u64) {
        self.pages[publisher].accepted.store(end, Ordering::Release);
    }

    /// The first number of each publisher that is not known to be accepted.
    pub fn accepted(&self) -> Vec<u64> {
        self.column(|page| page.accepted.load(Ordering::Acquire))
    }

    /// The first number of each publisher that was surely not offered before this call. Of publishers that come later: 0.
    pub fn begun(&self) -> Vec<u64> {
        fence(Ordering::SeqCst);
        self.column(|page| page.begun.load(Ordering::Relaxed))
    }

    fn column(&self, number: impl Fn(&Page) -> u64) -> Vec<u64> {
        let opened = self.opened.load(Ordering::SeqCst);
        self.pages[..opened]
            .iter()
            .map(|page| number(page))
            .collect()
    }

    /// Between two equal answers the bus ran without a stop.
    pub fn run(&self) -> Option<usize> {
        let run = self.run.load(Ordering::SeqCst);
        run.is_multiple_of(2).then_some(run / 2)
    }

    /// The bus is about to be stopped or closed.
    pub fn stopping(&self) {
        let accepted = self.accepted();
        self.stops
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(accepted);
        self.run.fetch_add(1, Ordering::SeqCst);
    }

    pub fn started(&self) {
        self.run.fetch_add(1, Ordering::SeqCst);
    }

    pub fn ended(&self, end: End) {
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(end);
    }

    /// When all is over: whoever read to an end has all that was accepted before the stop; and if that was the last
    /// one, all that was ever accepted, but for `tolerance` events of each publisher.
    pub fn balance(&self, tolerance: u64) {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let total: Vec<u64> = self
            .accepted()
            .iter()
            .map(|n| n - n.min(&tolerance))
            .collect();
        for end in ends.iter() {
            let last = end.run + 1 == stops.len();
            let columns = [Some(&stops[end.run]), last.then_some(&total)];
            for (publisher, &accepted) in columns
                .into_iter()
                .flatten()
                .flat_map(|c| c.iter().enumerate())
            {
                let until = end.until.get(publisher).copied().unwrap_or(0);
                if until < accepted {
                    violation::record(format_args!(
                        "events {until}..{accepted} of publisher {publisher} were accepted before the end, and not \
                         delivered to a subscriber that read to the end"
                    ));
                }
            }
        }
    }
}
