//! Receiving events, one by one or many at once.

use super::{Delivery, Subscriber};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::wait::deadline::Deadline;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

impl<E> Subscriber<E> {
    /// Returns the next event, waiting for it as the options say.
    ///
    /// ```
    /// use ringbus::{Bus, RecvError};
    ///
    /// let bus = Bus::builder().build()?;
    /// let mut subscriber = bus.subscribe()?;
    /// bus.report(7)?;
    /// bus.close();
    /// loop {
    ///     match subscriber.recv() {
    ///         Ok(event) => assert_eq!(*event, 7),
    ///         Err(RecvError::Closed) => break, // the bus has ended, and all was read
    ///         Err(RecvError::Evicted(why)) => {
    ///             eprintln!("too slow: {why}");
    ///             subscriber.rejoin()?;
    ///         }
    ///         Err(lagged) => eprintln!("{lagged}"), // only with `OnLap::Rejoin`
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RecvError`].
    #[inline]
    pub fn recv(&mut self) -> Result<Delivery<'_, E>, RecvError> {
        if !self.poll()? {
            self.next_event(Deadline::NEVER)?;
        }
        Ok(self.deliver())
    }

    /// The next event, if it is there. Wait-free.
    ///
    /// # Errors
    /// [`TryRecvError`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Delivery<'_, E>, TryRecvError> {
        if self.poll()? {
            Ok(self.deliver())
        } else {
            Err(TryRecvError::Empty)
        }
    }

    /// The next event, waiting for it at most `timeout`.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Delivery<'_, E>, RecvTimeoutError> {
        self.recv_by(Deadline::after(timeout))
    }

    /// The next event, waiting for it until `deadline`.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    pub fn recv_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<Delivery<'_, E>, RecvTimeoutError> {
        self.recv_by(Deadline::at(deadline))
    }

    fn recv_by(&mut self, deadline: Deadline) -> Result<Delivery<'_, E>, RecvTimeoutError> {
        if self.next_event(deadline)? {
            Ok(self.deliver())
        } else {
            Err(RecvTimeoutError::Timeout)
        }
    }

    /// The next event that matches, passing over the others. Waits as [`recv`](Self::recv).
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn recv_matching(
        &mut self,
        mut matches: impl FnMut(&E) -> bool,
    ) -> Result<Delivery<'_, E>, RecvError> {
        loop {
            self.next_event(Deadline::NEVER)?;
            let found = self.take_if(&mut matches);
            if let Some((sequence, event)) = found {
                return Ok(self.delivery(sequence, event));
            }
        }
    }

    /// The next event that matches among those that are there, passing over the others.
    ///
    /// # Errors
    /// [`TryRecvError`].
    pub fn try_recv_matching(
        &mut self,
        mut matches: impl FnMut(&E) -> bool,
    ) -> Result<Delivery<'_, E>, TryRecvError> {
        while self.poll()? {
            let found = self.take_if(&mut matches);
            if let Some((sequence, event)) = found {
                return Ok(self.delivery(sequence, event));
            }
        }
        Err(TryRecvError::Empty)
    }

    fn take_if(&mut self, matches: &mut impl FnMut(&E) -> bool) -> Option<(u64, *const E)> {
        let (sequence, event) = self.reader.take();
        // SAFETY: as in `deliver`; the reader is not called meanwhile.
        matches(unsafe { &*event }).then_some((sequence, event))
    }

    /// What `take_if` found. A second step, as the borrow checker cannot lend it from inside a loop.
    fn delivery(&mut self, sequence: u64, event: *const E) -> Delivery<'_, E> {
        Delivery {
            // SAFETY: as in `deliver`: taken last, and the reader was not called since.
            event: unsafe { &*event },
            ring: &self.reader.worker.ring,
            sequence,
        }
    }

    /// Calls `event` for each event that is there now, at most `max` of them, and returns how many there were: 0 if there
    /// was nothing.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// let mut subscriber = bus.subscribe()?;
    /// bus.publisher().report_batch(0..10)?;
    /// let mut sum = 0;
    /// assert_eq!(subscriber.drain(4, |n| sum += n)?, 4);
    /// assert_eq!(sum, 0 + 1 + 2 + 3);
    /// assert_eq!(subscriber.drain(usize::MAX, |n| sum += n)?, 6);
    /// assert_eq!(subscriber.drain(usize::MAX, |n| sum += n)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// An eviction that is met after some events is told by the next call. Wait-free but for `event`.
    ///
    /// # Errors
    /// [`RecvError`], before any event.
    #[inline]
    pub fn drain(&mut self, max: usize, mut event: impl FnMut(&E)) -> Result<usize, RecvError> {
        self.drain_while(max, |delivered| {
            event(delivered);
            ControlFlow::Continue(())
        })
    }

    /// As [`drain`](Self::drain), until `event` breaks: the event that it broke at counts as read.
    ///
    /// # Errors
    /// [`RecvError`], before any event.
    #[inline]
    pub fn drain_while(
        &mut self,
        max: usize,
        mut event: impl FnMut(&E) -> ControlFlow<()>,
    ) -> Result<usize, RecvError> {
        let mut count = 0;
        while count < max {
            match self.reader.poll() {
                Ok(true) => {}
                Ok(false) => break,
                // Told by the next call, which meets it again.
                Err(_) if count > 0 => break,
                Err(gone) => return Err(self.fail(gone)),
            }
            let (taken, flow) = self.reader.take_each((max - count) as u64, &mut event);
            count += taken as usize;
            if flow.is_break() {
                break;
            }
        }
        Ok(count)
    }

    /// Waits for the first event, then drains. How many events: at least 1, unless `max` is 0.
    ///
    /// # Errors
    /// [`RecvError`], before any event.
    pub fn recv_many(&mut self, max: usize, event: impl FnMut(&E)) -> Result<usize, RecvError> {
        if max > 0 {
            self.next_event(Deadline::NEVER)?;
        }
        self.drain(max, event)
    }

    /// Returns the newest event that is there, passing over those before it. Wait-free but for holes to pass.
    ///
    /// ```
    /// # let bus = ringbus::Bus::builder().build()?;
    /// let mut subscriber = bus.subscribe()?;
    /// bus.publisher().report_batch([101.5, 101.7, 101.2])?;
    /// assert_eq!(*subscriber.latest()?, 101.2);
    /// assert!(subscriber.latest().is_err_and(|error| error.is_empty()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TryRecvError`].
    pub fn latest(&mut self) -> Result<Delivery<'_, E>, TryRecvError> {
        if !self.poll()? {
            return Err(TryRecvError::Empty);
        }
        match self.reader.skip_to_newest() {
            Ok(()) => Ok(self.deliver()),
            Err(gone) => Err(self.fail(gone).into()),
        }
    }
}
