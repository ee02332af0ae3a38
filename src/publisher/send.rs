//! Sending one event to one ring, or to several: all or none.

use super::Published;
use crate::bus::{Core, Generation};
use crate::ring::shared::Entered;
use crate::ring::{Owed, Policy, Refusal};
use crate::sync::{Arc, PlainArc};
use crate::worker::Worker;

/// For the bus itself, which keeps nothing at hand.
pub(crate) fn report_once<E>(core: &Core<E>, event: E, policy: Policy) -> Result<(), (Refusal, E)> {
    let mut generation = core.running.load_full();
    send(core, &mut generation, event, policy).map(drop)
}

/// Reports to every ring that has a subscriber. A ring that was closed under us means that the workers may have been
/// replaced: `Stopped` only if they were not.
#[inline]
pub(super) fn send<E>(
    core: &Core<E>,
    generation: &mut PlainArc<Generation<E>>,
    mut event: E,
    policy: Policy,
) -> Published<E> {
    loop {
        let result = match generation.workers.as_slice() {
            [worker] if worker.ring.is_unheard() => return Ok(Some(event)),
            [worker] => worker.publish(event, policy),
            [] => Err((Refusal::Stopped, event)),
            workers => send_to_all(core, workers, event, policy),
        };
        match result {
            Err((Refusal::Stopped, back)) if reload(core, generation) => event = back,
            result => return result,
        }
    }
}

/// True if there are other workers now.
#[cold]
pub(super) fn reload<E>(core: &Core<E>, generation: &mut PlainArc<Generation<E>>) -> bool {
    let fresh = core.running.load_full();
    let changed = !PlainArc::ptr_eq(&fresh, generation);
    *generation = fresh;
    changed
}

/// All or none: claims and enters a slot in every ring that has a subscriber, then writes and commits them all.
///
/// The clones are made first and dropped last, so that no user code runs in between.
fn send_to_all<E>(
    core: &Core<E>,
    workers: &[Arc<Worker<E>>],
    event: E,
    policy: Policy,
) -> Published<E> {
    let Some(clone) = core.clone else {
        // Never: several rings are refused without it.
        return Err((Refusal::Stopped, event));
    };
    // Who hears it is settled before the clones, which are user code: whoever joins later joins after this event.
    let mut targets = workers
        .iter()
        .enumerate()
        .filter(|(_, worker)| !worker.ring.is_unheard());
    let Some((first, _)) = targets.next() else {
        return Ok(Some(event));
    };
    let mut copies: Vec<(usize, E)> = targets.map(|(index, _)| (index, clone(&event))).collect();
    copies.push((first, event));
    let mut claims: Vec<(usize, Entered, Owed, E)> = Vec::with_capacity(copies.len());

    // Claim and enter.
    let mut refused = None;
    while let Some((index, event)) = copies.pop() {
        let mut owed = Owed::default();
        match workers[index].ring.claim_and_enter(policy, &mut owed) {
            Ok(entered) => claims.push((index, entered, owed, event)),
            Err(refusal) => {
                workers[index].pay(owed);
                refused = Some((refusal, event));
                break;
            }
        }
    }
    if let Some((refusal, event)) = refused {
        let mut original = claims.is_empty().then_some(event);
        for (index, entered, owed, event) in claims {
            workers[index].ring.give_up(entered);
            workers[index].pay(owed);
            // The first that was claimed for is the event itself; the others are copies of it.
            original.get_or_insert(event);
        }
        return match original {
            Some(event) => Err((refusal, event)),
            None => Ok(None), // never: one of them was the event
        };
    }

    // Write and commit.
    let mut result = Ok(None);
    let mut olds = copies; // empty, with room for all: what slots held is dropped at the very end
    let mut committed = 0;
    for (index, entered, owed, event) in claims {
        let worker = &workers[index];
        let outcome = worker.ring.commit(entered, event);
        worker.pay(owed);
        match outcome {
            Ok(old) => {
                committed += 1;
                olds.extend(old.map(|old| (index, old)));
            }
            // Taken from us by a rescue. Anew, evicting if it must: the others have it, or will.
            Err(event) => match worker.publish(event, Policy::Evict) {
                Ok(old) => {
                    committed += 1;
                    olds.extend(old.map(|old| (index, old)));
                }
                Err(refused) => result = Err(refused),
            },
        }
    }
    // Only a freeze that overlaps a stop, or an exhausted ring, leaves one ring without it: the others keep theirs.
    if committed > 0 {
        result = Ok(olds.pop().map(|(_, old)| old));
    }
    result
}
