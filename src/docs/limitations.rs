//! # What the promise leaves out, and what things cost
//!
//! **The promise is about freezes of one thread.** It holds for several frozen threads too, as long
//! as they hold at most half of a ring together. When subscribers that were dropped and have not
//! noticed, and publishers that hang inside a report, hold more than half of it, a report is
//! [`Exhausted`](crate::ReportError::Exhausted).
//!
//! **Left out**
//! - The allocator's locks at a thread's first scan, or first wake-up of a sleeper: arc-swap makes
//!   a node for each thread that loads a snapshot, once. After that a report with one worker
//!   allocates nothing.
//! - The allocator's locks, where an event's own `Drop` or `Clone` takes them. An event's `Drop` may run a lap later, on a
//!   publisher's thread.
//! - What your `Clone`, `Drop`, `Waker`, iterator, closure or callback does. None of them runs between a claim and its
//!   commit, nor under a lock of ours.
//! - [`Bus::start`](crate::Bus::start) and [`Bus::stop`](crate::Bus::stop), which exclude each other by a lock.
//! - The delay of a subscriber that sleeps, if the frozen thread was about to wake it. It is up to
//!   four times [`max_nap`](crate::BusBuilder::max_nap), because the worker's naps double so far
//!   while nothing comes. If the frozen thread is the worker's, or has that subscriber's cell to
//!   itself just then, a parked thread wakes by itself within a second (or `max_nap`, if that is
//!   longer), and does not park again until the cell is left. A *task* cannot: it depends on the
//!   worker's thread or the host's turns, and on any thread that is waking it just then, such as
//!   one that unsubscribes it or closes the bus.
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
//! **What [`mem::forget`](std::mem::forget) costs.** It is safe, whatever is forgotten.
//! - A [`Delivery`](crate::Delivery), an [`Iter`](crate::Iter) or a [`TryIter`](crate::TryIter): nothing, they have no
//!   destructor. A pending [`recv_async`](crate::Subscriber::recv_async): one wake-up for nothing, and its `Waker` until
//!   the subscriber waits again or is dropped.
//! - A [`Subscriber`](crate::Subscriber): what one that stopped reading costs, until the next stop. It is dropped as
//!   lapped, told and counted; until then it is in the way of `try_report`, and holds a stop up to its deadline. Its
//!   window, at most 128 slots, stays pinned
//!   ([`pinned_slots`](crate::WorkerStats::pinned_slots); none if it was forgotten asleep) and keeps its share of the
//!   quarter that all windows together may take, so that enough of them make
//!   [`subscribe`](crate::Bus::subscribe) say [`Full`](crate::SubscribeError::Full), but never a report
//!   [`Exhausted`](crate::ReportError::Exhausted). It stays in the [`stats`](crate::Bus::stats), in every scan, and counts
//!   as a listener. A stop and a start leave all that behind, but for the memory of its ring and at most a ring of
//!   events, which are kept for good.
//! - A [`HandlerGuard`](crate::HandlerGuard): its handler lives on as after
//!   [`detach`](crate::HandlerGuard::detach).
//! - A [`Bus`](crate::Bus) or a [`Publisher`](crate::Publisher): the close that the last of them makes. A
//!   [`close`](crate::Bus::close) or a [`stop`](crate::Bus::stop) by another handle ends the stream all the same; without
//!   one its threads and sleepers wait for good. A publisher's
//!   [`carried`](crate::Publisher::carried) events, 128 at most, are lost.
//! - An [`ExclusivePublisher`](crate::ExclusivePublisher): the end of the stream, which nobody else can make. Subscribers
//!   can be [unsubscribed](crate::Bus::unsubscribe) one by one; the worker's thread naps for good.
//!
//! **Events that keep their bus** (a handle in an event) make a circle, which a stop breaks; one that keeps a
//! *subscriber* of its bus is dropped when it is lapped, but for one that lies in that subscriber's own window.
//!
//! **What frozen publishers hold.** One claim holds at most an eighth of the ring divided by the number of
//! [`Publisher`](crate::Publisher)s at that moment, and at least one slot; a single report holds one slot. So one frozen
//! publisher holds at most an eighth of the ring. Publishers that are cloned later do not shrink a claim that was made before,
//! so `n` frozen publishers hold together at most an eighth times `1 + 1/2 + ... + 1/n` (about a third of the ring for 8 of
//! them, half for 30), or `n` slots if that is more. An exclusive publisher claims nothing: frozen, it holds nothing.
//!
//! **Holes count as lag**, for the decision to drop a subscriber too, because that decision is about room: a subscriber that is
//! a whole ring behind stands in the way of the next slot, and a slot takes the same room with an event or without. Frozen
//! publishers can make as many holes as they hold, evicted readers as many in each lap as they pin. So size the ring for them:
//! with one frozen publisher, a healthy subscriber has six eighths of the ring for its own pauses, not seven.
//!
//! **A claim in flight holds its readers up** until it is committed or abandoned: it is abandoned
//! after [`stall_grace`](crate::BusBuilder::stall_grace), or before that when the tail is half of
//! the ring ahead of it. A subscriber is not to blame for a claim. So a subscriber that waits for
//! one, or has only holes before it, is dropped when the ring is full, and not at seven eighths. A
//! subscriber that calls `try_recv` only now and then may call it 32 times before it notices that
//! it waits for a claim. The worker and the publishers that look for room notice by themselves.
//!
//! **Large events take stack.** Events are passed by value. A report of an event of more than 4096
//! bytes, alone or in a batch, takes some 8 times its size of the publisher's stack, and some 14
//! times in a build without optimisations, what the caller keeps of it included. So an event of 128
//! KiB takes 1 MiB, or 1.8 MiB without optimisations; over several rings, a clone for each ring
//! besides, on the heap. Receiving takes none, because events are read in place. Smaller events of
//! a batch wait on the stack, 32 KiB of them at most. `Box` or `Arc` what is larger than a thread's
//! stack bears.
//!
//! **Notices wait for a turn.** Where nobody turns (a host that does not, a worker's thread that is frozen) each drop is
//! kept, some 500 bytes and the name, until it is told.
//!
//! **A close during a frozen report.** A publisher that needs room looks whether the ring is
//! closed, and then drops the subscriber that is in its way. If the publisher is frozen between the
//! two, and the ring is closed meanwhile, it drops the subscriber all the same. That subscriber is
//! `Lapped`, and loses what it had not read.
//!
//! **A stop** waits for every subscriber that has not read everything. A subscriber that received
//! its last event and made no call since counts as one: [`release`](crate::Subscriber::release)
//! says that it is done. A second stop at the same time returns at once, and its lists are empty. A
//! [`drained`](crate::Bus::drained) that is asked for while a stop ends is ready at once too. A
//! worker's thread may still be about to exit when a stop returns: what your callback left in its
//! thread-locals is dropped then.
//!
//! **Processes.** ringbus starts threads and nothing else. A child that the host forks has the memory of a bus and none of
//! its threads: it must not use it.
//!
//! **What comes meanwhile counts.** A [`drain`](crate::Subscriber::drain) or a
//! [`try_iter`](crate::Subscriber::try_iter) ends when nothing is there: where its own closure reports as fast as it reads,
//! that is at its `max`, or never.
//!
//! **Panics of your `Drop`** come out of whichever call drops the event: a report a lap later, a stop, the drop of the last
//! handle, or the end of a worker's thread, where it is printed and goes no further. Of several in one call the first comes out, and no value is kept for it.
//!
//! **`try_report_batch`** of a shared publisher takes from its iterator what fits. Where another publisher then takes the
//! room first, up to 128 events wait in the publisher ([`carried`](crate::Publisher::carried)) and go first at its next call;
//! dropping the publisher drops them.
//!
//! **64-bit atomics** are required. At a billion events a second the 59-bit sequence lasts 18 years, the 52-bit lap of a ring of
//! 64 nine.
//!
//! **On x86-64** an exclusive publisher uses the instruction PREFETCHW. The first 64-bit processors
//! of Intel, before 2006, may lack it. There the process would end by an illegal instruction.
//!
//! **Models.** Under `cfg(loom)` the snapshots are one atomic word, no weaker than what arc-swap promises for a load and a
//! swap; arc-swap itself is not modelled. Capacities go down to 2 and windows to 2, and time stands still.
