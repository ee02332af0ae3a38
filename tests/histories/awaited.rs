//! The future of `Bus::drained`, polled as an executor does it: at first, and then only after it
//! was woken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) struct Awaited {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    woken: Arc<Woken>,
    is_ready: bool,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Awaited {
    pub(crate) fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Awaited {
            future: Box::pin(future),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            is_ready: false,
        }
    }

    /// Polls the future until it is not woken any more. Returns whether it is ready.
    pub(crate) fn is_ready(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.woken));
        while !self.is_ready && self.woken.0.swap(false, Ordering::SeqCst) {
            let mut context = Context::from_waker(&waker);
            self.is_ready = self.future.as_mut().poll(&mut context) == Poll::Ready(());
        }
        self.is_ready
    }
}
