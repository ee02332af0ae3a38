//! An allocator that knows which threads are inside of it.
//!
//! The promise leaves the allocator's own locks out, so a freeze that lands there is counted apart.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

struct Marking;

#[global_allocator]
static ALLOCATOR: Marking = Marking;

thread_local! {
    // An atomic, as a signal handler reads it; constant and without a destructor, so that reading it is only a load.
    static INSIDE: AtomicBool = const { AtomicBool::new(false) };
}

/// The calling thread was inside when the signal came.
pub(crate) fn is_inside() -> bool {
    INSIDE.with(|inside| inside.load(Ordering::Relaxed))
}

fn marked<R>(body: impl FnOnce() -> R) -> R {
    INSIDE.with(|inside| {
        inside.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let result = body();
        compiler_fence(Ordering::SeqCst);
        inside.store(false, Ordering::Relaxed);
        result
    })
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Marking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        marked(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        marked(|| unsafe { System.dealloc(memory, layout) });
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        marked(|| unsafe { System.realloc(memory, layout, size) })
    }
}
