//! The facade over the standard library.

pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
pub(crate) type AtomicU8 = std::sync::atomic::AtomicU8;
pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;
pub(crate) type AtomicPtr<T> = std::sync::atomic::AtomicPtr<T>;
pub(crate) type Ordering = std::sync::atomic::Ordering;
/// A reference count that a model follows: for what owns events.
pub(crate) type ModelArc<T> = std::sync::Arc<T>;
/// A reference count that a model does not follow: for what owns no event.
pub(crate) type Arc<T> = std::sync::Arc<T>;
pub(crate) type Mutex<T> = std::sync::Mutex<T>;
pub(crate) type OnceLock<T> = std::sync::OnceLock<T>;
pub(crate) type PoisonError<T> = std::sync::PoisonError<T>;

pub(crate) use std::sync::atomic::fence;

/// A fence behind an exchange of this thread's. It is for the exchange and for what came before; a
/// store between the two may still be late.
///
/// On x86 the exchange is a full barrier itself (Intel's manual, volume 3, "Locked instructions and
/// memory ordering"), so that only the compiler is to be kept from reordering.
#[inline(always)]
pub(crate) fn fence_behind_exchange(order: Ordering) {
    if cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
        std::sync::atomic::compiler_fence(order);
    } else {
        fence(order);
    }
}

/// Asks for the cache line of `place`, to read it soon. A prefetch reads nothing itself, and orders
/// nothing. On other processors than x86-64 and AArch64 this does nothing.
#[inline(always)]
pub(crate) fn prefetch(place: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch changes nothing, and may have any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above. The instruction changes no register and no flag.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) place,
            options(nostack, preserves_flags, readonly));
    }
    let _ = place;
}

/// Asks for the cache line of `place`, to write it soon. It writes nothing itself, and orders
/// nothing. On other processors than x86-64 and AArch64 this does nothing.
///
/// By `asm!` on x86-64, because the compiler turns the intrinsic into a prefetch for reading where
/// the target is not said to have PREFETCHW. [The limitations](crate::docs::limitations) say which
/// processors lack it.
#[inline(always)]
pub(crate) fn prefetch_write(place: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch changes no value, and may have any address. The instruction changes no
    // register and no flag.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) place,
            options(nostack, preserves_flags, readonly));
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{}]", in(reg) place,
            options(nostack, preserves_flags, readonly));
    }
    let _ = place;
}

/// Threads, and the ways to give up a core.
pub(crate) mod thread {
    use std::io;
    use std::time::Duration;

    pub(crate) type Thread = std::thread::Thread;
    pub(crate) type ThreadId = std::thread::ThreadId;
    pub(crate) type JoinHandle<T> = std::thread::JoinHandle<T>;

    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::thread::{current, sleep, yield_now};

    /// Why a thread did not start.
    #[derive(Debug)]
    pub(crate) enum SpawnError<X> {
        System(io::Error),
        Setup(X),
    }

    /// Starts a thread, and waits until its `setup` went well.
    pub(crate) fn spawn<T: Send + 'static, X: Send + 'static>(
        name: String,
        setup: impl FnOnce() -> Result<(), X> + Send + 'static,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<Option<T>>, SpawnError<X>> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                let ready = setup();
                let failed = ready.is_err();
                // The spawner waits below, so the only way to fail is that it is gone.
                let _ = tell.send(ready);
                (!failed).then(body)
            })
            .map_err(SpawnError::System)?;
        match told.recv() {
            Ok(Ok(())) => Ok(thread),
            Ok(Err(error)) => Err(SpawnError::Setup(error)),
            Err(_) => Err(SpawnError::System(io::ErrorKind::Other.into())),
        }
    }

    pub(crate) fn is_finished<T>(thread: &JoinHandle<T>) -> bool {
        thread.is_finished()
    }

    /// Waits for a thread to end, or for `over`, with a `pause` between two looks.
    pub(crate) fn wait_for<T>(thread: JoinHandle<T>, pause: Duration, over: impl Fn() -> bool) {
        while !thread.is_finished() && !over() {
            sleep(pause);
        }
    }

    /// Leaves shared memory alone for some hundred nanoseconds at the most.
    pub(crate) fn rest() {
        for _ in 0..16 {
            spin_loop();
        }
    }

    /// Sleeps until someone unparks this thread, at most `length`.
    pub(crate) fn nap(length: Duration) {
        std::thread::park_timeout(length);
    }

    /// Sleeps for `length`, or until someone unparks this thread.
    pub(crate) fn doze(length: Duration) {
        std::thread::park_timeout(length);
    }
}

/// A cell whose accesses a model checks.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// A pointer for reading, good while the borrow that is returned with it is kept.
    #[inline(always)]
    pub(crate) fn borrow(&self) -> (*const T, Borrow<T>) {
        (self.0.get(), Borrow(std::marker::PhantomData))
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, body: impl FnOnce(*mut T) -> R) -> R {
        body(self.0.get())
    }
}

/// What a model needs to know of a borrow: here, nothing.
#[derive(Debug)]
pub(crate) struct Borrow<T>(std::marker::PhantomData<fn() -> T>);

/// The one borrow that a reader holds, or none: here, nothing.
#[derive(Debug)]
pub(crate) struct Lease<T>(std::marker::PhantomData<fn() -> T>);

impl<T> Lease<T> {
    pub(crate) fn none() -> Self {
        Self(std::marker::PhantomData)
    }

    #[inline(always)]
    pub(crate) fn begin(&mut self, _borrow: Borrow<T>) {}

    #[inline(always)]
    pub(crate) fn end(&mut self) {}
}
