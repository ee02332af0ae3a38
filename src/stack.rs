//! A stack that many push to and one at a time takes whole (Treiber 1986, without a pop, so without its ABA).

use crate::sync::{AtomicPtr, Ordering, UnsafeCell};
use std::ptr;

/// Progress: pushing is lock-free, taking is wait-free.
#[derive(Debug)]
pub(crate) struct Stack<T> {
    head: AtomicPtr<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    /// Taken once. A cell, so that a model sees who comes to it unordered.
    value: UnsafeCell<Option<T>>,
    next: *mut Node<T>,
}

impl<T> Stack<T> {
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    pub(crate) fn push(&self, value: T) {
        // Relaxed: only the pointer is compared.
        let mut head = self.head.load(Ordering::Relaxed);
        let node = Box::into_raw(Box::new(Node {
            value: UnsafeCell::new(Some(value)),
            next: head,
        }));
        // SYNC stack: hands the node over.
        while let Err(found) =
            self.head
                .compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed)
        {
            head = found;
            // SAFETY: made above, and not shared before the exchange succeeds.
            unsafe { (*node).next = head };
        }
    }

    /// Everything that was pushed, the newest first.
    pub(crate) fn take_all(&self) -> TakeAll<T> {
        // SYNC stack: takes every node over.
        TakeAll(self.head.swap(ptr::null_mut(), Ordering::Acquire))
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        drop(self.take_all());
    }
}

// SAFETY: the stack owns its values and hands them to whoever takes them.
unsafe impl<T: Send> Send for Stack<T> {}
// SAFETY: a shared reference moves values in and out, and never lends one.
unsafe impl<T: Send> Sync for Stack<T> {}

/// The nodes that [`Stack::take_all`] took.
pub(crate) struct TakeAll<T>(*mut Node<T>);

impl<T> Iterator for TakeAll<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: made by `Box::into_raw` in `push`; the swap made this iterator the only owner of the chain.
        let node = unsafe { Box::from_raw(self.0) };
        self.0 = node.next;
        // SAFETY: as above.
        node.value.with_mut(|value| unsafe { (*value).take() })
    }
}

impl<T> Drop for TakeAll<T> {
    fn drop(&mut self) {
        for value in self.by_ref() {
            drop(value);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn takes_all_newest_first_and_drops_the_rest() {
        let stack = Stack::new();
        let value = std::rc::Rc::new(());
        for n in 0..3 {
            stack.push((n, value.clone()));
        }
        let mut taken = stack.take_all();
        assert_eq!(taken.next().map(|(n, _)| n), Some(2));
        stack.push((9, value.clone()));
        drop(taken);
        drop(stack);
        assert_eq!(std::rc::Rc::strong_count(&value), 1);
    }
}
