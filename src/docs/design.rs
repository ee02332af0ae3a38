//! # How it works
//!
//! The yardstick for every decision:
//!
//! > Freeze any one thread at any instruction, for any length of time: every other thread keeps making progress, no
//! > event that was accepted is lost to a healthy subscriber, and no memory is touched that someone still borrows.
//!
//! ## The parts
//!
//! ```text
//!              report(event)
//!  publisher ───────────────► Bus ── list of workers, replaced whole
//!                              │
//!              ┌───────────────┴───────────────┐
//!           Worker 0                        Worker 1
//!           ├─ Ring: bounded slots          ├─ Ring
//!           ├─ its cursors                  ├─ its cursors
//!           └─ thread: wake, watch          └─ thread
//!                  │          │                   │
//!             Subscriber  Subscriber          handler = a subscriber with a thread of its own
//! ```
//!
//! - The **ring** is a power of two of slots `{ stamp, value }`. The stamp is the only truth about a slot: which
//!   sequence it stands for, whether the event is there, whether somebody is inside, whether somebody sleeps for it.
//! - The **cursor** of a subscriber is one word in a line of its own: the first sequence that it has not passed, and why
//!   it was dropped. Only its subscriber moves it, only an eviction marks it.
//! - The **registry** is a copy-on-write snapshot of the cursors. Publishers look at it a few times
//!   a lap, and where a subscriber sleeps. One registry serves all rings of a bus, so that choosing
//!   the ring with the fewest subscribers and joining it are one swap.
//! - The **worker** wakes sleepers and watches. It carries no events and runs no subscriber's code; publishers and awake
//!   subscribers never depend on it.
//!
//! ## A report (shared publishers)
//!
//! 1. *Claim*: compare-and-swap the tail from `t` to `t + 1`, below the limit. At the limit, scan the cursors first.
//! 2. *Enter*: compare-and-swap the slot's stamp from rest to `WRITING(t)`.
//! 3. *Write*: move the old value out and the event in. No user code runs from the claim to here.
//! 4. *Commit*: compare-and-swap `WRITING(t)` to `FULL(t)`; then wake who is to be woken, then drop the old value.
//!
//! A publisher may be frozen between any two of these. Its claim is then *stalled* once a grace has passed, or when the tail is
//! half of the ring ahead. Any reader that waits there, the worker, or a scanning publisher abandons a stalled claim: the sequence
//! becomes a *hole*, which every reader passes. The publisher finds out at its next compare-and-swap and publishes the event anew.
//! Its event is late, and no other event is.
//!
//! The grace doubles each time that one reader abandons a claim and no event comes after it, because readers and publishers that
//! run could starve each other otherwise. The distance of half a ring leaves three eighths of the ring to a reader that
//! waited: it is dropped at seven eighths. A scan looks for the claim that each subscriber will meet first, and lets publishers
//! go no further than half a ring beyond it before the next scan.
//!
//! An exclusive publisher writes the same slots without a compare-and-swap: nobody but it writes a stamp. A batch
//! carries one stamp for each *run* of slots, at its head. Its events go from the user's iterator straight into their
//! slots, and the stamp comes last: it claims nothing, so nobody waits for a slot that it is at, whatever the iterator does.
//!
//! ## A batch among other publishers
//!
//! Up to 128 of its events are taken from the iterator first. Then a whole run of the slots that were claimed is entered by one
//! compare-and-swap at its head, written, and committed by another; a reader there takes it away as a whole, too. The inside
//! bears stamps of earlier laps meanwhile and after, so three rules keep others out of it (`ring/run.rs`):
//!
//! - A run begins only where each of its slots is at rest, final for the lap before, and holds a value. So nobody can still
//!   enter one of them who claimed it a lap ago or more. Everything else (the first lap, behind a hole, behind a writer that
//!   hangs) goes slot by slot.
//! - A run begins at a multiple of four, and a scan frees a slot for the next lap only when each such place in reach of it is
//!   final, taking away what was claimed half a lap ago and never entered. So whoever claims a slot inside of a run a lap
//!   later finds it written, without a look at its head.
//! - A run whose writer hangs inside is passed over as a whole in each later lap, as a pinned window is.
//!
//! Whoever enters the first part of a run of the lap before leaves the rest a head of its own, so that runs last however
//! batches lie. A claim takes at most an eighth of the ring divided by the number of publishers, because all of them may be
//! frozen at the same time. A ring that never took a batch does not look for runs.
//!
//! ## Reading
//!
//! A reader looks at the stamp of the next slot. In its window, and within a lap, plain events all bear the same stamp, so
//! that one comparison says that an event is there; everything else (a hole, a run, a claim that hangs, the end of the
//! window, an eviction) is looked after apart. A reader that finds nothing right after an event that came just as soon
//! rests for some hundred nanoseconds: else it takes the slots' cache lines from under the publisher's hands, one by one.
//! A rest that brings one event did not pay, so that the reader reads on longer before it rests
//! again. A reader of a shared ring that found more than four events rests four times, because
//! shared publishers take longer for an event.
//!
//! A reader of an exclusive ring does not look at each slot, because its publisher writes in order:
//! where the last slot of a window has the stamp of a single event, each slot before it holds an
//! event or is a hole, and the ring stores where the last hole ends. The reader also looks at the
//! last slot of the next window. Where no single event is there yet, the reader rests up to four
//! times, while rests pay: so a whole window stays between its own and the publisher as long as
//! events keep coming. Where a batch is, it looks along the runs of both windows instead. A reader
//! that was away does not rest: one that finds two whole windows of single events written when it
//! comes back from its caller. It may share its core with other readers, which need the time.
//!
//! An exclusive publisher asks for the cache lines of its next slots, many at once, as far as its
//! room goes. Readers have passed these slots, so that no line is taken from one that reads it.
//!
//! A publisher that waits for room, by `try_report`, rests as well where a scan finds little room.
//! After a refusal it looks first at the one cursor that was in the way. Both spare the readers,
//! because each look takes the cache line of a cursor from the reader that writes it.
//!
//! ## Room, eviction, pins
//!
//! No publisher enters a slot that an active cursor has not passed. A scan stores how far publishers may go: the slowest
//! cursor plus the capacity, at most half a lap at a time. Whoever would leave less than an eighth of the ring is dropped,
//! by a compare-and-swap on its cursor that carries the reason.
//!
//! A subscriber that was dropped in the middle of an event still borrows it. It borrows from its
//! *window* only, at most 128 slots from its cursor on. Until it has noticed the drop, publishers
//! pass over the window in every lap: that costs slots, not progress. The first time, each slot
//! becomes a hole by a stamp of its own, so that the subscriber, wherever it stands, finds that it
//! was lapped. From then on one stamp makes a *run* of holes, which readers pass at once. The
//! windows of a ring add up to at most a quarter of it. A subscriber that sleeps borrows nothing,
//! and pins nothing.
//!
//! ## Joining
//!
//! A cursor is registered first, then a fence, then the tail is read that it starts from. A scan reads the tail, then a
//! fence, then the cursors. So a scan that does not see the cursor has read a tail that the joiner is not behind of, and
//! the half lap that it allows at most never reaches the joiner's first slot from behind.
//!
//! An exclusive publisher stores its tail before each scan and after each batch, not after each
//! event, because a store to another cache line would keep the processor from gathering the stores
//! to a line of slots. Who asks for the tail looks for it: the stamps behind the stored one say how
//! far the publisher is, and halving finds it in some ten looks.
//!
//! ## Sleeping
//!
//! There is no flag that publishers poll and no fence on their path. A subscriber that wants to
//! sleep leaves its waker in its own cell and sets a bit on the *stamp* of the slot that it waits
//! for. The publisher that swaps that stamp out owes a wake-up. It looks for sleepers that have
//! something to read, and wakes one *thread* itself, for the price of the system call that it would
//! make anyway. Tasks are the worker's, because their wakers are user code, and so are further
//! threads: if there are any, the publisher notifies the worker first, because it may be frozen
//! before it has woken the one. The bit says only that a subscriber sleeps. That none is missed
//! rests on two fences off the plain path of a report: the sleeper registers, then a fence, then it
//! looks once more; a publisher that pays a wake-up, and the worker's turn, begin with a fence,
//! then they look for sleepers. Where a publisher is inside already, the worker is asked to look
//! after the sleeper. Under an exclusive publisher no other thread writes a stamp: sleepers set a
//! bit in the word that the publisher looks at anyway, to see whether anyone listens. It may miss
//! the bit in a report that is under way, having no fence; so the worker looks after sleepers in
//! naps of at most `max_nap`, until one nap has passed and later reports are sure to see it.
//!
//! ## Several rings
//!
//! The clones are made first; then a slot is claimed and entered in every ring that has a subscriber; if one refuses, the
//! claims become holes and the event comes back whole; else all are written and committed.
