//! Events on their way into a ring, many at a time.

use super::at_hand::at_hand;
use super::gate::Refusal;
use crate::limits::BATCH;
use crate::unwind::drop_all;
use std::mem::MaybeUninit;

const FEWER: usize = BATCH / 4;
const FEWEST: usize = BATCH / 32;

/// How many events of this type a batch takes: [`BATCH`], fewer of larger ones. They lie on the
/// publisher's stack, some ten thousand bytes of them.
pub(crate) const fn batch_of<E>() -> usize {
    match size_of::<E>() {
        0..=64 => BATCH,
        65..=1024 => FEWER,
        1025..=LARGEST => FEWEST,
        _ => 1,
    }
}

/// The largest event that waits in a batch with others, in bytes. Four larger ones would take more
/// of the stack than a thread may have.
const LARGEST: usize = 4096;

/// Returns whether events of this type are too large to wait with others, or to be handed from call
/// to call. Each is reported from a [batch of one](Batch::of_one).
pub(crate) const fn goes_one_by_one<E>() -> bool {
    size_of::<E>() > LARGEST
}

/// Events on their way into slots, and the values that those slots held.
///
/// A slot and the place of its event swap their contents, so that an event is moved once, however
/// many calls it passes. Where no value is kept, the event is copied. The places lie on the
/// publisher's stack. User code (the iterator before, the drops after) runs outside of any claim.
///
/// **\[B1 places\]** `places[..olds]` hold values that slots held, and `places[start..end]` hold
/// events. No other place holds anything, and `olds <= start`.
#[derive(Debug)]
pub(crate) struct Batch<'a, E> {
    places: &'a mut [MaybeUninit<E>],
    olds: usize,
    start: usize,
    end: usize,
    committed: usize,
    keeps_olds: bool,
}

/// How far an iterator has filled a batch. Its drop, which a panic of the iterator's comes to as
/// well, writes that down.
struct Given<'a> {
    end: usize,
    batch_end: &'a mut usize,
}

impl Drop for Given<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.batch_end = self.end;
    }
}

/// Lends `work` an empty batch.
#[inline(always)]
pub(crate) fn with_batch<E, R>(work: impl FnOnce(&mut Batch<'_, E>) -> R) -> R {
    let work = |places: &mut [MaybeUninit<E>]| work(&mut Batch::new(places));
    match const { batch_of::<E>() } {
        BATCH => on_stack::<E, R, BATCH>(work),
        FEWER => on_stack::<E, R, FEWER>(work),
        FEWEST => on_stack::<E, R, FEWEST>(work),
        _ => on_stack::<E, R, 1>(work),
    }
}

#[inline]
fn on_stack<E, R, const N: usize>(work: impl FnOnce(&mut [MaybeUninit<E>]) -> R) -> R {
    work(&mut [const { MaybeUninit::uninit() }; N])
}

/// Moves `event` to `place`. (Where nothing is optimised, [`MaybeUninit::write`] copies it twice on
/// its way.)
#[inline(always)]
fn put<E>(place: &mut MaybeUninit<E>, event: E) {
    // SAFETY: the pointer comes from a reference to the place, which is aligned and exclusive.
    unsafe { place.as_mut_ptr().write(event) };
}

impl<'a, E> Batch<'a, E> {
    fn new(places: &'a mut [MaybeUninit<E>]) -> Self {
        Batch {
            places,
            olds: 0,
            start: 0,
            end: 0,
            committed: 0,
            keeps_olds: std::mem::needs_drop::<E>(),
        }
    }

    /// The values that slots held are wanted: their drop does something, or the caller takes them.
    /// Otherwise an event is copied over them, and they are gone.
    pub(crate) fn keeps_olds(&self) -> bool {
        self.keeps_olds
    }

    /// Moves `event` to `place`, as a batch of one.
    pub(crate) fn of_one(place: &'a mut MaybeUninit<E>, event: E) -> Self {
        put(place, event);
        let mut batch = Batch::new(std::slice::from_mut(place));
        batch.end = 1;
        batch.keeps_olds = true;
        batch
    }

    /// Takes up to `most` events of an iterator, as far as there is room. True if the iterator
    /// ended: it is not to be asked again.
    #[inline]
    pub(crate) fn gather(&mut self, events: &mut impl Iterator<Item = E>, most: usize) -> bool {
        let end = self.places.len().min(self.end.saturating_add(most));
        let mut given = Given {
            end: self.end,
            batch_end: &mut self.end,
        };
        at_hand(events, |events| {
            for place in &mut self.places[given.end..end] {
                let Some(event) = events.next() else {
                    return true;
                };
                put(place, event);
                given.end += 1;
            }
            most == 0
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// How many were published.
    pub(crate) fn committed(&self) -> usize {
        self.committed
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<E> {
        if self.is_empty() {
            return None;
        }
        self.start += 1;
        // SAFETY: [B1 places]: it was among the events, and has left them.
        Some(unsafe { self.places[self.start - 1].assume_init_read() })
    }

    /// Returns the first event, and leaves it where it is.
    pub(crate) fn peek(&self) -> Option<&E> {
        let first = self.places[self.start..self.end].first()?;
        // SAFETY: [B1 places]: it is among the events.
        Some(unsafe { first.assume_init_ref() })
    }

    /// Returns the places of the first `count` events. A caller that exchanges them for the values
    /// of slots calls [`published`](Self::published) next, or exchanges them back.
    #[inline(always)]
    pub(crate) fn front(&mut self, count: usize) -> &mut [MaybeUninit<E>] {
        &mut self.places[self.start..self.end][..count]
    }

    /// Counts the first `count` events as published.
    ///
    /// # Safety
    /// Their places hold the values that the slots held if `holds_values`, and otherwise nothing.
    #[inline(always)]
    pub(crate) unsafe fn published(&mut self, count: usize, holds_values: bool) {
        debug_assert!(count <= self.len());
        if holds_values {
            if self.olds < self.start {
                // Some slots before held nothing, so these values move up.
                (0..count).for_each(|n| self.places.swap(self.olds + n, self.start + n));
            }
            self.olds += count;
        }
        self.start += count;
        self.committed += count;
    }

    /// Counts all events as published, and keeps them as values to drop, because no subscriber
    /// would read them.
    pub(crate) fn unheard(&mut self) {
        // SAFETY: [B1 places]: the places hold the events themselves.
        unsafe { self.published(self.len(), true) };
    }

    /// Takes over a value of `copies`, which went to other rings, if no slot of the first ring held
    /// one. The first event must have been published.
    pub(crate) fn keep_old_of(&mut self, copies: &mut [Batch<'_, E>]) {
        debug_assert!(self.start > 0, "its place is needed");
        if self.olds == 0
            && let Some(old) = copies.iter_mut().find_map(Batch::pop_old)
        {
            put(&mut self.places[0], old);
            self.olds = 1;
        }
    }

    /// Takes the last of the values that slots held.
    pub(crate) fn pop_old(&mut self) -> Option<E> {
        self.olds = self.olds.checked_sub(1)?;
        // SAFETY: [B1 places]: it was among the values, and has left them.
        Some(unsafe { self.places[self.olds].assume_init_read() })
    }
}

impl<E> Batch<'_, E> {
    /// Ends a [batch of one](Self::of_one), and returns the value that its slot held, or the event
    /// that was refused.
    pub(crate) fn outcome_of_one(
        mut self,
        sent: Result<(), Refusal>,
    ) -> Result<Option<E>, (Refusal, E)> {
        match sent {
            Ok(()) => Ok(self.pop_old()),
            Err(refusal) => self.refused(refusal),
        }
    }

    /// Gives the first event back, which was refused.
    #[cold]
    fn refused(&mut self, refusal: Refusal) -> Result<Option<E>, (Refusal, E)> {
        match self.pop() {
            Some(event) => Err((refusal, event)),
            None => unreachable!("a batch is refused for an event that it holds"),
        }
    }
}

impl<E> Drop for Batch<'_, E> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<E>() {
            let (olds, events) = (0..self.olds, self.start..self.end);
            // SAFETY: [B1 places]: each holds something, and is not used again.
            let drop_at = |place: usize| unsafe { self.places[place].assume_init_drop() };
            drop_all(olds.chain(events).map(drop_at));
        }
    }
}

/// Values that slots held, until they may be dropped: at most [`batch_of`], and none if their drop
/// does nothing.
///
/// **\[B2 olds\]** `values[..count]` hold them, and the others nothing.
#[derive(Debug)]
pub(crate) struct Olds<'a, E> {
    values: &'a mut [MaybeUninit<E>],
    count: usize,
}

/// Lends `work` room for the values of a batch that goes straight into its slots.
#[inline(always)]
pub(crate) fn with_olds<E, R>(work: impl FnOnce(&mut Olds<'_, E>) -> R) -> R {
    let work = |values: &mut [MaybeUninit<E>]| work(&mut Olds { values, count: 0 });
    match const {
        if std::mem::needs_drop::<E>() {
            batch_of::<E>()
        } else {
            0
        }
    } {
        0 => on_stack::<E, R, 0>(work),
        BATCH => on_stack::<E, R, BATCH>(work),
        FEWER => on_stack::<E, R, FEWER>(work),
        FEWEST => on_stack::<E, R, FEWEST>(work),
        _ => on_stack::<E, R, 1>(work),
    }
}

impl<E> Olds<'_, E> {
    #[inline(always)]
    pub(crate) fn keep(&mut self, value: Option<E>) {
        if std::mem::needs_drop::<E>()
            && let Some(value) = value
        {
            self.values[self.count].write(value);
            self.count += 1;
        }
    }
}

impl<E> Drop for Olds<'_, E> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<E>() {
            let values = self.values[..self.count].iter_mut();
            // SAFETY: [B2 olds]: each holds a value, and is not used again.
            drop_all(values.map(|value| unsafe { value.assume_init_drop() }));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn first_in_first_out() {
        with_batch(|batch| {
            batch.gather(&mut (0..), BATCH);
            assert_eq!((batch.pop(), batch.pop()), (Some(0), Some(1)));
            assert_eq!((batch.len(), batch.peek()), (BATCH - 2, Some(&2)));
            assert_eq!((batch.front(2).len(), batch.pop()), (2, Some(2)));
        });
    }

    #[test]
    fn what_is_left_is_dropped_once() {
        let value = Rc::new(());
        with_batch(|batch| {
            batch.gather(&mut std::iter::repeat_with(|| Rc::clone(&value)), 3);
            drop(batch.pop());
            assert_eq!(Rc::strong_count(&value), 3);
        });
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn a_batch_says_when_its_iterator_has_ended() {
        let gather = |count: usize, most: usize| {
            with_batch(|batch| (batch.gather(&mut (0..count), most), batch.len()))
        };
        assert_eq!(gather(3, 4), (true, 3));
        assert_eq!(gather(3, 3), (false, 3));
        assert_eq!(gather(1_000, usize::MAX), (false, BATCH));
        assert_eq!(gather(3, 0), (true, 0));
    }

    #[test]
    fn large_events_come_in_smaller_batches() {
        fn gathered<E: Copy>(event: E) -> usize {
            with_batch(|batch| {
                batch.gather(&mut std::iter::repeat(event), usize::MAX);
                assert_eq!(batch.len(), batch_of::<E>());
                batch.len()
            })
        }
        assert_eq!(gathered([0u64; 8]), 128);
        assert_eq!(gathered([0u64; 9]), 32);
        assert_eq!(gathered([0u64; 128]), 32);
        assert_eq!(gathered([0u64; 129]), 4);
        assert_eq!(gathered([0u64; 512]), 4);
        assert_eq!(gathered([0u64; 513]), 1);
    }

    /// Publishes the first of `batch` into a slot that holds `old`.
    fn publish<E>(batch: &mut Batch<'_, E>, old: Option<E>) {
        let holds_value = old.is_some();
        let place = &mut batch.front(1)[0];
        // SAFETY: it holds an event.
        drop(unsafe { place.assume_init_read() });
        if let Some(old) = old {
            place.write(old);
        }
        // SAFETY: as it was done.
        unsafe { batch.published(1, holds_value) };
    }

    #[test]
    fn values_of_slots_are_kept_beside_slots_that_held_none() {
        let values: Vec<Rc<usize>> = (0..10).map(Rc::new).collect();
        let value = |n: usize| Rc::clone(&values[n]);
        with_batch(|batch| {
            batch.gather(&mut (0..6).map(value), 6);
            publish(batch, Some(value(6)));
            publish(batch, None);
            publish(batch, Some(value(7)));
            publish(batch, Some(value(8)));
            assert_eq!((batch.len(), batch.committed()), (2, 4));
            assert_eq!(batch.pop_old().as_deref(), Some(&8));
            let counts: Vec<_> = values.iter().map(Rc::strong_count).collect();
            assert_eq!(counts, [1, 1, 1, 1, 2, 2, 2, 2, 1, 1]);
        });
        assert!(values.iter().all(|value| Rc::strong_count(value) == 1));
    }

    #[test]
    fn a_batch_of_one_gives_its_event_back_if_nobody_would_read_it() {
        let mut place = MaybeUninit::uninit();
        let mut batch = Batch::of_one(&mut place, "event".to_owned());
        batch.unheard();
        assert_eq!((batch.len(), batch.committed()), (0, 1));
        assert_eq!(batch.pop_old().as_deref(), Some("event"));
        assert_eq!(batch.pop_old(), None);
    }

    #[test]
    fn what_goes_straight_into_slots_leaves_values_for_their_drop() {
        let value = Rc::new(());
        with_olds(|olds| {
            (0..5).for_each(|_| olds.keep(Some(Rc::clone(&value))));
            olds.keep(None);
            assert_eq!(Rc::strong_count(&value), 6);
        });
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
