//! Waiting, as a future, until the subscribers of a closed bus have read everything.

use crate::sync::{Arc, Ordering, fence};
use crate::wait::cell::{WaitCell, Waiter};
use crate::worker::set::WorkerSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Bus::drained`](crate::Bus::drained).
pub(super) struct Drained<E> {
    set: Arc<WorkerSet<E>>,
    cell: Arc<WaitCell>,
}

impl<E> Drained<E> {
    pub(super) fn of(set: Arc<WorkerSet<E>>) -> Self {
        Drained {
            set,
            cell: Arc::new(WaitCell::new()),
        }
    }
}

impl<E> Future for Drained<E> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.set.is_drained() {
            return Poll::Ready(());
        }
        if !self.cell.register(Waiter::Task(context.waker().clone())) {
            // It is being woken at this very moment.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let waiters = self.set.registry.drain_waiters();
        waiters.list(&self.cell);
        // SYNC drain: a subscriber that reads, leaves or closes after this finds the future; what came before is seen here.
        fence(Ordering::SeqCst);
        if self.set.is_drained() {
            self.cell.cancel();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<E> Drop for Drained<E> {
    fn drop(&mut self) {
        self.set.registry.drain_waiters().unlist(&self.cell);
        self.cell.cancel();
    }
}
