//! A snapshot on one of loom's words.

use crate::sync::{Arc, AtomicUsize, Ordering};

/// A value that readers load and writers replace whole: one atomic word, and what was replaced lives to the end.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    current: AtomicUsize,
    /// Every value there ever was; the word is an index into it. Only one of loom's threads runs at a time, and
    /// none is switched away from inside `load` or `update` while it touches this.
    values: std::cell::UnsafeCell<Vec<Arc<T>>>,
}

/// A loaded [`Snapshot`].
pub(crate) type Loaded<T> = Arc<T>;

impl<T> Snapshot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            current: AtomicUsize::new(0),
            values: std::cell::UnsafeCell::new(vec![Arc::new(value)]),
        }
    }

    pub(crate) fn load(&self) -> Loaded<T> {
        self.load_full()
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        // SYNC registry: as strong as arc-swap's load.
        let index = self.current.load(Ordering::Acquire);
        // SAFETY: see `values`.
        Arc::clone(unsafe { &(&*self.values.get())[index] })
    }

    pub(crate) fn update<R, X>(
        &self,
        mut change: impl FnMut(&T) -> Result<(T, R), X>,
    ) -> Result<R, X> {
        let mut seen = self.current.load(Ordering::Acquire);
        loop {
            // SAFETY: see `values`.
            let value = Arc::clone(unsafe { &(&*self.values.get())[seen] });
            let (next, result) = change(&value)?;
            // SAFETY: see `values`.
            let values = unsafe { &mut *self.values.get() };
            values.push(Arc::new(next));
            let index = values.len() - 1;
            // SYNC registry: as strong as arc-swap's swap.
            match self
                .current
                .compare_exchange(seen, index, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Ok(result),
                Err(found) => seen = found,
            }
        }
    }

    pub(crate) fn replace(&self, value: T) -> Arc<T> {
        // SAFETY: see `values`.
        let values = unsafe { &mut *self.values.get() };
        values.push(Arc::new(value));
        let index = values.len() - 1;
        // SYNC registry: as strong as arc-swap's swap.
        let old = self.current.swap(index, Ordering::AcqRel);
        // SAFETY: see `values`.
        Arc::clone(unsafe { &(&*self.values.get())[old] })
    }

    /// What was replaced lives to the end.
    pub(crate) fn sweep(&self) {}
}

// SAFETY: see `values`.
unsafe impl<T: Send + Sync> Send for Snapshot<T> {}
// SAFETY: see `values`.
unsafe impl<T: Send + Sync> Sync for Snapshot<T> {}
