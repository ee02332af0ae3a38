//! What a worker's turn does: wake sleepers, take stalled claims away, hold subscribers to their limits, and tell the
//! host of each drop once.

use crate::config::SHORTEST_LOOK;
use crate::error::EvictionReason;
use crate::notice::EvictionNotice;
use crate::registry::progress::NEVER;
use crate::registry::registration::Registration;
use crate::ring::listeners::Armed;
use crate::ring::listeners::PendingWake;
use crate::sync::{Arc, Ordering, fence};
use crate::unwind;
use crate::worker::Worker;
use std::time::Duration;

/// What one [`Bus::turn`](crate::Bus::turn) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Sleeping subscribers that were woken.
    pub woken: usize,
    /// Claims that were taken from publishers that hung.
    pub rescued: usize,
    /// Subscribers dropped for a soft limit.
    pub evicted: usize,
    /// Notices given.
    pub notices: usize,
    /// Subscribers that still sleep.
    pub asleep: usize,
    /// Subscribers that wait at a claim which is not committed, or that are held to a limit.
    pub watched: usize,
    /// When the next turn is due at the latest, if nobody asks for one before: never more than `max_nap`.
    pub look_again: Duration,
}

impl Turn {
    pub(crate) fn nothing(look_again: Duration) -> Self {
        Turn {
            woken: 0,
            rescued: 0,
            evicted: 0,
            notices: 0,
            asleep: 0,
            watched: 0,
            look_again,
        }
    }

    /// Anything was woken, rescued, dropped or told.
    pub fn did_something(&self) -> bool {
        self.woken + self.rescued + self.evicted + self.notices > 0
    }

    /// Nobody sleeps, and nobody is watched.
    pub(crate) fn is_quiet(&self) -> bool {
        self.asleep + self.watched == 0
    }

    pub(crate) fn add(&mut self, other: Turn) {
        self.woken += other.woken;
        self.rescued += other.rescued;
        self.evicted += other.evicted;
        self.notices += other.notices;
        self.asleep += other.asleep;
        self.watched += other.watched;
        self.look_again = self.look_again.min(other.look_again);
    }
}

impl<E> Worker<E> {
    /// One look at everybody.
    pub(crate) fn turn(&self) -> Turn {
        // SYNC sleep: sleepers that registered before are seen; those that come after look for themselves.
        fence(Ordering::SeqCst);
        let registrations = self.ring.registry().registrations();
        if !self.ring.protocol().marks_stamps()
            && registrations
                .iter()
                .any(|registration| registration.sleeper.is_asleep())
        {
            // Asked again, as a report may have taken the bit for somebody else.
            self.ring.ask_for_wake_up();
            // SYNC sleep: as in `prepare_park`, whose part this plays.
            fence(Ordering::SeqCst);
        }
        // The clock is user code. Without it this turn watches no times, but it wakes sleepers and tells all the same.
        let now = unwind::catch(|| self.config.clock.now()).ok().map(nanos);
        let mut turn = Turn::nothing(self.config.max_nap);
        let mut notices: Vec<EvictionNotice> = Vec::new();
        let mut settled = false;
        for registration in registrations.iter() {
            self.watch(registration, now, &mut turn);
            notices.extend(self.claim_notice(registration));
            settled |= registration.is_reclaimable();
        }
        if settled {
            self.ring.registry().prune();
        }
        notices.extend(self.queued_notices.take_all());
        turn.notices = notices.len();
        for notice in &notices {
            self.tell(notice);
        }
        turn
    }

    fn watch(&self, registration: &Registration, now: Option<u64>, turn: &mut Turn) {
        let position = registration.cursor.look();
        if let Some(now) = now
            && position.is_active()
        {
            if self.waits_for_a_claim(registration, position.sequence(), now, turn) {
                // Nobody is slow who waits at a claim that is not committed.
                registration.progress.since.store(NEVER, Ordering::Relaxed);
                registration
                    .progress
                    .lagging_since
                    .store(NEVER, Ordering::Relaxed);
            } else if !self.is_stopping()
                && let Some(reason) =
                    self.over_a_limit(registration, position.sequence(), now, turn)
                && registration.cursor.evict(position, reason)
            {
                turn.evicted += 1;
                self.ring.registry().drain_waiters().wake_all();
                turn.woken += usize::from(registration.wake_evicted());
            }
        }
        if registration.sleeper.is_asleep() {
            // Again: a rescue or an eviction may have come.
            let position = registration.cursor.look();
            let sleeps_on = position.is_active()
                && !self.ring.is_closed()
                && self.has_to_wait(position.sequence(), turn);
            if sleeps_on {
                turn.asleep += 1;
            } else {
                turn.woken += usize::from(registration.wake());
            }
        }
    }

    /// There is nothing at `at` for a sleeper; somebody will say when there is, or the next turn looks again soon.
    fn has_to_wait(&self, at: u64, turn: &mut Turn) -> bool {
        if !self.ring.protocol().marks_stamps() {
            return self.ring.is_pending(at);
        }
        match self.ring.arm(at) {
            Armed::Ready => false,
            Armed::Yes => true,
            Armed::WriterActive => {
                if !self.ring.is_in_flight(at) {
                    // A writer of an earlier lap, under which no stamp can be marked: an eye on it until it has left.
                    turn.watched += 1;
                    turn.look_again = turn.look_again.min(self.config.grace());
                }
                true
            }
        }
    }

    /// [K2 young] Watches a subscriber that waits for a claim in flight, and abandons what this worker has seen uncommitted for
    /// a grace. Returns false if it waits for none.
    fn waits_for_a_claim(
        &self,
        registration: &Registration,
        at: u64,
        now: u64,
        turn: &mut Turn,
    ) -> bool {
        let wait = &registration.progress.claim;
        if !self.ring.is_in_flight(at) {
            wait.end();
            return false;
        }
        turn.watched += 1;
        let longer = |grace| nanos(self.config.longer_grace(Duration::from_nanos(grace)));
        let base = nanos(self.config.grace());
        let (grace, stalled_until) = wait.go_on(at, now, self.ring.tail(), base, longer);
        turn.look_again = turn.look_again.min(Duration::from_nanos(grace));
        if let Some(until) = stalled_until {
            let mut pending = PendingWake::default();
            let (abandoned, end) = self.ring.abandon_each(at..until, &mut pending);
            turn.rescued += abandoned as usize;
            // A subscriber that slept at one of those slots may have been passed by this look already.
            self.wake_pending(pending);
            wait.abandoned_up_to(end);
        }
        true
    }

    /// The soft limits: lag, and no advance.
    fn over_a_limit(
        &self,
        registration: &Registration,
        at: u64,
        now: u64,
        turn: &mut Turn,
    ) -> Option<EvictionReason> {
        let options = &registration.options;
        let progress = &registration.progress;
        let behind = self.ring.lag(at);
        let mut verdict = None;
        turn.watched += usize::from(options.lag_limit.is_some() || options.stall_limit.is_some());
        if let Some(limit) = options.lag_limit {
            turn.look_again = turn.look_again.min(limit.time / 4);
            let since = progress.lagging_since.load(Ordering::Relaxed);
            let next = if behind > limit.slots {
                since.min(now)
            } else {
                NEVER
            };
            progress.lagging_since.store(next, Ordering::Relaxed);
            if next != NEVER && now - next > nanos(limit.time) {
                verdict = Some(EvictionReason::Lagging);
            }
        }
        if let Some(limit) = options.stall_limit {
            turn.look_again = turn.look_again.min(limit / 4);
            let moved = progress.sequence.swap(at, Ordering::Relaxed) != at;
            let since = progress.since.load(Ordering::Relaxed);
            // From the first look that finds it behind, not from the last that did not.
            let next = match behind {
                0 => NEVER,
                _ if moved || since == NEVER => now,
                _ => since,
            };
            progress.since.store(next, Ordering::Relaxed);
            if next != NEVER && now.saturating_sub(next) >= nanos(limit) && next != now {
                verdict = verdict.or(Some(EvictionReason::Stalled));
            }
        }
        turn.look_again = turn.look_again.max(SHORTEST_LOOK.min(self.config.max_nap));
        verdict
    }

    fn claim_notice(&self, registration: &Registration) -> Option<EvictionNotice> {
        let pending_notice = registration.pending_notice()?;
        let eviction = Registration::eviction(pending_notice.state, self.ring.tail())?;
        let told = registration.claim_notice(pending_notice);
        if eviction.reason == EvictionReason::Unsubscribed && registration.left_by_itself() {
            return None; // of its own will: no news
        }
        told.then(|| {
            self.counters.evicted[eviction.reason as usize].fetch_add(1, Ordering::Relaxed);
            EvictionNotice {
                subscriber: registration.id,
                name: registration.options.name.clone(),
                worker: self.id,
                eviction,
                panic_message: registration.panic_message.get().cloned(),
            }
        })
    }

    /// The subscriber itself leaves word of its drop, before it rejoins.
    pub(crate) fn queue_notice(&self, registration: &Arc<Registration>) {
        if let Some(notice) = self.claim_notice(registration) {
            self.queued_notices.push(notice);
            self.notify_worker();
        }
    }

    fn tell(&self, notice: &EvictionNotice) {
        let Some(on_evict) = &self.config.on_evict else {
            return;
        };
        if unwind::catch(|| on_evict(notice)).is_err() {
            self.counters.notice_panics.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn nanos(time: Duration) -> u64 {
    // Below NEVER: a clock of 584 years is not to be told from no time at all.
    u64::try_from(time.as_nanos())
        .unwrap_or(u64::MAX)
        .min(NEVER - 1)
}
