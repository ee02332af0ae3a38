//! # Every ordering, and the edge it belongs to
//!
//! In the sources each operation that is not Relaxed carries `// SYNC <edge>`, the same word at both ends. `R` is a
//! Release, `A` an Acquire, `SC` a sequentially consistent operation or fence.
//!
//! | edge | from | to | what it carries |
//! |---|---|---|---|
//! | `publish` | commit, `ring/claim`, `ring/run` and `ring/exclusive` (R) | a reader's stamp load, `ring/stamp` (A) | the event's contents |
//! | `vacate` | commit, `vacate` (R) | `swap_in`, `reusable_end`, a scan's look at a run (A) | the memory of a slot, to its next writer. Rescues and slots given up in between are read-modify-writes: they continue the release sequence |
//! | `advance` | `Cursor::advance` (R) | a scan's `Cursor::look` (A) | the reads of the slots behind the cursor are over |
//! | `detach` | `Cursor::detach`, `restart`, `Registration::retire` (R) | `Cursor::look`, `Registration::is_retired` (A) | all reads are over |
//! | `mark` | `Cursor::evict` (R), or a fence before it | `Cursor::detach`, `Cursor::look` (A) | how far it was behind, and why it was dropped: a guard that left, a panic's message |
//! | `limit` | raising it after a scan (R) | a claim's load (A) | `advance` and `detach`, and of runs `vacate`, to publishers that did not scan |
//! | `runs` | a claim (R) | fence before a scan (SC), the tail read before it | that there may be runs to look after |
//! | `final` | the stamps that `restamp_rest` leaves of a run, then the exchange that swaps its head out (R) | a scan's look at heads (A) | what was inside of a run that is final stays final |
//! | `tail` | an exclusive publisher's stamp, a hole's too (R), and the tail that it stored before | a look at that stamp (A) | what `tail_by_stamps` finds never goes back |
//! | `join` | fence after registering (SC) | fence before a scan (SC), the tail read before it | either the scan sees the cursor, or the joiner sees the tail |
//! | `registry` | the snapshot's swap | its load | `detach` of cursors that were pruned; a whole registration |
//! | `close` | `CLOSED` in the listeners, after the tail (R) | `Ring::is_closed` (A) | the last tail |
//! | `sleep` | registering, then a fence (SC), then a look | the fence of a turn, a close, an eviction (SC), then a look for sleepers | one of the two sees the other |
//! | `asleep` | `ASLEEP` set in the listeners (R) | `ASLEEP` taken from them (A) | the sleeper that asked: who takes what it asked for finds it |
//! | `wake` | `Notify::notify` (R) | `Notify::take` (A) | what there is for the worker to see, an order to end too |
//! | `cell` | leaving a state of `WaitCell` (R) | entering one (A) | the sleeper itself |
//! | `notice` | the fence of a join (SC), then the notice armed | `pending_notice` (A) | the cursor of this generation |
//! | `unsubscribed` | `Registration::unsubscribe`: the mark, then a fence (SC), then a look at the cursor | the fence of a join (SC), then a look at the mark | one of the two sees the other: what is unsubscribed does not come back |
//! | `drain` | a cursor that reached the end, left or a close, then a fence (SC), then a look for futures | listing a future, then a fence (SC), then a look at the cursors | one of the two sees the other: the future is woken, or ready |
//! | `stack` | push (R) | take (A) | a node |
//!
//! A mark, and no edge: `WAITED` in a stamp says that a subscriber sleeps. It is set and taken
//! Relaxed; who it is, and that no subscriber is missed, rests on the two fences of `sleep`. An
//! exclusive publisher's look for `ASLEEP` after its commit may miss a sleeper that asks at that
//! moment; naps cover it.
//!
//! `wake` goes one way: `notify` acquires nothing. So a caller cannot learn whom to wake from the call before, and a worker's thread is
//! attached by its starter, before anybody else has the worker.
//!
//! Relaxed on purpose besides: the tail's store and load (what there is to read, the stamps say),
//! the count of listeners (a report that follows a `subscribe` sees it by whatever told it that it
//! follows), `abort` (the memory is not touched), counters, the watch's own notes, a cursor's own
//! glance, `Cursor::resume`, which only needs its place in the order of one word, and
//! `Cursor::rest`, which leaves the word where an advance released it.
//!
//! # Every operation that is not Relaxed
//!
//! One row for each step that could be weaker: Acquire or Release to Relaxed, either half of both, a sequentially
//! consistent operation to both, a fence to nothing. The last column names the loom model (in `loom-tests/tests`) that
//! fails when exactly this step is taken; `cargo xtask mutants` takes them all and reads this table, so that it cannot
//! be out of date.
//!
//! | file | operation | order | edge | why it is needed | fails without it |
//! |---|---|---|---|---|---|
//! | `drain.rs` | `wake_all` | fence | drain | a future that was listed before is found; one that is listed later sees what this subscriber or close did | drained::a_future_is_woken_by_a_subscriber_that_leaves |
//! | `bus/drained.rs` | `poll` | fence | drain | the other half of that in `wake_all` | drained::a_future_is_woken_by_the_last_subscriber_that_is_done |
//! | `registry/cursor.rs` | `look` | A | advance, detach | the reads behind the cursor are over before a slot is written again | publish::a_slot_is_written_again_when_its_reader_has_moved_on |
//! | `registry/cursor.rs` | `advance` | R | advance | the same | publish::a_slot_is_written_again_when_its_reader_has_moved_on |
//! | `registry/cursor.rs` | `evict` | R | mark | a panic's message, to whoever tells of the drop | none: any other eviction follows a fence, which releases as much; and the message lies in a cell of the standard library, which no model follows |
//! | `registry/cursor.rs` | `detach` | A of AR | mark | the tail that it was dropped by: the lag that it is told | none: before the tail is read, `leave_evicted` acquires as much by the fence in `wake_all`, `rejoin` by the `look` in `pending_notice` |
//! | `registry/cursor.rs` | `detach` | R of AR | detach | all reads are over before a slot is written again | leave::a_leaver_is_pruned_by_a_turn |
//! | `registry/cursor.rs` | `restart` | R | detach | a scan that sees the new position sees that earlier reads are over | rejoin::a_reader_that_rejoins_of_its_own_will_has_read_what_it_held |
//! | `notice.rs` | `armed` | A | notice | the cursor of this life, from the fence of its join, to whoever finds its notice armed | registry::a_drop_is_told_once |
//! | `registry/registration.rs` | `retire` | R | detach | the cursor was detached before its registration is pruned | leave::a_leaver_is_pruned_by_a_joiner |
//! | `registry/registration.rs` | `is_retired` | A | detach | the same | leave::a_leaver_is_pruned_by_a_joiner |
//! | `registry/registration.rs` | `unsubscribe` | R | unsubscribed | that it leaves by itself, to a rejoiner that evicts itself for it | none: a guard's handler cannot be joined by a model; in one of the registration alone it was seen to fail |
//! | `registry/registration.rs` | `unsubscribe` | fence | unsubscribed | either this sees the cursor that has joined, or the joiner sees the mark | unsubscribe::what_is_unsubscribed_does_not_come_back |
//! | `registry/registration.rs` | `is_unsubscribed` | A | unsubscribed | the same | none: as above |
//! | `registry/registration.rs` | `wake_evicted` | fence | sleep | whoever registered as a sleeper before is found; one that registers later sees that it was evicted | sleep::a_sleeper_is_woken_by_its_eviction |
//! | `reader.rs` | `wait_at` | fence | drain | a close that is not seen here is followed by a future's look that sees the cursor | drained::a_reader_that_found_nothing_need_not_look_again |
//! | `reader.rs` | `release` | fence | drain | the same | drained::a_reader_that_released_need_not_look_again |
//! | `reader/park.rs` | `prepare_park` | fence | sleep | whoever evicts, closes or turns after it sees the sleeper; what came before is seen by the look that follows | sleep::a_sleeper_is_woken_by_its_eviction |
//! | `ring.rs` | `tail_after_fence` | fence | join | either a scan sees the cursor, or the joiner sees the tail of that scan | join::a_joiner_sees_what_comes_after_its_join |
//! | `ring/listeners.rs` | `ask_for_wake_up` | R | asleep | the sleeper that asks | none: in a model each operation orders as much for the next of its kind |
//! | `ring/listeners.rs` | `take_asleep` | A | asleep | the same | none: as above |
//! | `ring/listeners.rs` | `is_closed` | A | close | who sees the bit sees the last tail | close::an_accepted_event_is_read_before_the_end |
//! | `ring/listeners.rs` | `close` | R | close | the same | close::an_accepted_event_is_read_before_the_end |
//! | `ring/listeners.rs` | `close` | fence | sleep | a sleeper that registered before is found; one that registers later sees the close | close::a_sleeper_is_woken_by_the_close |
//! | `ring/gate.rs` | `scan_gate` | fence | join | the other half of that in `tail_after_fence` | join::a_joiner_sees_what_comes_after_its_join |
//! | `ring/exclusive.rs` | `skip_pinned_exclusive` | R | tail | who finds this hole and not the next finds no earlier tail later | none: a tail that goes back among holes does no harm that a model sees |
//! | `ring/exclusive.rs` | `commit` | R | publish | the contents of the run | exclusive::a_reader_sees_what_was_written |
//! | `ring/run.rs` | `reusable_end` | A | vacate | the last writers have left the memory of a run | run::a_straggler_stays_out_of_a_run |
//! | `ring/run.rs` | `enter_run` | R | final | a scan that sees the new head sees what the run left | run::a_scan_takes_no_event_of_a_run_that_a_batch_hands_on |
//! | `ring/run.rs` | `commit_run` | R | publish, vacate | the contents of the run | run::a_run_is_read_by_its_head |
//! | `ring/abandon.rs` | `restamp_rest` | R | publish | the contents of what is left of a run, to a reader that passes over to the newest event from behind it | none: all between must be holes then; no model is small enough |
//! | `ring/gate.rs` | `first_stalled_run` | A | vacate | the writer of a run has left it, to those who enter its inside | none: whoever swaps out the head says as much first, by `restamp_rest`; where it hangs before that, three threads are too many for a model. Without both, run::a_slot_inside_of_a_run_is_handed_to_the_next fails |
//! | `ring/claim.rs` | `claim` | R | runs | a scan that meets this tail looks after the runs below it | run::a_lapped_run_keeps_its_slots_to_itself |
//! | `ring/claim.rs` | `room` | A | limit | reads are over that another publisher's scan saw | wrap::the_limit_says_that_reads_are_over |
//! | `ring/claim.rs` | `raise_limit_past` | R | limit | the same | wrap::the_limit_says_that_reads_are_over |
//! | `ring/claim.rs` | `swap_in` | A of AR | vacate | the last writer has left the memory | wrap::a_writer_hands_its_slot_to_the_next |
//! | `ring/claim.rs` | `swap_in` | R of AR | final | a scan that sees the new head sees what the run left | run::a_scan_takes_no_event_of_a_run_that_is_handed_on |
//! | `ring/claim.rs` | `commit` | R | publish, vacate | the contents of the event | publish::a_reader_sees_what_was_written |
//! | `ring/abandon.rs` | `vacate` | R | vacate | the memory is as it was found | stall::a_lapped_writer_keeps_its_slot_to_itself |
//! | `ring/abandon.rs` | `punch_holes` | R | final | the same, where the claim of the head was taken away | none: it takes a publisher that hangs, who takes its claim, and a scan: three threads are too many for a model |
//! | `ring/stamp.rs` | `load` | A | publish | the contents of the event | publish::a_reader_sees_what_was_written |
//! | `stack.rs` | `push` | R | stack | the node | registry::a_drop_is_told_once |
//! | `stack.rs` | `take_all` | A | stack | the same | registry::a_drop_is_told_once |
//! | `wait/cell.rs` | `register` | R | cell | the sleeper, to whoever wakes it | cell::two_wakers_meet_a_registration |
//! | `wait/cell.rs` | `register` | A | cell | what a waker knew that came meanwhile | none: the look before a sleep finds the same, as its fence or the exchange of a stamp makes sure; under an exclusive publisher a nap may cover it |
//! | `wait/cell.rs` | `change` | A | cell | the last waker has left | cell::two_wakers_meet_a_registration |
//! | `wait/cell.rs` | `wake_thread` | A | cell | the sleeper, from the subscriber that registered it | cell::a_report_and_an_eviction_wake_one_thread |
//! | `wait/cell.rs` | `wake_thread` | R | cell | the cell is left, to a subscriber whose nap ended by itself | none: in a model a nap ends by an unpark, which orders as much |
//! | `wait/cell.rs` | `wake` | A of AR | cell | the sleeper, from whoever registered it | cell::two_wakers_meet_a_registration |
//! | `wait/cell.rs` | `wake` | R of AR | cell | what this waker knows, where it only leaves word | none: the other half of `register` |
//! | `wait/cell.rs` | `wake` | R | cell | the cell is left | cell::two_wakers_meet_a_registration |
//! | `wait/notify.rs` | `notify` | R | wake | what there is to see, to the worker that takes the call | sleep::a_task_is_woken_by_a_report |
//! | `wait/notify.rs` | `take` | A | wake | the same; the order to end above all, as a turn has a fence besides | worker::a_worker_ends |
//! | `worker/turn.rs` | `turn` | fence | sleep | sleepers that registered before are seen; those that come later see what was reported | handler::a_handler_that_panics_is_in_nobodys_way |
//! | `worker/turn.rs` | `turn` | fence | sleep | an exclusive publisher's report that missed the sleepers is seen by the look that follows | none: a worker looks again after a nap where somebody sleeps under an exclusive publisher |
//! | `worker/wake.rs` | `wake_one` | fence | sleep | a sleeper that registered before is found; one that registers later sees the event | sleep::a_task_is_woken_by_a_report |
