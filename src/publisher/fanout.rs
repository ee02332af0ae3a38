//! Sending one event to one ring, or to several: all or none.

use crate::engine::Engine;
use crate::ring::batch::{Batch, goes_one_by_one};
use crate::ring::claim::ClaimedSlot;
use crate::ring::gate::{Policy, Refusal};
use crate::ring::listeners::PendingWake;
use crate::sync::{Arc, ModelArc};
use crate::worker::Worker;
use crate::worker::set::WorkerSet;
use std::mem::MaybeUninit;

/// What a publish gives: the value that a slot held, or a refusal with the event.
pub(super) type Published<E> = Result<Option<E>, (Refusal, E)>;

/// For the bus itself, which keeps nothing at hand.
pub(crate) fn report_once<E>(
    engine: &Engine<E>,
    event: E,
    policy: Policy,
) -> Result<(), (Refusal, E)> {
    let mut set = engine.running.load_full();
    if const { goes_one_by_one::<E>() } {
        return in_place(event, |batch| {
            send_batch(engine, &mut set, batch, 1, policy)
        })
        .map(drop);
    }
    send_to_any(engine, &mut set, event, policy).map(drop)
}

/// Reports to the only ring, or to every ring that has a subscriber. A ring that was closed under
/// us means that the workers may have been replaced: `Stopped` only if they were not.
///
/// Inlined for certain, and the plain case by itself, because otherwise the result of each report
/// goes by way of memory. The caller has seen that a subscriber listens.
#[inline(always)]
pub(super) fn send<E>(
    engine: &Engine<E>,
    set: &mut Arc<WorkerSet<E>>,
    event: E,
    policy: Policy,
) -> Published<E> {
    let [worker] = set.workers.as_slice() else {
        return send_to_any(engine, set, event, policy);
    };
    match worker.publish(event, policy) {
        Err((Refusal::Stopped, back)) if reload(engine, set) => {
            send_to_any(engine, set, back, policy)
        }
        result => result,
    }
}

/// Does what [`send`] does, however many workers and listeners there are.
#[inline(never)]
fn send_to_any<E>(
    engine: &Engine<E>,
    set: &mut Arc<WorkerSet<E>>,
    mut event: E,
    policy: Policy,
) -> Published<E> {
    loop {
        let result = match set.workers.as_slice() {
            [worker] if worker.ring.has_no_listeners() => return Ok(Some(event)),
            [worker] => worker.publish(event, policy),
            [] => Err((Refusal::Stopped, event)),
            workers => copy_to_all(engine, workers, event, policy),
        };
        match result {
            Err((Refusal::Stopped, back)) if reload(engine, set) => event = back,
            result => return result,
        }
    }
}

/// Reports `event` to all rings, from a place of its own.
///
/// Not inlined, because what it takes by reference would stay in memory in [`send`] too.
#[inline(never)]
fn copy_to_all<E>(
    engine: &Engine<E>,
    workers: &[ModelArc<Worker<E>>],
    event: E,
    policy: Policy,
) -> Published<E> {
    in_place(event, |batch| send_to_all(engine, workers, batch, policy))
}

/// Moves `event` to a place of its own, and sends it from there as a batch of one.
#[inline(never)]
pub(super) fn in_place<E>(
    event: E,
    send: impl FnOnce(&mut Batch<'_, E>) -> Result<(), Refusal>,
) -> Published<E> {
    let mut place = MaybeUninit::uninit();
    let mut batch = Batch::of_one(&mut place, event);
    let sent = send(&mut batch);
    batch.outcome_of_one(sent)
}

/// Reports the events of `batch`, in order, as [`send`] does, for one of so many `publishers`. An
/// event that is left in `batch` after a refusal was not reported.
pub(super) fn send_batch<E>(
    engine: &Engine<E>,
    set: &mut Arc<WorkerSet<E>>,
    batch: &mut Batch<'_, E>,
    publishers: u64,
    policy: Policy,
) -> Result<(), Refusal> {
    while !batch.is_empty() {
        let result = match set.workers.as_slice() {
            [worker] if worker.ring.has_no_listeners() => {
                batch.unheard();
                Ok(())
            }
            [worker] => worker.publish_batch(batch, batch.len(), publishers, policy),
            [] => Err(Refusal::Stopped),
            workers => send_to_all(engine, workers, batch, policy),
        };
        match result {
            Err(Refusal::Stopped) if reload(engine, set) => {}
            result => result?,
        }
    }
    Ok(())
}

/// True if there are other workers now.
#[cold]
pub(super) fn reload<E>(engine: &Engine<E>, set: &mut Arc<WorkerSet<E>>) -> bool {
    let fresh = engine.running.load_full();
    let changed = !Arc::ptr_eq(&fresh, set);
    *set = fresh;
    changed
}

/// Reports the first event of `batch` to all rings or to none: claims and enters a slot in every
/// ring that has a subscriber, then writes and commits them all.
///
/// The clones are made first and dropped last, so that no user code runs in between.
fn send_to_all<E>(
    engine: &Engine<E>,
    workers: &[ModelArc<Worker<E>>],
    batch: &mut Batch<'_, E>,
    policy: Policy,
) -> Result<(), Refusal> {
    let (Some(clone), Some(event)) = (engine.clone, batch.peek()) else {
        // Never: several rings are refused without it, and there is an event.
        return Err(Refusal::Stopped);
    };
    // The target rings are fixed before the clones, because `Clone` is user code: a subscriber that
    // joins meanwhile starts after this event.
    let targets: Vec<&ModelArc<Worker<E>>> = workers
        .iter()
        .filter(|worker| !worker.ring.has_no_listeners())
        .collect();
    // All that a refusal costs is a look, but for a race: slots are claimed only where there is room everywhere.
    for worker in &targets {
        worker.prepare(policy)?;
    }
    // The event itself comes first.
    let Some(others) = targets.len().checked_sub(1) else {
        batch.unheard();
        return Ok(());
    };
    let mut places = Vec::new();
    places.resize_with(others, MaybeUninit::uninit);
    let mut copies: Vec<Batch<'_, E>> = places
        .iter_mut()
        .map(|place| Batch::of_one(place, clone(event)))
        .collect();

    // User code ends here, until everything is committed or given up: all values stay where they
    // are.
    let (claims, pending): (Vec<ClaimedSlot>, Vec<PendingWake>) =
        claim_all(&targets, policy)?.into_iter().unzip();
    let mut steps = targets.iter().zip(claims);
    if let Some((worker, slot)) = steps.next()
        && let Err(refusal) = commit_first(worker, slot, batch, policy)
    {
        for (worker, slot) in steps {
            worker.ring.abort(slot);
        }
        wake_all_pending(&targets, pending);
        return Err(refusal);
    }
    for ((worker, slot), copy) in steps.zip(&mut copies) {
        // One ring has the event, so the others must get it too. A ring goes without it only if it
        // is exhausted, or if a freeze of this thread overlaps a stop.
        let _ = commit_first(worker, slot, copy, Policy::Evict);
    }
    wake_all_pending(&targets, pending);
    batch.keep_old_of(&mut copies);
    Ok(())
}

/// Pays after the last commit, because a thread that is woken may take this one's core while it
/// holds a claim.
fn wake_all_pending<E>(targets: &[&ModelArc<Worker<E>>], pending: Vec<PendingWake>) {
    for (worker, pending) in targets.iter().zip(pending) {
        worker.wake_pending(pending);
    }
}

/// Commits the first event of `batch` in a slot that was entered, or publishes it anew if the slot
/// was abandoned.
fn commit_first<E>(
    worker: &Worker<E>,
    slot: ClaimedSlot,
    batch: &mut Batch<'_, E>,
    policy: Policy,
) -> Result<(), Refusal> {
    if worker.ring.commit_run(slot, 1, batch) {
        Ok(())
    } else {
        worker.publish_batch(batch, 1, 1, policy)
    }
}

/// A slot in every ring, or in none: those that were entered become holes.
fn claim_all<E>(
    targets: &[&ModelArc<Worker<E>>],
    policy: Policy,
) -> Result<Vec<(ClaimedSlot, PendingWake)>, Refusal> {
    let mut claims: Vec<(ClaimedSlot, PendingWake)> = Vec::with_capacity(targets.len());
    for worker in targets {
        let mut pending = PendingWake::default();
        match worker.ring.claim_and_enter(policy, &mut pending) {
            Ok(slot) => claims.push((slot, pending)),
            Err(refusal) => {
                let (claims, mut all_pending): (Vec<ClaimedSlot>, Vec<PendingWake>) =
                    claims.into_iter().unzip();
                all_pending.push(pending);
                for (worker, slot) in targets.iter().zip(claims) {
                    worker.ring.abort(slot);
                }
                wake_all_pending(targets, all_pending);
                return Err(refusal);
            }
        }
    }
    Ok(claims)
}
