//! The rules of the protocols, each taken out.

use std::ops::Range;

use super::mutant::{Guard, Kind, Mutant, Target, read};
use crate::Result;

struct Rule {
    name: &'static str,
    /// `model file::name` or `test file::name`.
    guard: &'static str,
    edits: &'static [Edit],
}

/// In a file below `src`: what stands there exactly once, however it is broken into lines, and what comes instead.
struct Edit(&'static str, &'static str, &'static str);

/// A mutant for each rule.
pub fn mutants() -> Result<Vec<Mutant>> {
    RULES.iter().map(Rule::mutant).collect()
}

impl Rule {
    fn mutant(&self) -> Result<Mutant> {
        let mut files: Vec<(String, String)> = Vec::new();
        for Edit(file, old, new) in self.edits {
            let path = format!("src/{file}");
            let (_, mut text) = match files.iter().position(|(known, _)| *known == path) {
                Some(at) => files.swap_remove(at), // edited before
                None => (path.clone(), read(&path)?),
            };
            match places(&text, old).as_slice() {
                [place] => text.replace_range(place.clone(), new),
                found => {
                    let (name, times) = (self.name, found.len());
                    return Err(format!(
                        "rule `{name}`: {path} has `{old}` {times} times, not once"
                    ));
                }
            }
            files.push((path, text));
        }
        Ok(Mutant {
            name: format!("rule: {}", self.name),
            kind: Kind::Rule,
            files,
            guard: self.guard()?,
        })
    }

    fn guard(&self) -> Result<Guard> {
        let (kind, path) = self.guard.split_once(' ').unwrap_or(("", self.guard));
        let target = Target::parse(path);
        match kind {
            "model" => target
                .check("loom-tests/tests")
                .map(|()| Guard::Model(target)),
            "test" => target.check("tests").map(|()| Guard::Test(target)),
            _ => Err(format!(
                "rule `{}`: no guard is called `{}`",
                self.name, self.guard
            )),
        }
    }
}

/// Where `wanted` stands in `text`, whatever white space is between its words.
fn places(text: &str, wanted: &str) -> Vec<Range<usize>> {
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else {
        return Vec::new();
    };
    text.match_indices(first)
        .filter_map(|(start, _)| {
            let mut end = start + first.len();
            for word in rest {
                let after = &text[end..];
                let gap = after.len() - after.trim_start().len();
                if gap == 0 || !after[gap..].starts_with(word) {
                    return None;
                }
                end += gap + word.len();
            }
            Some(start..end)
        })
        .collect()
}

const RULES: &[Rule] = &[
    // Claim, enter, commit.
    Rule {
        name: "a claim by fetch_add, not by an exchange",
        guard: "model evict::no_claim_goes_beyond_the_limit_that_it_was_made_for",
        edits: &[Edit(
            "ring/shared.rs",
            "if self .tail .compare_exchange_weak(start, end, Ordering::Release, Ordering::Relaxed) .is_ok() { return Ok(start..end); }",
            "let start = self.tail.fetch_add(end - start, Ordering::Release); return Ok(start..start + (end - start));",
        )],
    },
    Rule {
        name: "enter by a store",
        guard: "model stall::one_of_two_readers_takes_the_claim_away",
        edits: &[Edit(
            "ring/shared.rs",
            "stamp.compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed)",
            "{ stamp.store(next.0, Ordering::Release); Ok(seen.0) }",
        )],
    },
    Rule {
        name: "enter does not give way to a later stamp",
        guard: "model stall::readers_agree_about_a_stalled_claim",
        edits: &[Edit(
            "ring/shared.rs",
            "if !seen.is_before(lap) { return None; // abandoned",
            "if !seen.at_rest() && !seen.is_before(lap) { return None; // abandoned",
        )],
    },
    Rule {
        name: "enter swaps out the head of a run like a single stamp",
        guard: "test runs::what_is_left_of_a_run_stays_final_behind_who_was_faster",
        edits: &[Edit(
            "ring/shared.rs",
            "seen.is_before(lap) && seen.at_rest() && seen.is_single()",
            "seen.is_before(lap) && seen.at_rest()",
        )],
    },
    Rule {
        name: "enter goes in to a writer of an earlier lap",
        guard: "model stall::a_lapped_writer_keeps_its_slot_to_itself",
        edits: &[
            Edit(
                "ring/shared.rs",
                "seen.is_before(lap) && seen.at_rest() && seen.is_single()",
                "seen.is_before(lap) && seen.is_single()",
            ),
            Edit(
                "ring/shared.rs",
                "holds_value: found.holds_value(), }",
                "holds_value: !found.at_rest() || found.holds_value(), }",
            ),
        ],
    },
    Rule {
        name: "commit by a store",
        guard: "model stall::readers_agree_about_a_stalled_claim",
        edits: &[Edit(
            "ring/shared.rs",
            "match self.slots.stamp(sequence).compare_exchange( Stamp::writing(lap).0, Stamp::full(lap).0, Ordering::Release, Ordering::Relaxed, ) {",
            "self.slots.stamp(sequence).store(Stamp::full(lap).0, Ordering::Release); match Ok::<u64, u64>(0) {",
        )],
    },
    Rule {
        name: "a lost writer does not put the old value back",
        guard: "model wrap::what_two_publishers_report_is_seen_once",
        edits: &[Edit(
            "ring/slots.rs",
            "if let Some(old) = old { value.write(old); }",
            "drop(old);",
        )],
    },
    Rule {
        name: "a lost writer does not leave its slot",
        guard: "model stall::a_lapped_writer_keeps_its_slot_to_itself",
        edits: &[Edit(
            "ring/shared.rs",
            "self.leave(sequence, holds_value); Err(event)",
            "Err(event)",
        )],
    },
    Rule {
        name: "a rescue makes a hole of a slot whose writer is inside",
        guard: "model stall::readers_agree_about_a_stalled_claim",
        edits: &[Edit(
            "ring/shared.rs",
            "(Stamp::lost(lap).with_run_of(seen), seen.run())",
            "(Stamp::empty(lap, false).with_run_of(seen), seen.run())",
        )],
    },
    Rule {
        name: "the count of lost slots may not be below zero",
        guard: "model stall::a_rescued_publisher_keeps_its_order",
        edits: &[Edit(
            "ring.rs",
            "lost.max(0).cast_unsigned()",
            "lost.cast_unsigned()",
        )],
    },
    Rule {
        name: "an event that lost its slot is left out of its batch",
        guard: "model batch::a_stalled_batch_keeps_its_order",
        edits: &[Edit(
            "ring/run.rs",
            "self.leave(head, holds_value); false",
            "self.leave(head, holds_value); drop(batch.pop()); false",
        )],
    },
    // Room: gate, eviction, pins.
    Rule {
        name: "the gate is one slot too far",
        guard: "model publish::a_slot_is_written_again_when_its_reader_has_moved_on",
        edits: &[Edit(
            "registry.rs",
            "until.min(position.sequence() + self.capacity)",
            "until.min(position.sequence() + self.capacity + 1)",
        )],
    },
    Rule {
        name: "no hole for a pinned slot at the tail",
        guard: "model evict::a_borrowed_event_stays_whole",
        edits: &[Edit(
            "registry.rs",
            "} else if pinned_here > 0 {",
            "} else if pinned_here > capacity {",
        )],
    },
    Rule {
        name: "pinned slots ahead are not seen",
        guard: "model evict::a_borrowed_event_stays_whole",
        edits: &[Edit(
            "registry.rs",
            "Pin::At(sequence) => free = free.min(sequence),",
            "Pin::At(sequence) => free = free.max(sequence).min(gate),",
        )],
    },
    Rule {
        name: "an evicted reader's window pins nothing (window 0)",
        guard: "model evict::a_borrowed_event_stays_whole",
        edits: &[Edit(
            "registry.rs",
            "match next_pinned(position.sequence(), member.window, tail, capacity)",
            "match next_pinned(position.sequence(), 0, tail, capacity)",
        )],
    },
    Rule {
        name: "a window pins one slot too few",
        guard: "model window::a_delivery_in_a_window_outlives_an_eviction",
        edits: &[Edit(
            "registry.rs",
            "match next_pinned(position.sequence(), member.window, tail, capacity)",
            "match next_pinned(position.sequence(), member.window - 1, tail, capacity)",
        )],
    },
    Rule {
        name: "a reader's window is one slot wider than its cursor pins",
        guard: "model window::a_delivery_in_a_window_outlives_an_eviction",
        edits: &[Edit(
            "reader.rs",
            "sequence + member.window",
            "sequence + member.window + 1",
        )],
    },
    Rule {
        name: "an eviction by a store",
        guard: "model evict::an_advance_and_an_eviction_have_an_order",
        edits: &[Edit(
            "cursor.rs",
            "self.0 .compare_exchange( seen.0, seen.evicted(reason).0, Ordering::Release, Ordering::Relaxed, ) .is_ok()",
            "self.0.store(seen.evicted(reason).0, Ordering::Release); true",
        )],
    },
    Rule {
        name: "an advance does not look whether it was evicted",
        guard: "model evict::an_advance_and_an_eviction_have_an_order",
        edits: &[Edit(
            "reader.rs",
            "if old.is_active() { Ok(())",
            "if old.is_active() || !old.is_detached() { Ok(())",
        )],
    },
    Rule {
        name: "a cursor moves on by one slot too many",
        guard: "model window::a_window_is_given_back_whole",
        edits: &[Edit(
            "reader.rs",
            "let old = self.member.cursor.advance(self.span.read()); self.span",
            "let old = self.member.cursor.advance(self.span.read() + 1); self.span.step(); self.span",
        )],
    },
    Rule {
        name: "a ring that is half pinned is not exhausted",
        guard: "test two_workers::hooked::a_ring_that_is_exhausted_refuses_for_both",
        edits: &[Edit(
            "registry.rs",
            "if pinned + scan.lost > capacity / 2 {",
            "if pinned + scan.lost > capacity * 2 {",
        )],
    },
    Rule {
        name: "windows are given out beyond their quota",
        guard: "test lifecycle::a_ring_takes_as_many_subscribers_as_it_can_pin",
        edits: &[Edit(
            "registry.rs",
            "let left = (size.capacity / limits::PIN_SHARE).checked_sub(spent)?;",
            "let left = (size.capacity / limits::PIN_SHARE).saturating_sub(spent).max(1);",
        )],
    },
    Rule {
        name: "a scan does not look for the claim that a subscriber waits for",
        guard: "test claims::a_scan_abandons_a_claim_when_the_tail_is_half_a_ring_ahead_of_it",
        edits: &[Edit(
            "ring.rs",
            "if self.is_exclusive() { return CursorAt::NoClaim; }",
            "if self.capacity() > 0 { return CursorAt::NoClaim; }",
        )],
    },
    Rule {
        name: "[K1 share] a claim takes a whole batch",
        guard: "model claim::a_frozen_batch_holds_no_more_than_its_share",
        edits: &[Edit(
            "ring/run.rs",
            "let want = share.min(left as u64);",
            "let want = share.max(left as u64);",
        )],
    },
    Rule {
        name: "[K1 share] a claim is as large as if there were one publisher",
        guard: "test claims::a_publisher_that_is_not_frozen_claims_no_more_than_its_share",
        edits: &[Edit(
            "ring/run.rs",
            "let share = self.claim_share(publishers); let mut tries",
            "let share = self.claim_share(publishers.min(1)); let mut tries",
        )],
    },
    Rule {
        name: "[K2 young] a claim is abandoned a quarter of the ring ahead",
        guard: "test claims::a_scan_abandons_a_claim_when_the_tail_is_half_a_ring_ahead_of_it",
        edits: &[Edit(
            "ring.rs",
            "(self.capacity() / limits::STALL_SHARE).max(1)",
            "(self.capacity() / 4).max(1)",
        )],
    },
    Rule {
        name: "[K2 young] a scan goes beyond a claim that is not yet stalled",
        guard: "test claims::a_scan_abandons_a_claim_when_the_tail_is_half_a_ring_ahead_of_it",
        edits: &[Edit(
            "registry.rs",
            "CursorAt::Claim { until } => (self.may_evict, true, until),",
            "CursorAt::Claim { .. } => (self.may_evict, true, u64::MAX),",
        )],
    },
    Rule {
        name: "[K2 young] a scan abandons no slot of a stalled claim that is younger",
        guard: "test claims::a_scan_frees_all_that_a_frozen_batch_has_not_entered",
        edits: &[Edit(
            "ring/shared.rs",
            "let reach = tail.min(end + self.claim_share(1));",
            "let reach = end;",
        )],
    },
    Rule {
        name: "[K2 young] the worker does not back off",
        guard: "test claims::the_worker_abandons_what_it_has_seen_for_a_grace_and_backs_off",
        edits: &[Edit(
            "member.rs",
            "self.abandoned.store(end, Ordering::Relaxed);",
            "let _ = end;",
        )],
    },
    Rule {
        name: "[K2 young] the worker abandons young claims behind a stalled one",
        guard: "test claims::the_worker_abandons_what_it_has_seen_for_a_grace_and_backs_off",
        edits: &[Edit(
            "watch.rs",
            "self.ring.abandon_each(at..until, &mut owed);",
            "self.ring.abandon_each(at..until.max(self.ring.tail()), &mut owed);",
        )],
    },
    Rule {
        name: "a try is spent for each slot that is lost",
        guard: "test claims::a_batch_may_lose_as_many_claims_in_a_row_as_the_ring_has_slots",
        edits: &[Edit(
            "ring/run.rs",
            "is_lost &= !committed;",
            "is_lost &= !committed; if !committed { self.spend(&mut tries)?; }",
        )],
    },
    Rule {
        name: "a subscriber that has not drained is evicted by a stop",
        guard: "test drained::a_program_of_one_thread_reads_after_its_stop_what_it_had_reported",
        edits: &[Edit(
            "stop.rs",
            "if member.terms.is_handler && member.evict(EvictionReason::Stalled) {",
            "if member.evict(EvictionReason::Stalled) {",
        )],
    },
    Rule {
        name: "soft limits go on while a stop waits",
        guard: "test drained::a_stop_drops_no_subscriber_that_was_over_a_soft_limit",
        edits: &[Edit(
            "watch.rs",
            "} else if !self.is_stopping() && let",
            "} else if let",
        )],
    },
    Rule {
        name: "a subscriber that meets the end wakes no future",
        guard: "model drained::a_future_is_woken_by_the_last_subscriber_that_is_done",
        edits: &[Edit(
            "reader.rs",
            "ring.seats().drain_waiters().wake_all(); return Err(Gone::Closed);",
            "return Err(Gone::Closed);",
        )],
    },
    Rule {
        name: "a subscriber that is dropped wakes no future",
        guard: "model drained::a_future_is_woken_by_a_subscriber_that_leaves",
        edits: &[Edit(
            "reader.rs",
            "self.worker.ring.unlisten(); self.worker.ring.seats().drain_waiters().wake_all();",
            "self.worker.ring.unlisten();",
        )],
    },
    Rule {
        name: "who is moved on by a rescue is evicted all the same",
        guard: "test hooks::a_stopped_publisher_costs_healthy_readers_nothing_and_its_event_comes_later",
        edits: &[Edit(
            "registry.rs",
            "let in_the_way = if blameless { room == 0 } else { room < eighth };",
            "let in_the_way = if blameless { room < self.capacity } else { room < eighth };",
        )],
    },
    Rule {
        name: "latest borrows where its cursor has not moved to",
        guard: "model latest::the_newest_event_is_borrowed_where_the_cursor_is",
        edits: &[Edit(
            "reader.rs",
            "let old = self.member.cursor.advance(passed); if !old.is_active() { return Err(self.leave_evicted()); } self.span = Span::at(newest, self.window_at(newest)); self.span.see(1);",
            "let _ = passed; while self.span.next() < newest { self.span.step(); } self.span.see_one();",
        )],
    },
    Rule {
        name: "latest does not look whether it was evicted",
        guard: "model latest::the_newest_event_is_borrowed_where_the_cursor_is",
        edits: &[Edit(
            "reader.rs",
            "let old = self.member.cursor.advance(passed); if !old.is_active() {",
            "let old = self.member.cursor.advance(passed); if old.is_detached() {",
        )],
    },
    // Join, rejoin, leave.
    Rule {
        name: "a joiner starts where it registered, not at the tail after its fence",
        guard: "model join::a_joiner_sees_what_comes_after_its_join",
        edits: &[Edit(
            "worker.rs",
            "let tail = worker.ring.tail_after_fence();",
            "let tail = start;",
        )],
    },
    Rule {
        name: "a joiner does not look whether it was evicted on its way up",
        guard: "model join::a_joiner_sees_what_comes_after_its_join",
        edits: &[Edit(
            "worker.rs",
            "let joined = if member.cursor.move_up(start, tail) {",
            "let joined = if member.cursor.move_up(start, tail) || tail >= start {",
        )],
    },
    Rule {
        name: "a rejoiner starts where it restarted, not at the tail after its fence",
        guard: "model rejoin::a_rejoined_reader_sees_what_comes_after",
        edits: &[Edit(
            "worker.rs",
            "let tail = self.ring.tail_after_fence();",
            "let tail = start;",
        )],
    },
    Rule {
        name: "a rejoiner does not look whether it was evicted on its way up",
        guard: "model rejoin::a_rejoin_outlives_an_eviction",
        edits: &[Edit(
            "worker.rs",
            "if member.cursor.move_up(start, tail) { return tail; }",
            "if member.cursor.move_up(start, tail) || tail >= start { return tail; }",
        )],
    },
    Rule {
        name: "a joiner moves up by a store",
        guard: "model rejoin::a_rejoin_outlives_an_eviction",
        edits: &[Edit(
            "cursor.rs",
            "self.0 .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed) .is_ok()",
            "self.0.store(to.max(from), Ordering::Release); true",
        )],
    },
    Rule {
        name: "a subscriber detaches before its last borrow ends",
        guard: "model leave::a_leaver_is_pruned_by_a_turn",
        edits: &[Edit(
            "reader.rs",
            "fn drop(&mut self) { self.held.end();",
            "fn drop(&mut self) {",
        )],
    },
    Rule {
        name: "an evicted reader is pruned before it has left",
        guard: "model leave::a_dropped_reader_is_not_pruned_before_it_has_left",
        edits: &[Edit(
            "member.rs",
            "self.is_retired() && self.notice.0.load(Ordering::Relaxed) & 1 == 0",
            "(self.is_retired() || !self.cursor.look().is_active()) && self.notice.0.load(Ordering::Relaxed) & 1 == 0",
        )],
    },
    Rule {
        name: "a leaver is pruned before its drop is told",
        guard: "test limits::a_drop_is_told_though_its_subscriber_is_gone_before_a_turn",
        edits: &[Edit(
            "member.rs",
            "self.is_retired() && self.notice.0.load(Ordering::Relaxed) & 1 == 0",
            "self.is_retired()",
        )],
    },
    Rule {
        name: "a drop is told by whoever finds it",
        guard: "model registry::a_drop_is_told_once",
        edits: &[Edit(
            "member.rs",
            "self.notice .0 .compare_exchange( untold.armed, untold.armed & !1, Ordering::Relaxed, Ordering::Relaxed, ) .is_ok()",
            "self.notice.0.store(untold.armed & !1, Ordering::Release); true",
        )],
    },
    Rule {
        name: "a rejoiner does not look whether it was unsubscribed",
        guard: "model unsubscribe::what_is_unsubscribed_does_not_come_back",
        edits: &[Edit(
            "reader.rs",
            "self.member.arm_notice(); if self.member.is_unwanted() {",
            "self.member.arm_notice(); if false && self.member.is_unwanted() {",
        )],
    },
    Rule {
        name: "a subscriber is heard only after it has joined",
        guard: "model registry::what_is_reported_after_a_join_is_heard",
        edits: &[Edit(
            "worker.rs",
            "worker.ring.listen(); let reader = Worker::join(worker, member);",
            "let reader = Worker::join(worker, member);",
        )],
    },
    Rule {
        name: "the registry forgets a joiner that another one races",
        guard: "model registry::two_joiners_are_both_listed",
        edits: &[Edit(
            "snapshot/loom.rs",
            "match self .current .compare_exchange(seen, index, Ordering::AcqRel, Ordering::Acquire) {",
            "match Ok::<usize, usize>(self.current.swap(index, Ordering::AcqRel)) {",
        )],
    },
    // Sleeping and waking.
    Rule {
        name: "who sleeps does not mark the stamp",
        guard: "model sleep::a_turn_meets_a_report",
        edits: &[Edit("ring/shared.rs", "seen.waited().0,", "seen.0,")],
    },
    Rule {
        name: "who swaps out a marked stamp owes nothing",
        guard: "model sleep::a_turn_meets_a_report",
        edits: &[Edit("ring/shared.rs", "owed.mark(found.is_waited());", "")],
    },
    Rule {
        name: "a mark is lost where a writer of an earlier lap is inside (WAITED through LOST)",
        guard: "test hooks::a_sleeper_behind_a_frozen_writer_is_woken",
        edits: &[Edit(
            "ring/shared.rs",
            "owed.turn(); // perhaps: no bit can be set while a writer is inside self.count_lost(seen); self.count_holes(1); return None;",
            "self.count_lost(seen); self.count_holes(1); return None;",
        )],
    },
    Rule {
        name: "who makes a hole of a marked stamp owes nothing",
        guard: "model sleep::a_rescue_pays_the_wake_up",
        edits: &[Edit(
            "ring/shared.rs",
            "owed.mark(seen.is_waited()); } else {",
            "} else {",
        )],
    },
    Rule {
        name: "a report does not pay",
        guard: "model sleep::a_turn_meets_a_report",
        edits: &[Edit(
            "worker.rs",
            "let result = self.ring.publish(event, policy, &mut owed); self.pay(owed);",
            "let result = self.ring.publish(event, policy, &mut owed);",
        )],
    },
    Rule {
        name: "a rescue does not pay",
        guard: "model sleep::a_rescue_pays_the_wake_up",
        edits: &[Edit(
            "worker.rs",
            "self.ring.abandon(sequence, &mut owed); self.pay(owed);",
            "self.ring.abandon(sequence, &mut owed);",
        )],
    },
    Rule {
        name: "a report to several rings does not pay where a later one refuses",
        guard: "model rings::one_ring_that_refuses_refuses_for_all",
        edits: &[Edit(
            "publisher/send.rs",
            "pay_all(targets, all_owed);",
            "drop(all_owed);",
        )],
    },
    Rule {
        name: "a report to several rings does not pay where an earlier one lost its claim",
        guard: "model rings::a_claim_lost_in_the_first_ring_may_be_refused_for_all",
        edits: &[Edit(
            "publisher/send.rs",
            "pay_all(&targets, owed); return Err(refusal);",
            "drop(owed); return Err(refusal);",
        )],
    },
    Rule {
        name: "a turn looks first and lowers its signal then",
        guard: "model sleep::a_turn_meets_a_report",
        edits: &[Edit(
            "bus.rs",
            "worker.signal.lower(); turn.add(worker.turn());",
            "turn.add(worker.turn()); worker.signal.lower();",
        )],
    },
    Rule {
        name: "who finds a publisher inside sleeps without a word to the worker",
        guard: "model sleep::a_task_is_woken_by_a_report",
        edits: &[Edit(
            "reader/sleep.rs",
            "Armed::Inside => { self.worker.signal.raise(); }",
            "Armed::Inside => {}",
        )],
    },
    Rule {
        name: "an idle reader wakes without a look at its cursor",
        guard: "model sleep::a_sleeper_wakes_into_its_eviction",
        edits: &[Edit(
            "reader.rs",
            "if !self.member.cursor.resume().is_active() {",
            "if self.member.cursor.resume().is_detached() {",
        )],
    },
    Rule {
        name: "a sleeper does not look at its cursor once it is registered",
        guard: "model sleep::a_sleeper_is_woken_by_its_eviction",
        edits: &[Edit(
            "reader/sleep.rs",
            "&& !ring.is_closed() && self.member.cursor.glance().is_active();",
            "&& !ring.is_closed();",
        )],
    },
    Rule {
        name: "a sleeper does not look for a close once it is registered",
        guard: "model close::a_sleeper_is_woken_by_the_close",
        edits: &[Edit(
            "reader/sleep.rs",
            "&& !ring.is_closed() && self.member.cursor.glance().is_active();",
            "&& self.member.cursor.glance().is_active();",
        )],
    },
    Rule {
        name: "a waker takes the sleeper by a store",
        guard: "model cell::two_wakers_meet_a_registration",
        edits: &[Edit(
            "wait.rs",
            "match self .state .compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed) {",
            "self.state.store(next, Ordering::Release); match Ok::<u8, u8>(seen) {",
        )],
    },
    Rule {
        name: "a subscriber changes its sleeper while a waker is inside",
        guard: "model cell::two_wakers_meet_a_registration",
        edits: &[Edit("wait.rs", "if seen == WAKING {", "if false {")],
    },
    Rule {
        name: "a publisher that wakes one thread tells the worker of no other",
        guard: "test one_hop::a_report_wakes_one_thread_and_tells_the_worker_of_all_others",
        edits: &[Edit("worker.rs", "if others {", "if false && others {")],
    },
    Rule {
        name: "a publisher wakes the thread before it tells the worker",
        guard: "test one_hop::a_publisher_that_is_frozen_before_the_wake_up_delays_nobody",
        edits: &[
            Edit("worker.rs", "if others { self.wake(); }", ""),
            Edit(
                "worker.rs",
                "if member.sleeper.wake_thread() { self.tally.wakes.fetch_add(1, Ordering::Relaxed); }",
                "if member.sleeper.wake_thread() { self.tally.wakes.fetch_add(1, Ordering::Relaxed); } if others { self.wake(); }",
            ),
        ],
    },
    Rule {
        name: "a closure's event wakes no sleeper",
        guard: "test one_hop::a_report_wakes_one_thread_and_tells_the_worker_of_all_others",
        edits: &[Edit(
            "publisher/exclusive/in_place.rs",
            "let _waker = Waker(&self.worker); find_filled_room(&self.worker, &mut self.tip, policy)?; let ring = &self.worker.ring; // SAFETY: filled room was found in the worker's ring. unsafe {",
            "find_filled_room(&self.worker, &mut self.tip, policy)?; let ring = &self.worker.ring; unsafe {",
        )],
    },
    Rule {
        name: "a closure's batch wakes no sleeper",
        guard: "test one_hop::a_report_wakes_one_thread_and_tells_the_worker_of_all_others",
        edits: &[Edit(
            "publisher/exclusive/in_place.rs",
            "let _waker = Waker(&self.worker); find_filled_room(&self.worker, &mut self.tip, policy)?; let ring = &self.worker.ring; // SAFETY: filled room was found in the worker's ring. Ok(",
            "find_filled_room(&self.worker, &mut self.tip, policy)?; let ring = &self.worker.ring; Ok(",
        )],
    },
    Rule {
        name: "a thread that naps on does not tell the worker",
        guard: "test one_hop::a_thread_tells_the_worker_when_it_naps_on",
        edits: &[Edit(
            "subscriber.rs",
            "(naps == 0, naps == 1)",
            "(naps == 0, false)",
        )],
    },
    Rule {
        name: "an attempt to nap counts as a nap",
        guard: "test one_hop::a_thread_tells_the_worker_when_it_naps_on",
        edits: &[
            Edit(
                "subscriber.rs",
                "naps = naps.saturating_add(1); if is_first",
                "if is_first",
            ),
            Edit(
                "subscriber.rs",
                "let (is_first, is_long) = (naps == 0, naps == 1);",
                "let (is_first, is_long) = (naps == 0, naps == 1); naps = naps.saturating_add(1);",
            ),
        ],
    },
    Rule {
        name: "what a sleeper asked for keeps a bus heard when it is gone",
        guard: "test in_place::with_no_subscriber_nothing_is_called_though_one_slept",
        edits: &[Edit(
            "ring.rs",
            "self.0 & !Self::ASLEEP == 0",
            "self.0 == 0",
        )],
    },
    Rule {
        name: "a publisher wakes a task",
        guard: "test one_hop::a_report_wakes_one_thread_and_tells_the_worker_of_all_others",
        edits: &[Edit(
            "worker.rs",
            "one.is_none() && member.sleeper.is_thread_asleep()",
            "one.is_none() && (member.wake() || true)",
        )],
    },
    // Closing.
    Rule {
        name: "a close by a load and a store",
        guard: "model close::an_accepted_event_is_read_before_the_end",
        edits: &[Edit(
            "ring.rs",
            "self.tail.fetch_or(CLOSED, Ordering::Relaxed);",
            "self.tail.store(self.tail.load(Ordering::Acquire) | CLOSED, Ordering::Release);",
        )],
    },
    Rule {
        name: "a claim does not look for a close",
        guard: "model close::an_accepted_event_is_read_before_the_end",
        edits: &[Edit(
            "ring/shared.rs",
            "let limit = self.limit.load(Ordering::Acquire); // A tail that is closed is beyond every limit.",
            "let limit = self.limit.load(Ordering::Acquire) | tail & CLOSED;",
        )],
    },
    Rule {
        name: "a reader ends at a close, not at the tail",
        guard: "model close::an_accepted_event_is_read_before_the_end",
        edits: &[Edit(
            "reader.rs",
            "if self.span.next() >= ring.tail() { ring.seats()",
            "if self.span.read() == 0 { ring.seats()",
        )],
    },
    Rule {
        name: "a close wakes nobody",
        guard: "model close::a_sleeper_is_woken_by_the_close",
        edits: &[Edit(
            "worker.rs",
            "member.wake(); } self.ring.seats().drain_waiters()",
            "let _ = member; } self.ring.seats().drain_waiters()",
        )],
    },
    Rule {
        name: "a publisher that meets a close does not look for new workers",
        guard: "model restart::a_publisher_finds_the_workers_of_the_next_run",
        edits: &[Edit(
            "publisher/send.rs",
            "Err((Refusal::Stopped, back)) if reload(core, generation) => event = back,",
            "Err((Refusal::Stopped, back)) if { reload(core, generation); false } => event = back,",
        )],
    },
    // Several rings.
    Rule {
        name: "a claim is not given back where a later ring refuses",
        guard: "model rings::one_ring_that_refuses_refuses_for_all",
        edits: &[Edit(
            "publisher/send.rs",
            "for (worker, entered) in targets.iter().zip(claims) { worker.ring.give_up(entered); } pay_all(targets, all_owed);",
            "let _ = claims; pay_all(targets, all_owed);",
        )],
    },
    Rule {
        name: "a claim is not given back where an earlier ring lost its own",
        guard: "model rings::a_claim_lost_in_the_first_ring_may_be_refused_for_all",
        edits: &[Edit(
            "publisher/send.rs",
            "for (worker, entered) in steps { worker.ring.give_up(entered); }",
            "drop(steps);",
        )],
    },
    Rule {
        name: "a claim lost in a later ring is not made anew",
        guard: "model rings::a_claim_lost_in_one_ring_is_made_anew",
        edits: &[Edit(
            "publisher/send.rs",
            "let _ = commit_first(worker, entered, copy, Policy::Evict);",
            "worker.ring.commit_run(entered, 1, copy);",
        )],
    },
    Rule {
        name: "a claim made anew in the first ring may evict",
        guard: "model rings::a_claim_lost_in_the_first_ring_may_be_refused_for_all",
        edits: &[Edit(
            "publisher/send.rs",
            "commit_first(worker, entered, batch, policy)",
            "commit_first(worker, entered, batch, Policy::Evict)",
        )],
    },
    // Waiting: what the freeze test is for.
    Rule {
        name: "nobody takes a claim whose writer is inside",
        guard: "test freeze::nobody_waits_for_a_frozen_thread_of_a_shared_bus",
        edits: &[Edit(
            "ring/shared.rs",
            "let made = self.make_holes(sequence, 1, owed); self.counters.abandoned",
            "let inside = self.stamp(sequence).is_writing_in(self.slots.lap(sequence)); let made = if inside { 0 } else { self.make_holes(sequence, 1, owed) }; self.counters.abandoned",
        )],
    },
    Rule {
        name: "a publisher waits for a writer of an earlier lap",
        guard: "test hooks::a_stopped_publisher_costs_healthy_readers_nothing_and_its_event_comes_later",
        edits: &[Edit(
            "ring/shared.rs",
            "} else { Stamp::lost(lap) // a writer of an earlier lap is frozen inside };",
            "} else { let mut looks = 0; while !Stamp(stamp.load(Ordering::Relaxed)).at_rest() { crate::sync::thread::yield_now(); looks += 1; assert!(looks < 100_000, \"waits\"); } seen = Stamp(stamp.load(Ordering::Relaxed)); continue; };",
        )],
    },
    Rule {
        name: "a publisher waits for a borrowed slot",
        guard: "test freeze::nobody_waits_for_a_frozen_thread_of_a_shared_bus",
        edits: &[Edit(
            "ring/shared.rs",
            "Room::Pinned { slots, again } => { // [C4 pin] Pass over the whole window. if self",
            "Room::Pinned { slots, again } => { crate::sync::thread::yield_now(); if slots == 0 && self",
        )],
    },
    // The exclusive publisher.
    Rule {
        name: "a batch does not say how far it is",
        guard: "test batches::who_joins_after_a_batch_hears_nothing_of_it",
        edits: &[Edit(
            "ring/exclusive.rs",
            "self.ring.store_tail(self.tip);",
            "",
        )],
    },
    Rule {
        name: "[T1 tail] the tail is not stored before a scan",
        guard: "model exclusive::a_joiner_is_seen_or_starts_at_the_tail",
        edits: &[Edit(
            "ring/exclusive.rs",
            "self.store_tail(tip); match",
            "match",
        )],
    },
    Rule {
        name: "[T1 tail] a joiner starts inside of a run",
        guard: "model exclusive::a_joiner_starts_where_a_stamp_comes",
        edits: &[Edit(
            "ring/exclusive.rs",
            "tail = middle + run,",
            "tail = middle + run.min(1),",
        )],
    },
    Rule {
        name: "[T1 tail] what was reported since the last scan is not looked for",
        guard: "test tail",
        edits: &[Edit(
            "ring/exclusive.rs",
            "while tail < end {",
            "while tail > end {",
        )],
    },
    Rule {
        name: "a pinned slot gets no stamp of its own",
        guard: "model exclusive::a_borrowed_event_stays_whole",
        edits: &[Edit(
            "ring/exclusive.rs",
            "self.slots.stamp(next).store(hole.0, Ordering::Release);",
            "let _ = hole;",
        )],
    },
    Rule {
        name: "[T2 holes] it is not said where holes end",
        guard: "model exclusive::a_reader_passes_over_a_hole_in_its_window",
        edits: &[Edit(
            "ring/exclusive.rs",
            "self.holes_end.store(end, Ordering::Relaxed);",
            "",
        )],
    },
    Rule {
        name: "[T2 holes] a window that ends inside of a run is taken whole",
        guard: "test whole_windows::runs_lead_from_window_to_window",
        edits: &[Edit(
            "reader.rs",
            "if ring.is_event_each(next, end - 1) {",
            "if ring.is_event_each(next, ahead) {",
        )],
    },
    Rule {
        name: "a reader comes as close to an exclusive publisher as it can",
        guard: "test rests::a_reader_that_comes_close_to_an_exclusive_publisher_rests_while_it_pays",
        edits: &[Edit(
            "reader.rs",
            "self.pace.keep_distance(next, || ring.is_single(ahead));",
            "",
        )],
    },
    Rule {
        name: "a reader that comes close gives up after one rest",
        guard: "test rests::a_reader_waits_for_a_publisher_that_it_slowed_down",
        edits: &[Edit(
            "reader/pace.rs",
            "MOST_RESTS: u8 = 4;",
            "MOST_RESTS: u8 = 1;",
        )],
    },
    Rule {
        name: "a reader of runs comes as close to an exclusive publisher as it can",
        guard: "test rests::a_reader_waits_for_a_publisher_that_it_slowed_down",
        edits: &[Edit(
            "reader.rs",
            "self.pace.keep_distance(next, see_runs);",
            "let mut see_runs = see_runs; see_runs();",
        )],
    },
    Rule {
        name: "a reader that was away rests at the publisher's heels",
        guard: "test rests::a_reader_that_was_away_goes_back_without_a_rest",
        edits: &[Edit(
            "reader/pace.rs",
            "came_soon && self.away == 0 && self.rests.are_due()",
            "came_soon && self.rests.are_due()",
        )],
    },
    Rule {
        name: "a reader of a shared ring rests long where few events came",
        guard: "test rests::a_reader_rests_wherever_more_than_one_event_gathered",
        edits: &[Edit(
            "reader/pace.rs",
            "else if events > u64::from(self.most_in_a_row)",
            "else if events > 1",
        )],
    },
    Rule {
        name: "a reader of batches is taken for one that was away",
        guard: "test rests::a_reader_of_batches_that_was_away_once_rests_again",
        edits: &[Edit(
            "reader.rs",
            "self.pace.notice_absence(|| false);",
            "self.pace.notice_absence(|| true);",
        )],
    },
    Rule {
        name: "a reader that was away once never rests again",
        guard: "test rests::a_reader_that_was_away_goes_back_without_a_rest",
        edits: &[Edit(
            "reader/pace.rs",
            "self.away.saturating_sub(1)",
            "self.away",
        )],
    },
    Rule {
        name: "an exclusive publisher that asks ahead writes beyond its room",
        guard: "test rests::a_publisher_that_finds_little_room_rests_while_it_pays",
        edits: &[Edit(
            "ring/ahead.rs",
            "self.until = end.min(index + self.step);",
            "self.until = index + self.step;",
        )],
    },
    Rule {
        name: "an exclusive publisher rests at each find, whether or not that pays",
        guard: "test rests::a_publisher_that_finds_little_room_rests_while_it_pays",
        edits: &[Edit(
            "ring/exclusive.rs",
            "if !tip.rests.are_due() {",
            "if false {",
        )],
    },
    Rule {
        name: "a refusal outlasts what was in the way",
        guard: "test refusals::a_refusal_ends_when_the_slowest_moves",
        edits: &[Edit(
            "registry.rs",
            "member.is_some_and(|member| member.cursor.glance() == blocker.position)",
            "member.is_some()",
        )],
    },
    // Writing in place.
    Rule {
        name: "an event is committed before its closure writes it",
        guard: "model exclusive::a_reader_sees_what_was_written_in_place",
        edits: &[
            Edit(
                "ring/in_place.rs",
                "write(unsafe { row.value_mut(0) });",
                "commit(&row, tip.stamp());",
            ),
            Edit(
                "ring/in_place.rs",
                "tip.advance(1);",
                "write(unsafe { row.value_mut(0) }); tip.advance(1);",
            ),
        ],
    },
    Rule {
        name: "a slot that was filled is not marked",
        guard: "test in_place::a_bus_that_ends_in_its_first_lap_drops_what_it_filled",
        edits: &[Edit(
            "ring/in_place.rs",
            ".store(Stamp::FILLED.0, Ordering::Relaxed);",
            ".store(Stamp::NEW.0, Ordering::Relaxed);",
        )],
    },
    Rule {
        name: "room goes beyond the first slot that was filled",
        guard: "test in_place::a_default_that_panics_leaves_the_slots_to_the_next_report",
        edits: &[Edit("ring/exclusive.rs", "end.min(tip.filled_from)", "end")],
    },
    Rule {
        name: "room that was known goes beyond the first slot that was filled",
        guard: "test in_place::a_default_that_panics_leaves_the_slots_to_the_next_report",
        edits: &[Edit("ring/in_place.rs", "tip.forget_room();", "")],
    },
    Rule {
        name: "[T1 tail] the tail is not stored after a batch in place",
        guard: "test tail",
        edits: &[Edit("ring/in_place.rs", "self.store_tail(tip);", "")],
    },
    // Runs of a batch among other publishers.
    Rule {
        name: "a slow hand_on brings back what was forgotten",
        guard: "test runs::a_slow_hand_on_brings_back_nothing_that_was_forgotten",
        edits: &[Edit(
            "ring/stamp.rs",
            "FULL if inside.tag() == VACANT => return None,",
            "",
        )],
    },
    Rule {
        name: "what a lost batch copied stays in its slots",
        guard: "test runs::what_needs_no_drop_is_given_back_once_after_its_batch_was_lost",
        edits: &[Edit(
            "ring/run.rs",
            "self.forget_values(head + 1, head + run);",
            "",
        )],
    },
    Rule {
        name: "a run is committed by a store",
        guard: "model run::a_run_that_hangs_is_passed_as_a_whole",
        edits: &[Edit(
            "ring/run.rs",
            "match self.slots.stamp(head).compare_exchange( Stamp::writing(lap).with_run(run).0, Stamp::full(lap).with_run(run).0, Ordering::Release, Ordering::Relaxed, ) {",
            "self.slots.stamp(head).store(Stamp::full(lap).with_run(run).0, Ordering::Release); match Ok::<u64, u64>(0) {",
        )],
    },
    Rule {
        name: "the events of a run that was taken away stay in its slots",
        guard: "model run::a_run_that_hangs_is_passed_as_a_whole",
        edits: &[Edit(
            "ring/run.rs",
            "unsafe { self.exchange_run(head, places, true) }; } self.leave",
            "let _ = places; } self.leave",
        )],
    },
    Rule {
        name: "a run that was taken away is said to be one slot",
        guard: "model run::a_lapped_run_keeps_its_slots_to_itself",
        edits: &[Edit(
            "ring/shared.rs",
            "(Stamp::lost(lap).with_run_of(seen), seen.run())",
            "(Stamp::lost(lap), 1)",
        )],
    },
    Rule {
        name: "a run is entered without a look at its inside",
        guard: "model run::a_straggler_stays_out_of_a_run",
        edits: &[Edit(
            "ring/run.rs",
            "0 => break, values => next += values,",
            "0 if next == head => break, values => next += values.max(1),",
        )],
    },
    Rule {
        name: "a scan does not look after runs",
        guard: "model run::a_lapped_run_keeps_its_slots_to_itself",
        edits: &[Edit(
            "ring/run.rs",
            "if !self.has_runs.load(Ordering::Relaxed) { return room; }",
            "if self.has_runs.load(Ordering::Relaxed) { return room; }",
        )],
    },
    Rule {
        name: "a run is passed over at its head only",
        guard: "model run::a_lapped_run_keeps_its_slots_to_itself",
        edits: &[Edit(
            "ring/run.rs",
            "return Some(later..later + seen.run());",
            "return Some(later..later + 1);",
        )],
    },
    Rule {
        name: "a run may be entered a lap late",
        guard: "test runs::a_run_is_not_entered_a_lap_late",
        edits: &[Edit(
            "ring/run.rs",
            "// Claimed half a lap ago, and not entered. self.abandon(head, owed); continue;",
            "1",
        )],
    },
    Rule {
        name: "what is left of a run gets no stamp when its head goes",
        guard: "test runs::who_reads_inside_of_a_run_does_not_wait_though_its_head_is_gone",
        edits: &[Edit(
            "ring/run.rs",
            "let mut next = start; while next < end { let may_begin",
            "let mut next = end; while next < end { let may_begin",
        )],
    },
    Rule {
        name: "what is left of a run gets no stamp behind who was faster",
        guard: "test runs::what_is_left_of_a_run_stays_final_behind_who_was_faster",
        edits: &[Edit(
            "ring/run.rs",
            "next += inside.run(); // somebody was faster",
            "next += run;",
        )],
    },
    Rule {
        name: "a run that a reader took from its passer is counted twice",
        guard: "test runs::a_run_that_is_taken_from_its_passer_is_counted_once",
        edits: &[Edit(
            "ring/shared.rs",
            "0 => self.stamp(start).run(),",
            "0 => 1,",
        )],
    },
    Rule {
        name: "the inside of a run is taken for a claim that hangs",
        guard: "test runs::what_is_borrowed_inside_of_a_run_is_gone_around",
        edits: &[Edit(
            "ring.rs",
            "Look::Earlier => claimed && !self.is_in_final_run(sequence),",
            "Look::Earlier => claimed,",
        )],
    },
    // Runs of holes.
    Rule {
        name: "a scan looks for the run around a cursor downwards",
        guard: "test runs::a_run_that_is_handed_on_under_a_scan_stays_final",
        edits: &[Edit(
            "ring/run.rs",
            "let mut steps = first / limits::RUN_STEP..=last / limits::RUN_STEP;",
            "let mut steps = (first / limits::RUN_STEP..=last / limits::RUN_STEP).rev();",
        )],
    },
    Rule {
        name: "a run of holes is said to be twice as long",
        guard: "model hole::a_run_of_holes_is_passed_over_at_once",
        edits: &[Edit(
            "ring/shared.rs",
            "(hole.with_run(run), run)",
            "(hole.with_run(if run > 1 { 2 * run } else { 1 }), run)",
        )],
    },
    Rule {
        name: "an exclusive run of holes is said to be twice as long",
        guard: "model hole::an_exclusive_run_of_holes_is_passed_over_at_once",
        edits: &[Edit(
            "ring/exclusive.rs",
            "Stamp::empty(self.slots.lap(next), true).with_run(run);",
            "Stamp::empty(self.slots.lap(next), true).with_run(if run > 1 { 2 * run } else { 1 });",
        )],
    },
    Rule {
        name: "a reader passes over the first hole of a run only",
        guard: "model hole::an_exclusive_run_of_holes_is_passed_over_at_once",
        edits: &[Edit(
            "reader/span.rs",
            "self.next += run;",
            "self.next += run.min(1);",
        )],
    },
    Rule {
        name: "a reader that was led out of its window stays out",
        guard: "model hole::a_run_of_holes_is_passed_over_at_once",
        edits: &[Edit(
            "reader/span.rs",
            "self.next >= self.window.end",
            "self.next == self.window.end",
        )],
    },
    Rule {
        name: "a window is passed over with one stamp the first time too",
        guard: "test holes::one_who_is_passed_over_hears_of_it_wherever_it_stands_in_its_window",
        edits: &[Edit(
            "ring.rs",
            "if again { stamp::LONGEST_RUN } else { 1 }",
            "if again { stamp::LONGEST_RUN } else { stamp::LONGEST_RUN }",
        )],
    },
    Rule {
        name: "the newest event is not looked for inside of the run that is read",
        guard: "test holes::the_newest_event_may_lie_inside_of_a_run",
        edits: &[Edit(
            "reader.rs",
            "newest.unwrap_or(self.span.known().saturating_sub(1))",
            "newest.unwrap_or(0)",
        )],
    },
    Rule {
        name: "the newest event of a run is its head",
        guard: "test holes::the_newest_event_may_lie_inside_of_a_run",
        edits: &[Edit(
            "ring.rs",
            "Look::Ready { run } => Some(sequence + run - 1),",
            "Look::Ready { .. } => Some(sequence),",
        )],
    },
    Rule {
        name: "a run goes beyond the limit",
        guard: "model batch::a_run_ends_at_the_limit",
        edits: &[Edit(
            "ring/exclusive.rs",
            "let most = tip.room().min(batch_of::<E>());",
            "let most = batch_of::<E>();",
        )],
    },
    Rule {
        name: "the first slot of the second lap is taken for empty",
        guard: "model exclusive::a_reader_sees_what_was_written",
        edits: &[Edit(
            "ring/exclusive.rs",
            "{ self.index >= self.filled_from }",
            "{ self.index > self.filled_from }",
        )],
    },
    Rule {
        name: "a run is stamped before its last event is written",
        guard: "model batch::a_run_is_read_whole_by_whoever_joins",
        edits: &[Edit(
            "ring/exclusive.rs",
            "olds.keep(unsafe { row.replace(run.written, event, holds_value) });",
            "commit(&row, run.tip.full.with_run(run.written as u64 + 1)); olds.keep(unsafe { row.replace(run.written, event, holds_value) });",
        )],
    },
    Rule {
        name: "what a batch's iterator gave before its panic is not published",
        guard: "test batches::of_an_exclusive_publisher",
        edits: &[Edit(
            "ring/exclusive.rs",
            "let stamp = self.tip.full.with_run(self.written as u64);",
            "if std::thread::panicking() { return; } let stamp = self.tip.full.with_run(self.written as u64);",
        )],
    },
    Rule {
        name: "who joins while a batch's iterator makes an event does not hear it",
        guard: "test batches::what_an_iterator_gives_after_somebody_joined_is_heard",
        edits: &[Edit(
            "publisher/exclusive.rs",
            "let sent = self.send(event, Policy::Keep);",
            "let sent: Published<E> = Ok(Some(event));",
        )],
    },
    Rule {
        name: "a batch looks for sleepers before its iterator is asked",
        guard: "test batches::who_falls_asleep_while_an_iterator_is_asked_is_woken_however_it_ends",
        edits: &[Edit(
            "publisher/exclusive.rs",
            "let _waker = Waker(&self.worker);",
            "drop(Waker(&self.worker));",
        )],
    },
    Rule {
        name: "somebody is dropped for an event that does not come",
        guard: "test batches::nobody_is_dropped_for_a_batch_that_fits",
        edits: &[Edit(
            "publisher/exclusive.rs",
            "let Some(event) = events.next() else { return Ok(false); }; match",
            "let _ = self.worker.find_exclusive_room(&mut self.tip, Policy::Evict); let Some(event) = events.next() else { return Ok(false); }; match",
        )],
    },
    Rule {
        name: "somebody is dropped for a large event that does not come",
        guard: "test batches::nobody_is_dropped_for_a_batch_that_fits",
        edits: &[Edit(
            "publisher/exclusive.rs",
            "self.send_next(events, batch, Policy::Evict)",
            "let _ = self.worker.find_exclusive_room(&mut self.tip, Policy::Evict); self.send_next(events, batch, Policy::Evict)",
        )],
    },
    Rule {
        name: "a stretch goes on into the next lap",
        guard: "test properties",
        edits: &[Edit(
            "ring.rs",
            "end: limit.min(self.slots.lap_end(start)),",
            "end: limit,",
        )],
    },
    Rule {
        name: "a drain goes on beyond its window",
        guard: "model window::a_drain_stays_in_its_window",
        edits: &[Edit(
            "reader.rs",
            "let end = window.end.min(first.saturating_add(most));",
            "let end = first.saturating_add(most);",
        )],
    },
    Rule {
        name: "a sleeper wakes to the quick look",
        guard: "model sleep::a_sleeper_wakes_into_its_eviction",
        edits: &[Edit(
            "reader/sleep.rs",
            "self.idle = true; self.span.alarm();",
            "self.idle = true;",
        )],
    },
    // The watch.
    Rule {
        name: "a turn keeps no eye on a sleeper behind a writer of an earlier lap",
        guard: "test hooks::a_sleeper_behind_a_writer_that_leaves_is_watched",
        edits: &[Edit(
            "watch.rs",
            "return self.ring.is_pending(at); } match self.ring.arm(at) {",
            "return self.ring.is_pending(at); } if self.ring.is_pending(at) { return true; } match self.ring.arm(at) {",
        )],
    },
    Rule {
        name: "a worker is not known to its signal",
        guard: "model worker::a_worker_ends",
        edits: &[Edit(
            "bus/core.rs",
            "worker.signal.attach(thread.thread().clone());",
            "let _ = thread.thread();",
        )],
    },
    Rule {
        name: "who waits at a claim that hangs is called slow",
        guard: "test hooks::nobody_is_slow_who_waits_at_a_claim_that_hangs",
        edits: &[Edit(
            "watch.rs",
            "if self.waits_for_a_claim(member, position.sequence(), now, turn) {",
            "if self.waits_for_a_claim(member, position.sequence(), now, turn) && now == NEVER {",
        )],
    },
    Rule {
        name: "the worker reads its end before it lowers its signal",
        guard: "model worker::a_worker_ends",
        edits: &[Edit(
            "worker.rs",
            "let asked = self.signal.lower(); // After lowering: an end that is not seen here raises the signal again, so the nap below does not happen. let ending = self.is_ending();",
            "let ending = self.is_ending(); let asked = self.signal.lower();",
        )],
    },
];
