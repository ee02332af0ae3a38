//! # What the promise leaves out, and what things cost
//!
//! **The promise is about freezes of one thread.** Several threads frozen at once keep it too, up to the room they hold:
//! when more than half of a ring is pinned by evicted readers or held by publishers that do not come back, a report is
//! [`Exhausted`](crate::ReportError::Exhausted).
//!
//! **Left out**
//! - The allocator's locks, where an event's own `Drop` or `Clone` takes them. An event's `Drop` may run a lap later, on a
//!   publisher's thread.
//! - What your `Clone`, `Drop`, `Waker`, iterator, closure or callback does. None of them runs between a claim and its
//!   commit, nor under a lock of ours.
//! - [`Bus::start`](crate::Bus::start) and [`Bus::stop`](crate::Bus::stop), which exclude each other by a lock.
//! - A sleeper's delay, up to [`max_nap`](crate::BusBuilder::max_nap), when the frozen thread owed the wake-up. A parked
//!   thread wakes by itself within a second, should it be the worker's. A *task* cannot: it depends on the worker's thread, or on the host's turns.
//!
//! **Sleepers need room.** The capacity must exceed the peak rate times the wake-up latency, and times `max_nap` under an
//! exclusive publisher, or sleepers are dropped in bursts.
//!
//! **Lag counts sequences**, holes included, so `lag`, `Lagged(n)` and `rejoin` are upper bounds on events. A cursor moves
//! lazily, so other threads see up to a window more lag than there is.
//!
//! **Several rings.** Order is total for each ring; over the whole bus it is first-in-first-out for each publisher. When a
//! freeze overlaps a stop, or a ring is exhausted between the claim and a rescue, an event that one ring has may miss in
//! another.
//!
//! **`mem::forget`** of anything is safe. A forgotten [`Subscriber`](crate::Subscriber) is one that stopped reading: it is
//! dropped as lapped, and its window, at most 8 slots, stays pinned for the life of the ring. A forgotten
//! [`HandlerGuard`](crate::HandlerGuard) is a detached one.
//!
//! **`try_report_batch`** of a shared publisher takes from its iterator what fits. Where another publisher then takes the
//! room first, up to 32 events wait in the publisher ([`carried`](crate::Publisher::carried)) and go first at its next call;
//! dropping the publisher drops them.
//!
//! **64-bit atomics** are required. A lap never wraps: at a billion events a second the 59-bit sequence lasts 18 years.
//!
//! **Models.** Under `cfg(loom)` the snapshots are one atomic word, no weaker than what arc-swap promises for a load and a
//! swap; arc-swap itself is not modelled. Capacities go down to 2 and windows to 2, and time stands still.
