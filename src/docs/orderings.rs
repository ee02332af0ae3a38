//! # Every ordering, and the edge it belongs to
//!
//! In the sources each operation that is not Relaxed carries `// SYNC <edge>`, the same word at both ends. `R` is a
//! Release, `A` an Acquire, `SC` a sequentially consistent operation or fence.
//!
//! | edge | from | to | what it carries |
//! |---|---|---|---|
//! | `publish` | commit, `ring/shared` and `ring/exclusive` (R) | a reader's stamp load, `ring` (A) | the event's contents |
//! | `vacate` | commit, `give_up`, `leave` (R) | `enter`'s compare-and-swap (A) | the memory of a slot, to its next writer. Rescues in between are read-modify-writes: they continue the release sequence |
//! | `advance` | `Cursor::advance` (R), `advance_idle` (A and R) | a scan's `Cursor::look`, `Cursor::evict` (A) | the reads of the slots behind the cursor are over |
//! | `detach` | `Cursor::detach`, `Member::retire` (R) | `Cursor::look`, `Member::is_retired` (A) | all reads are over |
//! | `limit` | raising it after a scan (R) | a claim's load (A) | `advance` and `detach`, to publishers that did not scan |
//! | `join` | fence after registering (SC) | fence before a scan (SC), the tail read before it | either the scan sees the cursor, or the joiner sees the tail |
//! | `registry` | the snapshot's swap | its load | `detach` of cursors that were pruned; a whole member |
//! | `published` | an exclusive publisher's tail store (R) | `Ring::tail` (A) | every slot before it is written |
//! | `listen` | the count of listeners, up and down (SC) | a report's look at it (SC) | exact start of a subscription |
//! | `close` | `CLOSED` in the tail, then in the listeners (A and R) | `Ring::is_closed` (A) | the last tail |
//! | `sleep` | arming a stamp (R); registering, then a fence (SC) | `enter` and `make_hole` (A); the fence of a turn, a close, an eviction (SC) | that somebody sleeps |
//! | `wake` | `Signal::raise` (A and R) | `Signal::lower`, `is_raised` (A) | what there is for the worker to see |
//! | `cell` | leaving a state of `SleeperCell` (R) | entering one (A) | the sleeper itself |
//! | `notice` | a generation armed, a drop told (A and R) | `untold`, `is_settled` (A) | who tells of a drop, once |
//! | `unwanted` | `Member::unsubscribe`: the mark, then a fence (SC), then a look at the cursor | after a rejoin: a fence (SC), then a look at the mark | one of the two sees the other: what is unsubscribed does not come back |
//! | `stack` | push (R) | take (A) | a node |
//!
//! A hint, and no edge: an exclusive publisher's look for `ASLEEP` after its commit is Relaxed, and may miss a sleeper that
//! asks at that moment; naps cover it.
//!
//! Relaxed on purpose: the tail's compare-and-swap (a claim carries nothing but the number), counters, the watch's own
//! notes, a cursor's own glance, and `Cursor::resume`, which only needs its place in the order of one word.
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
//! | `cursor.rs` | `look` | A | advance, detach | the reads behind the cursor are over before a slot is written | publish::a_slot_is_written_again_when_its_reader_has_moved_on |
//! | `cursor.rs` | `advance` | R | advance | the same | publish::a_slot_is_written_again_when_its_reader_has_moved_on |
//! | `cursor.rs` | `advance_idle` | A of AR | sleep | what the mark of an eviction carries | none: ? |
//! | `cursor.rs` | `advance_idle` | R of AR | advance | the reads behind the cursor are over | sleep::a_sleeper_wakes_into_its_eviction |
//! | `cursor.rs` | `evict` | A of AR | advance | what the subscriber released when it came there | none: ? |
//! | `cursor.rs` | `evict` | R of AR | advance | passes on | none: ? |
//! | `cursor.rs` | `detach` | A of AR | detach | ? | none: ? |
//! | `cursor.rs` | `detach` | R of AR | detach | all reads are over before a slot is written | leave::a_leaver_is_pruned_by_a_turn |
//! | `cursor.rs` | `restart` | R | detach | a scan that sees the new position sees that earlier reads are over | rejoin::a_rejoined_reader_sees_what_comes_after |
//! | `cursor.rs` | `move_up` | R | join | a scan that sees the new position sees that earlier reads are over | rejoin::a_rejoined_reader_sees_what_comes_after |
//! | `member.rs` | `arm_notice` | R | notice | the cursor of this generation, to who finds it armed | registry::a_drop_is_told_once |
//! | `member.rs` | `untold` | A | notice | the same | registry::a_drop_is_told_once |
//! | `member.rs` | `tell` | A of AR | notice | ? | none: ? |
//! | `member.rs` | `tell` | R of AR | notice | a told drop is told before its member is pruned | registry::a_drop_is_told_once |
//! | `member.rs` | `disarm_notice` | A of AR | notice | ? | none: ? |
//! | `member.rs` | `disarm_notice` | R of AR | notice | ? | none: ? |
//! | `member.rs` | `retire` | R | detach | the cursor was detached before the member is pruned | leave::a_leaver_is_pruned_by_a_joiner |
//! | `member.rs` | `is_retired` | A | detach | the same | leave::a_leaver_is_pruned_by_a_joiner |
//! | `member.rs` | `is_settled` | A | notice | the same, where the subscriber disarmed its notice last | leave::a_leaver_is_pruned_by_a_turn |
//! | `member.rs` | `unsubscribe` | A of AR | unwanted | ? | none: ? |
//! | `member.rs` | `unsubscribe` | R of AR | unwanted | ? | none: ? |
//! | `member.rs` | `unsubscribe` | fence | unwanted | either this sees the cursor that has rejoined, or the rejoiner sees the mark | unsubscribe::what_is_unsubscribed_does_not_come_back |
//! | `member.rs` | `leave` | R | unwanted | ? | none: ? |
//! | `member.rs` | `left_by_itself` | A | unwanted | ? | none: ? |
//! | `member.rs` | `is_unwanted` | fence | unwanted | the other half of the fence in unsubscribe | unsubscribe::what_is_unsubscribed_does_not_come_back |
//! | `member.rs` | `is_unwanted` | A | unwanted | ? | none: ? |
//! | `member.rs` | `wake_evicted` | fence | sleep | whoever registered as a sleeper before is found; one that registers later sees that it was evicted | sleep::a_sleeper_is_woken_by_its_eviction |
//! | `reader.rs` | `fall_asleep` | fence | sleep | whoever evicts, closes or publishes after it sees the sleeper; what came before is seen by the look that follows | sleep::a_sleeper_is_woken_by_its_eviction |
//! | `ring.rs` | `tail` | A | published | every slot before an exclusive publisher's tail is written | batch::a_run_is_read_whole_by_whoever_joins |
//! | `ring.rs` | `tail_after_fence` | fence | join | either a scan sees the cursor, or the joiner sees the tail of that scan | join::a_joiner_sees_what_comes_after_its_join |
//! | `ring.rs` | `is_unheard` | SC | listen | a report that comes after a subscribe hears of it | none: ? |
//! | `ring.rs` | `listen` | SC | listen | the same | none: ? |
//! | `ring.rs` | `unlisten` | SC | listen | ? | none: ? |
//! | `ring.rs` | `ask_for_wake_up` | A of AR | sleep | ? | none: ? |
//! | `ring.rs` | `ask_for_wake_up` | R of AR | sleep | ? | none: ? |
//! | `ring.rs` | `take_asleep` | A of AR | sleep | who asked is seen by the worker that is woken | exclusive::a_reader_sees_what_was_written |
//! | `ring.rs` | `take_asleep` | R of AR | sleep | ? | none: ? |
//! | `ring.rs` | `is_closed` | A | close | who sees the bit here sees it in the tail | close::an_accepted_event_is_read_before_the_end |
//! | `ring.rs` | `close` | A of AR | close | the tail: ? | none: ? |
//! | `ring.rs` | `close` | R of AR | close | the tail: ? | none: ? |
//! | `ring.rs` | `close` | A of AR | close | the listeners: ? | none: ? |
//! | `ring.rs` | `close` | R of AR | close | the listeners: the last tail | close::an_accepted_event_is_read_before_the_end |
//! | `ring.rs` | `close` | fence | sleep | a sleeper that registered before is found; one that registers later sees the close | close::a_sleeper_is_woken_by_the_close |
//! | `ring.rs` | `stamp` | A | publish | the contents of the event | publish::a_reader_sees_what_was_written |
//! | `ring.rs` | `make_room` | fence | join | the other half of the fence in tail_after_fence | join::a_joiner_sees_what_comes_after_its_join |
//! | `ring.rs` | `free` | fence | join | ? | none: ? |
//! | `stack.rs` | `push` | R | stack | the node | registry::a_drop_is_told_once |
//! | `stack.rs` | `take_all` | A | stack | the node | registry::a_drop_is_told_once |
//! | `wait.rs` | `register` | A of AR | cell | ? | none: ? |
//! | `wait.rs` | `register` | R of AR | cell | the sleeper, to whoever wakes it | cell::two_wakers_meet_a_registration |
//! | `wait.rs` | `register` | A | cell | ? | none: ? |
//! | `wait.rs` | `register` | R | cell | ? | none: ? |
//! | `wait.rs` | `cancel` | R | cell | ? | none: ? |
//! | `wait.rs` | `change` | A | cell | the last waker has left | cell::two_wakers_meet_a_registration |
//! | `wait.rs` | `wake` | A of AR | cell | the sleeper, from who registered it | cell::two_wakers_meet_a_registration |
//! | `wait.rs` | `wake` | R of AR | cell | ? | none: ? |
//! | `wait.rs` | `wake` | R | cell | the cell is left | cell::two_wakers_meet_a_registration |
//! | `wait.rs` | `raise` | A of AR | wake | ? | none: ? |
//! | `wait.rs` | `raise` | R of AR | wake | what there is to see, to the worker that lowers it | sleep::a_turn_meets_a_report |
//! | `wait.rs` | `lower` | A of AR | wake | the same | sleep::a_turn_meets_a_report |
//! | `wait.rs` | `lower` | R of AR | wake | ? | none: ? |
//! | `wait.rs` | `is_raised` | A | wake | ? | none: ? |
//! | `watch.rs` | `turn` | fence | sleep | sleepers that registered before are seen; those that come after look for themselves | sleep::two_sleep_at_one_stamp |
//! | `worker.rs` | `end` | R | wake | ? | worker::a_worker_ends |
//! | `worker.rs` | `is_ending` | A | wake | ? | worker::a_worker_ends |
//! | `ring/exclusive.rs` | `commit_exclusive` | R | publish | the contents of the run | exclusive::a_reader_sees_what_was_written |
//! | `ring/exclusive.rs` | `publish_tail` | R | published | every slot before it is written | batch::a_run_is_read_whole_by_whoever_joins |
//! | `ring/exclusive.rs` | `find_exclusive_room` | R | publish | a hole: ? | none: ? |
//! | `ring/shared.rs` | `room` | A | limit | reads are over that another publisher's scan saw | wrap::the_limit_says_that_reads_are_over |
//! | `ring/shared.rs` | `raise_limit` | R | limit | the same | wrap::the_limit_says_that_reads_are_over |
//! | `ring/shared.rs` | `enter` | A | vacate | the last writer has left the memory | wrap::a_writer_hands_its_slot_to_the_next |
//! | `ring/shared.rs` | `commit` | R | publish, vacate | the contents of the event | publish::a_reader_sees_what_was_written |
//! | `ring/shared.rs` | `give_up` | R | vacate | ? | none: ? |
//! | `ring/shared.rs` | `leave` | R | vacate | the memory is as it was found | stall::a_lapped_writer_keeps_its_slot_to_itself |
//! | `ring/shared.rs` | `make_hole` | A | sleep | who waits at this stamp is seen by whom we wake | sleep::a_rescue_pays_the_wake_up |
//! | `ring/shared.rs` | `arm` | R | sleep | that somebody sleeps, to whoever swaps the stamp out | sleep::two_sleep_at_one_stamp |
//! | `ring/shared.rs` | `arm` | A | publish | the contents of an event that came first | none: ? |
