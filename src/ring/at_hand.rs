//! An iterator where the compiler can keep it in registers.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, size_of};
use std::ptr;

/// A larger iterator stays where it is, because a move would cost more than it brings.
const MOST_BYTES: usize = 64;

/// Lends `work` an iterator. A small one is moved here meanwhile, because behind a reference it
/// would be stored for each event, to a cache line between two of the events'.
#[inline(always)]
pub(super) fn at_hand<I, R>(iterator: &mut I, work: impl FnOnce(&mut I) -> R) -> R {
    if const { size_of::<I>() > MOST_BYTES } {
        return work(iterator);
    }
    work(&mut Moved::from(iterator).here)
}

/// A value that is back where it was when this is dropped, also where a panic drops it.
struct Moved<'a, T> {
    here: ManuallyDrop<T>,
    /// No reference, because the bytes there are stale meanwhile.
    home: *mut T,
    _borrows: PhantomData<&'a mut T>,
}

impl<'a, T> Moved<'a, T> {
    #[inline(always)]
    fn from(home: &'a mut T) -> Self {
        Moved {
            // SAFETY: the bytes at home are not used again before the drop writes over them,
            // because this borrows the place for as long.
            here: ManuallyDrop::new(unsafe { ptr::read(home) }),
            home,
            _borrows: PhantomData,
        }
    }
}

impl<T> Drop for Moved<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the value was moved from there, and is not used here again.
        unsafe { ptr::write(self.home, ManuallyDrop::take(&mut self.here)) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    /// Gives so many clones, and then panics.
    struct Few<const BYTES: usize>(usize, Rc<()>, [u8; BYTES]);

    impl<const BYTES: usize> Iterator for Few<BYTES> {
        type Item = Rc<()>;

        fn next(&mut self) -> Option<Rc<()>> {
            self.0 = self.0.checked_sub(1).expect("no more");
            Some(Rc::clone(&self.1))
        }
    }

    fn is_back_after_a_panic<const BYTES: usize>() {
        let value = Rc::new(());
        let mut few = Few(3, Rc::clone(&value), [7; BYTES]);
        let two: Vec<_> = at_hand(&mut few, |few| few.take(2).collect());
        assert_eq!((two.len(), few.0, Rc::strong_count(&value)), (2, 1, 4));
        let all = || at_hand(&mut few, |few| few.count());
        assert!(catch_unwind(AssertUnwindSafe(all)).is_err());
        assert_eq!((few.0, few.2), (0, [7; BYTES]));
        drop((two, few));
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn an_iterator_is_back_where_it_was_after_a_panic() {
        is_back_after_a_panic::<8>();
        is_back_after_a_panic::<1000>();
    }
}
