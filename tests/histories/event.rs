//! Events that check themselves, and the ledger that counts their drops.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The most events that one round makes.
const MOST: usize = 1 << 16;

/// An event of a round, known by its number.
pub(crate) trait Event: Send + Sync + 'static {
    /// Makes the event with this number, and enters it into the ledger.
    fn make(ledger: &Arc<Ledger>, number: u64) -> Self;

    /// Returns the number after a look at every part of the event; panics if one part contradicts another.
    fn read(&self) -> u64;
}

/// Who was made and who was dropped. A contradiction is noted, not panicked with, because a drop may be part of an unwind.
pub(crate) struct Ledger {
    made: Box<[AtomicU8]>,
    dropped: Box<[AtomicU8]>,
    next: AtomicU64,
    faults: Mutex<Vec<String>>,
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        let counts = || (0..MOST).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Ledger {
            made: counts(),
            dropped: counts(),
            next: AtomicU64::new(0),
            faults: Mutex::default(),
        })
    }

    /// Clears the ledger for another round. Events of earlier rounds must be gone.
    pub(crate) fn clear(&self) {
        for number in 0..self.next.swap(0, Ordering::Relaxed) as usize {
            self.made[number].store(0, Ordering::Relaxed);
            self.dropped[number].store(0, Ordering::Relaxed);
        }
        self.faults.lock().unwrap().clear();
    }

    fn make(&self, number: u64) {
        assert!((number as usize) < MOST, "a round with too many events");
        self.next.fetch_max(number + 1, Ordering::Relaxed);
        if self.made[number as usize].fetch_add(1, Ordering::Relaxed) > 0 {
            self.note(format!("event {number} made twice"));
        }
    }

    /// Returns whether this is the one drop of the event with this number.
    fn drop_once(&self, number: u64) -> bool {
        let Some(dropped) = self.dropped.get(number as usize) else {
            self.note(format!("dropped a value that was never made: {number}"));
            return false;
        };
        let first = dropped.fetch_add(1, Ordering::Relaxed) == 0;
        if !first {
            self.note(format!("event {number} dropped twice"));
        }
        first
    }

    fn note(&self, fault: String) {
        self.faults.lock().unwrap().push(fault);
    }

    /// Returns the first contradiction: a fault that was noted, or an event that lives on.
    pub(crate) fn fault(&self) -> Option<String> {
        if let Some(fault) = self.faults.lock().unwrap().first() {
            return Some(fault.clone());
        }
        let made = self.next.load(Ordering::Relaxed) as usize;
        (0..made)
            .find(|&number| {
                self.made[number].load(Ordering::Relaxed)
                    != self.dropped[number].load(Ordering::Relaxed)
            })
            .map(|number| format!("event {number} was never dropped"))
    }
}

/// The part of a counted event that checks itself.
struct Seal {
    number: u64,
    check: u64,
    ledger: ManuallyDrop<Arc<Ledger>>,
}

impl Seal {
    fn new(ledger: &Arc<Ledger>, number: u64) -> Self {
        ledger.make(number);
        Seal {
            number,
            check: !number,
            ledger: ManuallyDrop::new(Arc::clone(ledger)),
        }
    }

    fn read(&self) -> u64 {
        assert_eq!(self.check, !self.number, "an event torn or dropped");
        self.number
    }

    /// Returns whether the parts of the event may be freed. After a second drop nothing of it can be trusted.
    fn close(&mut self) -> bool {
        let number = self.number;
        let once = self.check == !number && self.ledger.drop_once(number);
        if self.check == number {
            self.ledger
                .note(format!("event {number} dropped in place twice"));
        }
        self.check = number;
        once
    }
}

/// An event with a part on the heap.
pub(crate) struct Heap {
    seal: Seal,
    body: ManuallyDrop<Box<[u64]>>,
}

impl Event for Heap {
    fn make(ledger: &Arc<Ledger>, number: u64) -> Self {
        let body = vec![number; 1 + number as usize % 7].into_boxed_slice();
        Heap {
            seal: Seal::new(ledger, number),
            body: ManuallyDrop::new(body),
        }
    }

    fn read(&self) -> u64 {
        let number = self.seal.read();
        assert_eq!(self.body.len(), 1 + number as usize % 7, "{number}");
        assert!(self.body.iter().all(|&part| part == number), "{number}");
        number
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        if self.seal.close() {
            // SAFETY: the ledger says that this is the first drop of the event, so its parts are whole.
            unsafe {
                ManuallyDrop::drop(&mut self.body);
                ManuallyDrop::drop(&mut self.seal.ledger);
            }
        }
    }
}

/// An event of more than 64 bytes, all of it in its slot: batches are gathered by 32.
pub(crate) struct Wide {
    body: [u64; 10],
    seal: Seal,
}

impl Event for Wide {
    fn make(ledger: &Arc<Ledger>, number: u64) -> Self {
        Wide {
            body: [number; 10],
            seal: Seal::new(ledger, number),
        }
    }

    fn read(&self) -> u64 {
        let number = self.seal.read();
        assert_eq!(self.body, [number; 10], "an event torn");
        number
    }
}

impl Drop for Wide {
    fn drop(&mut self) {
        if self.seal.close() {
            // SAFETY: as above.
            unsafe { ManuallyDrop::drop(&mut self.seal.ledger) };
        }
    }
}

/// An event of two words without a destructor.
#[derive(Clone, Copy)]
pub(crate) struct Small(u64, u64);

impl Event for Small {
    fn make(_: &Arc<Ledger>, number: u64) -> Self {
        Small(number, !number)
    }

    fn read(&self) -> u64 {
        assert_eq!(self.1, !self.0, "an event torn");
        self.0
    }
}
