//! What the host is told of a drop, and the flag that makes sure that it is told once.

use crate::error::Eviction;
use crate::subscriber::id::SubscriberId;
use crate::sync::{AtomicU64, Ordering};

/// A subscriber was dropped. One notice for each drop, and for each move to the tail of one that rejoins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvictionNotice {
    /// Who.
    pub subscriber: SubscriberId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The worker whose ring it read.
    pub worker: usize,
    /// How and where.
    pub eviction: Eviction,
    /// What its handler panicked with, if that was a string.
    pub panic_message: Option<String>,
}

/// The host's callback for drops.
pub(crate) type OnEvict = Box<dyn Fn(&EvictionNotice) + Send + Sync>;

/// Makes sure that each drop is told once: `generation << 1 | armed`.
///
/// A generation is the life of a cursor between two joins. The thread that disarms it owns the telling.
#[derive(Debug)]
pub(crate) struct NoticeFlag(AtomicU64);

/// The word of a flag that was found armed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed(u64);

impl NoticeFlag {
    const ARMED: u64 = 1;
    const GENERATION: u64 = 2;

    pub(crate) fn new() -> Self {
        NoticeFlag(AtomicU64::new(0))
    }

    /// A cursor has joined: from now on its drop is to be told.
    pub(crate) fn arm(&self) {
        let word = self.0.load(Ordering::Relaxed);
        debug_assert_eq!(word & Self::ARMED, 0);
        // Relaxed: the fence of its join comes before, and releases that its cursor is another (SYNC notice).
        self.0
            .store((word | Self::ARMED) + Self::GENERATION, Ordering::Relaxed);
    }

    /// Returns the generation whose drop is to be told, if there is one.
    pub(crate) fn armed(&self) -> Option<Armed> {
        // SYNC notice: the cursor of this generation, from the fence of its join.
        let word = self.0.load(Ordering::Acquire);
        (word & Self::ARMED != 0).then_some(Armed(word))
    }

    pub(crate) fn is_armed(&self) -> bool {
        // Relaxed: asked of a registration that was seen to be retired, which acquires what its notice was by then.
        self.0.load(Ordering::Relaxed) & Self::ARMED != 0
    }

    /// Returns true to the one caller that is to tell the drop of this generation.
    pub(crate) fn claim(&self, Armed(word): Armed) -> bool {
        // Relaxed: one exchange succeeds, and carries nothing.
        self.0
            .compare_exchange(
                word,
                word & !Self::ARMED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// There is nothing to tell.
    pub(crate) fn disarm(&self) {
        // Relaxed: as above.
        self.0.fetch_and(!Self::ARMED, Ordering::Relaxed);
    }
}
