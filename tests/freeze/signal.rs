//! Freezes one thread of this process, at whatever instruction it happens to be.
//!
//! One at a time: the test that freezes holds [`crate::ALONE`].

use crate::allocator;
use procfs::process::Process;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The number of the freeze that stands, or 0. Threads that a signal reaches wait here until it is another.
static GATE: AtomicU32 = AtomicU32::new(0);
/// The number of the last freeze whose thread has come to stand.
static ARRIVED: AtomicU32 = AtomicU32::new(0);
/// Where it stands.
static INSTRUCTION: AtomicUsize = AtomicUsize::new(0);
static IN_ALLOCATOR: AtomicBool = AtomicBool::new(false);

/// Where a thread stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) instruction: usize,
    /// In code of this program, and neither in the system nor in the system's library.
    pub(crate) in_our_code: bool,
    pub(crate) in_allocator: bool,
}

/// A thread that stands still until this is dropped.
#[derive(Debug)]
pub(crate) struct Frozen(pub(crate) Place);

/// Where this program's code is mapped.
fn our_code() -> Range<usize> {
    static OURS: OnceLock<Range<usize>> = OnceLock::new();
    let find = || {
        let maps = Process::myself().and_then(|process| process.maps()).ok();
        let ranges = maps.into_iter().flatten();
        let mut ranges = ranges.map(|map| map.address.0 as usize..map.address.1 as usize);
        let ours = |range: &Range<usize>| range.contains(&(our_code as *const () as usize));
        ranges.find(ours).unwrap_or(0..0)
    };
    OURS.get_or_init(find).clone()
}

/// The system's number of the calling thread.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: it has no conditions.
    unsafe { libc::gettid() }
}

/// Freezes the thread `id`. `None` if it has not come to stand after `patience`.
pub(crate) fn freeze(id: i32, patience: Duration) -> Option<Frozen> {
    static HANDLER: Once = Once::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    HANDLER.call_once(install);
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    GATE.store(number, Ordering::Release);
    // SAFETY: the handler is installed; a thread that is gone is an error.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR1) };
    let began = Instant::now();
    while ARRIVED.load(Ordering::Acquire) != number {
        if sent != 0 || began.elapsed() > patience {
            GATE.store(0, Ordering::Release);
            return None;
        }
        thread::sleep(Duration::from_micros(10));
    }
    let instruction = INSTRUCTION.load(Ordering::Relaxed);
    Some(Frozen(Place {
        instruction,
        in_our_code: our_code().contains(&instruction),
        in_allocator: IN_ALLOCATOR.load(Ordering::Relaxed),
    }))
}

impl Drop for Frozen {
    fn drop(&mut self) {
        GATE.store(0, Ordering::Release);
        // SAFETY: the word is a static.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                GATE.as_ptr(),
                libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                i32::MAX,
            );
        }
    }
}

fn install() {
    our_code(); // found now, as nothing is allocated during a freeze
    // SAFETY: the handler does only what a handler may; the action is zeroed but for what is set here.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = stand;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        let installed = libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
        assert_eq!(installed, 0);
    }
}

/// The handler: atomics and a futex, and `errno` as it was.
extern "C" fn stand(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the thread's own.
    let errno = unsafe { *libc::__errno_location() };
    let number = GATE.load(Ordering::Acquire);
    INSTRUCTION.store(instruction(context), Ordering::Relaxed);
    IN_ALLOCATOR.store(allocator::is_inside(), Ordering::Relaxed);
    ARRIVED.store(number, Ordering::Release);
    while number != 0 && GATE.load(Ordering::Acquire) == number {
        // SAFETY: the word is a static; no timeout.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                GATE.as_ptr(),
                libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                number,
                std::ptr::null::<libc::timespec>(),
            );
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Only for the figures: 0 where it is not known.
fn instruction(context: *mut libc::c_void) -> usize {
    // SAFETY: the system passes a `ucontext_t`.
    let _context = unsafe { &*context.cast::<libc::ucontext_t>() };
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    return _context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize;
    #[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
    return 0;
}
