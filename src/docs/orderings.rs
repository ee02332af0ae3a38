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
