//! Receiving in a task of any runtime.

use super::{Delivery, Subscriber};
use crate::error::RecvError;
use crate::wait::cell::Waiter;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

impl<E> Subscriber<E> {
    /// Ready when an event is there, or an error; takes nothing. Otherwise the task is woken when it is worth another
    /// poll.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        let mut looks = 0;
        loop {
            match self.poll() {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            if self
                .reader
                .prepare_park(Waiter::Task(context.waker().clone()), true)
            {
                return Poll::Pending;
            }
            if looks > 1 {
                // Somebody is waking us at this very moment, or a claim is about to be settled: look again after others
                // had a turn.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            looks += 1;
        }
    }

    /// The next event, as a future: of any runtime, and cancel-safe, as it takes the event only when it is ready.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// let mut subscriber = bus.subscribe()?;
    /// bus.report(7)?;
    /// let event = pollster::block_on(async { subscriber.recv_async().await.map(|event| *event) });
    /// assert_eq!(event, Ok(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_async(
        &mut self,
    ) -> impl Future<Output = Result<Delivery<'_, E>, RecvError>> + use<'_, E> {
        Recv {
            subscriber: Some(self),
        }
    }
}

/// The future of [`Subscriber::recv_async`].
struct Recv<'a, E> {
    /// Taken when ready.
    subscriber: Option<&'a mut Subscriber<E>>,
}

impl<'a, E> Future for Recv<'a, E> {
    type Output = Result<Delivery<'a, E>, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(subscriber) = self.subscriber.as_mut() else {
            // Polled after it was ready, which no contract covers: never ready again.
            return Poll::Pending;
        };
        let ready = std::task::ready!(subscriber.poll_ready(context));
        match (ready, self.subscriber.take()) {
            (Ok(()), Some(subscriber)) => Poll::Ready(Ok(subscriber.deliver())),
            (Err(error), _) => Poll::Ready(Err(error)),
            (Ok(()), None) => Poll::Pending,
        }
    }
}
