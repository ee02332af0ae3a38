//! The facade over loom.

use std::fmt;

pub(crate) type Ordering = std::sync::atomic::Ordering;
/// A reference count that a model follows: for what owns events.
pub(crate) type ModelArc<T> = loom::sync::Arc<T>;
/// A reference count that a model does not follow: for what owns no event.
pub(crate) type Arc<T> = std::sync::Arc<T>;
pub(crate) type Mutex<T> = loom::sync::Mutex<T>;
pub(crate) type OnceLock<T> = std::sync::OnceLock<T>;
pub(crate) type PoisonError<T> = std::sync::PoisonError<T>;

loom::lazy_static! {
    static ref TICK: loom::sync::atomic::AtomicUsize = loom::sync::atomic::AtomicUsize::new(0);
}

/// Makes every operation on an atomic depend on every other, so that loom explores their orders.
fn tick() {
    // Relaxed: it must lend the code under test no order.
    TICK.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn fence(order: Ordering) {
    tick();
    loom::sync::atomic::fence(order);
}

pub(crate) fn fence_behind_exchange(order: Ordering) {
    fence(order);
}

/// A model has no caches.
pub(crate) fn prefetch(_: *const u8) {}
pub(crate) fn prefetch_write(_: *const u8) {}

macro_rules! ticking {
    ($name:ident, $value:ty) => {
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        #[allow(dead_code)]
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }
            pub(crate) fn load(&self, order: Ordering) -> $value {
                tick();
                self.0.load(order)
            }
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                tick();
                self.0.store(value, order);
            }
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.swap(value, order)
            }
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                tick();
                self.0.compare_exchange(current, new, success, failure)
            }
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }
        }
    };
}

macro_rules! ticking_integer {
    ($name:ident, $value:ty) => {
        ticking!($name, $value);

        #[allow(dead_code)]
        impl $name {
            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.fetch_add(value, order)
            }
            pub(crate) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.fetch_sub(value, order)
            }
            pub(crate) fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.fetch_or(value, order)
            }
            pub(crate) fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.fetch_and(value, order)
            }
            pub(crate) fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                tick();
                self.0.fetch_max(value, order)
            }
        }
    };
}

ticking!(AtomicBool, bool);
ticking_integer!(AtomicU8, u8);
ticking_integer!(AtomicU64, u64);
ticking_integer!(AtomicUsize, usize);

pub(crate) struct AtomicPtr<T>(loom::sync::atomic::AtomicPtr<T>);

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtomicPtr")
    }
}

impl<T> AtomicPtr<T> {
    pub(crate) fn new(value: *mut T) -> Self {
        Self(loom::sync::atomic::AtomicPtr::new(value))
    }
    pub(crate) fn load(&self, order: Ordering) -> *mut T {
        tick();
        self.0.load(order)
    }
    pub(crate) fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        tick();
        self.0.swap(value, order)
    }
    pub(crate) fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        tick();
        self.0.compare_exchange(current, new, success, failure)
    }
}

/// Threads, and the ways to give up a core.
pub(crate) mod thread {
    use std::io;
    use std::time::Duration;

    pub(crate) type Thread = loom::thread::Thread;
    pub(crate) type ThreadId = loom::thread::ThreadId;
    pub(crate) type JoinHandle<T> = loom::thread::JoinHandle<T>;

    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::thread::{current, yield_now};

    /// Why a thread did not start.
    #[derive(Debug)]
    #[allow(dead_code)]
    pub(crate) enum SpawnError<X> {
        System(io::Error),
        Setup(X),
    }

    /// A model has no time to rest in.
    pub(crate) fn rest() {}

    /// Starts a thread, whose `setup` is known to go well in a model.
    pub(crate) fn spawn<T: Send + 'static, X: Send + 'static>(
        name: String,
        setup: impl FnOnce() -> Result<(), X> + Send + 'static,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<Option<T>>, SpawnError<X>> {
        loom::thread::Builder::new()
            .name(name)
            .spawn(move || setup().is_ok().then(body))
            .map_err(SpawnError::System)
    }

    /// Nobody waits for a thread in a model but by joining it.
    pub(crate) fn is_finished<T>(_thread: &JoinHandle<T>) -> bool {
        true
    }

    /// Waits for a thread to end: no deadline passes in a model, so that a thread that does not end shows.
    pub(crate) fn wait_for<T>(thread: JoinHandle<T>, _pause: Duration, _over: impl Fn() -> bool) {
        // It panicked, then: the model fails anyway.
        let _ = thread.join();
    }

    /// Sleeps until someone unparks this thread: no time passes in a model, so that a wake-up that is lost shows.
    pub(crate) fn nap(_length: Duration) {
        loom::thread::park();
    }

    /// Lets the others have a turn, and goes on: whoever dozes waits for time to pass, not for a wake-up.
    pub(crate) fn doze(_length: Duration) {
        yield_now();
    }

    pub(crate) fn sleep(_length: Duration) {
        yield_now();
    }
}

/// A cell whose accesses loom checks.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// A pointer for reading, good while the borrow that is returned with it is kept.
    pub(crate) fn borrow(&self) -> (*const T, Borrow<T>) {
        let pointer = self.0.get();
        let raw = pointer.with(|raw| raw);
        (raw, Borrow(pointer))
    }

    pub(crate) fn with_mut<R>(&self, body: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(body)
    }
}

/// A borrow that loom holds against whoever writes meanwhile.
pub(crate) struct Borrow<T>(#[allow(dead_code)] loom::cell::ConstPtr<T>);

impl<T> fmt::Debug for Borrow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Borrow")
    }
}

/// The one borrow that a reader holds, or none.
#[derive(Debug)]
pub(crate) struct Lease<T>(Option<Borrow<T>>);

impl<T> Lease<T> {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn begin(&mut self, borrow: Borrow<T>) {
        self.0 = Some(borrow);
    }

    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

// SAFETY: a subscriber is `Send`, and takes what it borrows along; loom's threads share one thread of the system.
unsafe impl<T> Send for Borrow<T> {}
// SAFETY: nothing can be done through a shared `Borrow`.
unsafe impl<T> Sync for Borrow<T> {}
