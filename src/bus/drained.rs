//! Waiting, as a future, until the subscribers of a closed bus have read everything.
//!
//! It depends on no worker: the subscriber that meets the end, leaves or is dropped wakes the futures itself.

use super::core::Generation;
use crate::contain::contain;
use crate::stack::Stack;
use crate::sync::{Ordering, PlainArc, fence};
use crate::wait::{Sleeper, SleeperCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The futures that wait for a ring's subscribers, of all rings of a run.
#[derive(Debug)]
pub(crate) struct DrainWaiters(Stack<PlainArc<SleeperCell>>);

impl DrainWaiters {
    pub(crate) fn new() -> Self {
        DrainWaiters(Stack::new())
    }

    /// Wakes all: a subscriber has read everything, or left, or the ring was closed. A waker is user code: a panic in it is
    /// contained.
    pub(crate) fn wake_all(&self) {
        // SYNC drain: either this finds the future, or the future sees what its caller did before.
        fence(Ordering::SeqCst);
        if self.0.is_empty() {
            return;
        }
        for cell in self.0.take_all() {
            let _ = contain(|| cell.wake());
        }
    }

    /// Lists `cell`, and no future that is gone. A fence and a look must follow, and [`DrainWaiters::wake_all`] if the look finds
    /// the end: the others are not listed for a moment.
    fn list(&self, cell: &PlainArc<SleeperCell>) {
        for other in self.0.take_all() {
            let is_alive = PlainArc::strong_count(&other) > 1;
            if is_alive && !PlainArc::ptr_eq(&other, cell) {
                self.0.push(other);
            }
        }
        self.0.push(PlainArc::clone(cell));
    }
}

/// The future of [`Bus::drained`](crate::Bus::drained).
pub(super) struct Drained<E> {
    generation: PlainArc<Generation<E>>,
    cell: PlainArc<SleeperCell>,
}

impl<E> Drained<E> {
    pub(super) fn of(generation: PlainArc<Generation<E>>) -> Self {
        Drained {
            generation,
            cell: PlainArc::new(SleeperCell::new()),
        }
    }
}

impl<E> Future for Drained<E> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.generation.is_drained() {
            return Poll::Ready(());
        }
        if !self.cell.register(Sleeper::Task(context.waker().clone())) {
            // It is being woken at this very moment.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let waiters = self.generation.registry.drain_waiters();
        waiters.list(&self.cell);
        // SYNC drain: a subscriber that reads, leaves or closes after this finds the future; what came before is seen here.
        fence(Ordering::SeqCst);
        if self.generation.is_drained() {
            self.cell.cancel();
            waiters.wake_all();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<E> Drop for Drained<E> {
    fn drop(&mut self) {
        // The list drops the cell when it is made anew; the waker goes now.
        self.cell.cancel();
    }
}
