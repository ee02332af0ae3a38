//! Sending one event to one ring, or to several: all or none.

use super::Published;
use crate::bus::{Core, Generation};
use crate::contain::drop_beside;
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
    let targets: Vec<&Arc<Worker<E>>> = workers
        .iter()
        .filter(|worker| !worker.ring.is_unheard())
        .collect();
    // All that a refusal costs is a look, but for a race: slots are claimed only where there is room everywhere.
    for worker in &targets {
        if let Err(refusal) = worker.prepare(policy) {
            return Err((refusal, event));
        }
    }
    // The event itself comes first.
    let Some(others) = targets.len().checked_sub(1) else {
        return Ok(Some(event));
    };
    let copies: Vec<E> = (0..others).map(|_| clone(&event)).collect();
    let mut events = Vec::with_capacity(targets.len());
    events.push(event);
    events.extend(copies);

    // User code ends here, until everything is committed or given up: values go to `left`, which has room for all.
    let mut left = Vec::with_capacity(targets.len());
    let claims = match claim_all(&targets, policy) {
        Ok(claims) => claims,
        Err(refusal) => {
            let event = events.swap_remove(0);
            return Err((refusal, drop_beside(event, events.into_iter())));
        }
    };
    let mut committed = 0;
    let mut steps = targets.iter().zip(claims).zip(events);
    while let Some(((worker, (entered, owed)), event)) = steps.next() {
        let outcome = worker.ring.commit(entered, event);
        worker.pay(owed);
        // Taken from us by a rescue? Anew; and once another ring has the event, evicting if it must.
        let policy = if committed == 0 {
            policy
        } else {
            Policy::Evict
        };
        match outcome.or_else(|event| worker.publish(event, policy)) {
            Ok(old) => {
                committed += 1;
                left.extend(old);
            }
            Err((refusal, event)) if committed == 0 => {
                left.push(event);
                for ((worker, (entered, owed)), event) in steps {
                    worker.ring.give_up(entered);
                    worker.pay(owed);
                    left.push(event);
                }
                let event = left.swap_remove(0);
                return Err((refusal, drop_beside(event, left.into_iter())));
            }
            // Only a freeze that overlaps a stop, or an exhausted ring, leaves one ring without it.
            Err((_, event)) => left.push(event),
        }
    }
    let old = left.pop();
    Ok(drop_beside(old, left.into_iter()))
}

/// A slot in every ring, or in none: those that were entered become holes.
fn claim_all<E>(
    targets: &[&Arc<Worker<E>>],
    policy: Policy,
) -> Result<Vec<(Entered, Owed)>, Refusal> {
    let mut claims: Vec<(Entered, Owed)> = Vec::with_capacity(targets.len());
    for worker in targets {
        let mut owed = Owed::default();
        match worker.ring.claim_and_enter(policy, &mut owed) {
            Ok(entered) => claims.push((entered, owed)),
            Err(refusal) => {
                worker.pay(owed);
                for (worker, (entered, owed)) in targets.iter().zip(claims) {
                    worker.ring.give_up(entered);
                    worker.pay(owed);
                }
                return Err(refusal);
            }
        }
    }
    Ok(claims)
}
