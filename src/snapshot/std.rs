//! A snapshot on arc-swap.

use crate::stack::Stack;
use crate::sync::Arc;
use arc_swap::ArcSwap;

/// A value that readers load and writers replace whole, neither ever waiting for the other.
///
/// What was replaced is freed by [`Snapshot::sweep`], never by a reader: a publisher that
/// looks at the registry must not enter the allocator.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    current: ArcSwap<T>,
    retired: Stack<Arc<T>>,
}

/// A loaded [`Snapshot`].
pub(crate) type Loaded<T> = arc_swap::Guard<Arc<T>>;

impl<T> Snapshot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            current: ArcSwap::from_pointee(value),
            retired: Stack::new(),
        }
    }

    // SYNC registry: arc-swap's load acquires what a swap released.
    pub(crate) fn load(&self) -> Loaded<T> {
        self.current.load()
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Replaces the value by what `change` makes of it; `change` runs again if another writer came first.
    pub(crate) fn update<R, X>(
        &self,
        mut change: impl FnMut(&T) -> Result<(T, R), X>,
    ) -> Result<R, X> {
        let mut seen = self.current.load_full();
        loop {
            let (next, result) = change(&seen)?;
            // SYNC registry: the swap releases what the writer saw of the cursors.
            let found = self.current.compare_and_swap(&seen, Arc::new(next));
            if Arc::ptr_eq(&found, &seen) {
                drop(found);
                self.retired.push(seen);
                return Ok(result);
            }
            seen = arc_swap::Guard::into_inner(found);
        }
    }

    /// Replaces the value, and gives the old one back instead of keeping it for [`Snapshot::sweep`].
    pub(crate) fn replace(&self, value: T) -> Arc<T> {
        // SYNC registry
        self.current.swap(Arc::new(value))
    }

    /// Frees what was replaced and is in no reader's hand. Runs the values' own `Drop`: under no lock of ours.
    pub(crate) fn sweep(&self) {
        for value in self.retired.take_all() {
            // A count of one cannot rise again: nobody else can reach the value any more.
            if Arc::strong_count(&value) > 1 {
                self.retired.push(value);
            }
        }
    }
}
