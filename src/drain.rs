//! The futures that wait until every subscriber of a closed bus has read everything, and how they are woken.
//!
//! No worker is needed: the thread by which a subscriber meets the end, leaves or is evicted wakes the futures itself. The list is
//! copy-on-write, so that a future that is frozen while it comes or goes keeps no other one from being woken.

use crate::snapshot::Snapshot;
use crate::sync::{Arc, Ordering, fence};
use crate::unwind;
use crate::wait::cell::WaitCell;

/// The futures of one run of a bus, whatever ring their subscribers read.
#[derive(Debug)]
pub(crate) struct DrainWaiters(Snapshot<Vec<Arc<WaitCell>>>);

impl DrainWaiters {
    pub(crate) fn new() -> Self {
        DrainWaiters(Snapshot::new(Vec::new()))
    }

    /// Wakes all: a subscriber has read everything or left, or a ring was closed. A waker is user code: a panic in it is
    /// contained.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake_all(&self) {
        // SYNC drain: either this finds the future, or the future sees what its caller did before.
        fence(Ordering::SeqCst);
        // A copy of the list's count, because it is held across user code.
        for cell in self.0.load_full().iter() {
            let _ = unwind::catch(|| cell.wake());
        }
    }

    /// Lists a future, if it is not listed. A fence and a look must follow.
    pub(crate) fn list(&self, cell: &Arc<WaitCell>) {
        self.change(|cells| {
            let is_new = !cells.iter().any(|other| Arc::ptr_eq(other, cell));
            is_new.then(|| cells.iter().chain([cell]).cloned().collect())
        });
    }

    /// Takes a future off the list.
    pub(crate) fn unlist(&self, cell: &Arc<WaitCell>) {
        self.change(|cells| {
            let is_other = |other: &&Arc<WaitCell>| !Arc::ptr_eq(other, cell);
            let others: Vec<_> = cells.iter().filter(is_other).cloned().collect();
            (others.len() < cells.len()).then_some(others)
        });
    }

    /// Replaces the list by what `change` makes of it, if it makes anything.
    fn change(&self, mut change: impl FnMut(&[Arc<WaitCell>]) -> Option<Vec<Arc<WaitCell>>>) {
        // The only error is that there is nothing to do.
        let changed = self
            .0
            .update(|cells| change(cells).map(|cells| (cells, ())).ok_or(()));
        if changed.is_ok() {
            self.0.sweep();
        }
    }
}
