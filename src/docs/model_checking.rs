//! # Model-checking a host
//!
//! With `--cfg loom` the bus is built on the types of [loom](https://docs.rs/loom), so that a host's own protocols, its
//! own atomics and the bus can be explored together, in every order that matters. Nothing of the bus is mocked: it is the
//! code that ships.
//!
//! ## The host
//!
//! Take a source that changes, and caches that follow it: each change is an event, and a cache that joins takes the rest
//! from the source. It looks easy to get right. This is `examples/loom_host/cache.rs`; `main.rs` beside it runs it for
//! real. All that it does for loom's sake is to name its primitives in one place, a *facade*. (And loom's `Arc` is a type
//! like any other: no `self: &Arc<Self>`, so write `this: &Arc<Self>`.)
//!
//! ```ignore
#![cfg_attr(doc, doc = include_str!("../../examples/loom_host/cache.rs"))]
//! ```
//!
//! ## A model
//!
//! A model is a closure that loom runs once for each order it finds: it starts a few threads, lets them meet, and says
//! what must hold. Everything in it is made anew each time, the bus too.
//!
//! ```ignore
//! use loom::sync::Arc;
//! use loom::thread;
//! use ringbus::Bus;
//!
//! #[test]
//! fn a_cache_that_joins_misses_no_change() {
//!     loom::model(|| {
//!         let source = Source::new(Bus::builder().capacity(2).build().unwrap());
//!         let changer = {
//!             let source = Arc::clone(&source);
//!             thread::spawn(move || source.change().unwrap())
//!         };
//!         let mut cache = Cache::new(&source).unwrap();
//!         changer.join().unwrap();
//!         assert_eq!(cache.refresh().unwrap(), 1, "a change was missed");
//!     });
//! }
//! ```
//!
//! `loom-tests/tests/host.rs` has this one and more. Two of them have a bug of the host's in them, and are expected to
//! fail: a cache that looks at the version *before* it subscribes, and one that looks after it by a plain load, where
//! nothing orders the change's look for subscribers and the cache's look for the change. The second never fails on an
//! x86 machine, however long a stress test runs. Do the same to your own models: a model that has not been seen to fail
//! says nothing.
//!
//! ## The package
//!
//! ```toml
//! [dependencies]
//! ringbus = { path = "../ringbus" }
//!
//! # Not a dev-dependency: the facade is part of the host.
//! [target.'cfg(loom)'.dependencies]
//! loom = "0.7" # the loom of the bus: both must be one
//!
//! [lints.rust]
//! unexpected_cfgs = { level = "warn", check-cfg = ["cfg(loom)"] }
//!
//! # Optimised so that the models end, with debug assertions so that they mean something.
//! [profile.loom]
//! inherits = "release"
//! debug-assertions = true
//! ```
//!
//! ```sh
//! LOOM_MAX_PREEMPTIONS=2 RUSTFLAGS="--cfg loom" cargo test --profile loom --test host --target-dir target/loom
//! ```
//!
//! Start the models' file with `#![cfg(loom)]`. The flag reaches every dependency, and some change with it (tokio loses
//! its timers and its network), so let the models, with the code that they check, depend on little: a package of their
//! own is best. The target directory spares a rebuild each time the flag comes or goes.
//!
//! ## What is different there
//!
//! - **Capacity.** Rings go down to 2 slots, and are still powers of two. Ask for 2 or 4: the default of 1024 takes
//!   for ever. In a ring of 2 the third event that a reader has not read drops it.
//! - **Windows.** At most 4 slots wide, whatever is asked for (1 to 128, as ever), and they may add
//!   up to the whole ring: a ring of 2 takes one subscriber with the
//!   default window, or two with `SubscribeOptions::window(1)`; the next gets
//!   [`SubscribeError::Full`](crate::SubscribeError::Full).
//! - **Claims** are stalled at once where the ring is that small, so readers take them away, holes are common, and a
//!   report may be [`Exhausted`](crate::ReportError::Exhausted) where it never would be in a ring of 64. Report again.
//! - **Chores.** There is no thread of ours unless the builder asks for one
//!   ([`Drive::Threads`](crate::Drive::Threads), which then naps until it is woken, and ends with a stop). [`Bus::wants_turn`](crate::Bus::wants_turn) and
//!   [`Bus::turn`](crate::Bus::turn) are the model's to call, if somebody sleeps in it: as long as `wants_turn` says so, or
//!   the last turn had somebody `watched` (who waits at a claim that hangs), with `yield_now` in the loop. A model in which
//!   nobody sleeps needs none.
//!
//!   ```ignore
//!   let mut soon = false;
//!   while !done.load(Ordering::Acquire) {
//!       if soon || bus.wants_turn() {
//!           soon = bus.turn().watched > 0;
//!       }
//!       thread::yield_now(); // let the others run, or this loop has no end
//!   }
//!   ```
//! - **Time** stands still, but for a [`ManualClock`](crate::ManualClock). A sleep has no timeout, so a wake-up that is lost
//!   is a deadlock, which loom reports. Deadlines are held against the machine's own clock, which a model must not depend
//!   on: give `recv_timeout`, `stop_timeout` and their like zero or `Duration::MAX`, and nothing in between.
//! - **Threads.** loom has 5 at most, the model's own, each handler's and each worker's among them. All must have ended when
//!   the model does: join a handler rather than dropping its guard.
//! - **Pinning** does nothing.
//!
//! ## The tick
//!
//! loom remembers of each atomic only its last access, and decides by it where another thread might have come first. A
//! thread that loads a word just before its compare-and-swap on it hides the access of another thread that way, and whole
//! outcomes are never explored: a claim of the bus made by `fetch_add`, which is wrong, passes. So under `cfg(loom)` each
//! atomic operation of the bus first makes a Relaxed read-modify-write on one word that all threads share, the *tick*. It
//! makes any two operations depend on each other, and being Relaxed it orders nothing that the code under test could
//! lean on.
//!
//! The host's own atomics have no tick. Where they are loaded and then exchanged, in a loop say, give the facade one:
//!
//! ```ignore
//! loom::lazy_static! {
//!     static ref TICK: loom::sync::atomic::AtomicUsize = loom::sync::atomic::AtomicUsize::new(0);
//! }
//!
//! pub struct AtomicU64(loom::sync::atomic::AtomicU64);
//!
//! impl AtomicU64 {
//!     pub fn load(&self, order: Ordering) -> u64 {
//!         TICK.fetch_add(1, Ordering::Relaxed);
//!         self.0.load(order)
//!     }
//!     // and so on
//! }
//! ```
//!
//! ## What a model does not see
//!
//! - More than `LOOM_MAX_PREEMPTIONS` preemptions in one run. Two find most faults; three take hours where two take minutes.
//! - More than a few laps, threads or events: a fault that needs nine slots is not in a ring of two.
//! - Time: naps, timeouts, graces, soft limits. Naps bear load where somebody sleeps under an exclusive publisher, which may
//!   miss that: drive such a model by turns as long as the last had somebody `asleep`.
//! - Spinning: [`WaitStrategy::Spin`](crate::WaitStrategy::Spin), and any loop of the host's that waits without `yield_now`,
//!   ends in "Model exceeded maximum number of branches". So do long models: raise `max_branches` of
//!   `loom::model::Builder`.
//! - What the facade replaces: the snapshots of the subscribers are one atomic word there, and arc-swap itself is not
//!   modelled.
//! - Load buffering: loom lets no load be overtaken by a later store. And it takes a `SeqCst` *access* for `AcqRel`, so that
//!   code that is right may fail; a `SeqCst` fence is what it says.
