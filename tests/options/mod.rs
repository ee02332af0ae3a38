//! Options that nobody should ask for, drawn at random, and what is wrong with them.
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use crate::common::{Counted, builder};
use proptest::prelude::*;
use proptest::sample::select;
use ringbus::affinity::cores;
use ringbus::{
    BusBuilder, Clock, Drive, OnLap, Pinning, SlotLayout, SubscribeError, SubscribeOptions,
    WaitStrategy,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No machine has it.
pub(crate) const NOWHERE: usize = usize::MAX;
/// No core has a greater number, but for those that no machine has.
const LAST: usize = 1 << 20;
/// Elsewhere pinning may do nothing, and say `Ok`.
const PINS: bool = cfg!(target_os = "linux");
/// The name with characters that no name has.
const CONTROLLED: usize = 2;
/// More than the bus has.
pub(crate) const MANY: usize = 10_000;

const SHORTEST_GRACE: Duration = Duration::from_micros(100);

const TIMES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_millis(1),
    Duration::from_secs(1),
    Duration::MAX,
];

/// Mostly long enough, or hardly a bus would be built.
const GRACES: &[Duration] = &[
    Duration::from_nanos(99_999),
    SHORTEST_GRACE,
    TIMES[2],
    TIMES[2],
    TIMES[3],
    TIMES[4],
];

const LIMITS: &[Duration] = &[TIMES[0], TIMES[1], TIMES[2], TIMES[2], TIMES[3], TIMES[4]];

const WINDOWS: &[Option<usize>] = &[
    None,
    None,
    Some(1),
    Some(3),
    Some(32),
    Some(0),
    Some(33),
    Some(usize::MAX),
];

/// Stands still, leaps to the end of time, and goes back.
#[derive(Default)]
struct Wild(AtomicUsize);

impl Clock for Wild {
    fn now(&self) -> Duration {
        let look = self.0.fetch_add(1, Ordering::Relaxed);
        [TIMES[3], TIMES[3], Duration::MAX, TIMES[2], Duration::ZERO][look / 3 % 5]
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Build {
    capacity: usize,
    pub(crate) workers: usize,
    layout: SlotLayout,
    pins: Vec<usize>,
    pinning: usize,
    drive: Drive,
    wait: WaitStrategy,
    times: [Duration; 3],
    wild: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Wish {
    name: usize,
    pub(crate) core: Option<usize>,
    worker: Option<usize>,
    window: Option<usize>,
    on_lap: OnLap,
    wait: WaitStrategy,
    lag_limit: Option<(u64, Duration)>,
    stall_limit: Option<Duration>,
    pub(crate) handles: bool,
}

fn strategies() -> impl Strategy<Value = WaitStrategy> {
    select(vec![
        WaitStrategy::Spin,
        WaitStrategy::Yield,
        WaitStrategy::Backoff,
        WaitStrategy::Park,
    ])
}

pub(crate) fn build() -> impl Strategy<Value = Build> {
    let here = cores()[0];
    (
        select(vec![0, 1, 65, 64, 64, 64, 512, 4096, 1 << 60, usize::MAX]),
        select(vec![1, 1, 1, 1, 2, 2, 3, 0, MANY, usize::MAX]),
        any::<bool>(),
        prop::collection::vec(select(vec![here, here, here, NOWHERE, LAST + 1]), 0..4),
        0..4usize,
        (any::<bool>(), strategies(), any::<bool>()),
        (select(&TIMES), select(GRACES), select(&TIMES)),
    )
        .prop_map(|(capacity, workers, dense, pins, pinning, rest, times)| {
            let (threads, wait, wild) = rest;
            Build {
                capacity,
                workers,
                layout: [SlotLayout::InLine, SlotLayout::Dense][usize::from(dense)],
                pins,
                pinning,
                drive: [Drive::Manual, Drive::Threads][usize::from(threads)],
                wait,
                times: times.into(),
                wild,
            }
        })
}

pub(crate) fn wish() -> impl Strategy<Value = Wish> {
    (
        0..6usize,
        select(vec![None, Some(cores()[0]), Some(NOWHERE)]),
        select(vec![None, None, Some(0), Some(MANY), Some(usize::MAX)]),
        select(WINDOWS),
        (any::<bool>(), any::<bool>(), strategies()),
        prop::option::of((select(vec![0, 1, 1, 63, u64::MAX]), select(LIMITS))),
        prop::option::of(select(LIMITS)),
    )
        .prop_map(
            |(name, core, worker, window, rest, lag_limit, stall_limit)| {
                let (rejoins, handles, wait) = rest;
                Wish {
                    name,
                    core,
                    worker,
                    window,
                    on_lap: [OnLap::Evict, OnLap::Rejoin][usize::from(rejoins)],
                    wait,
                    lag_limit,
                    stall_limit,
                    handles,
                }
            },
        )
}

impl Build {
    pub(crate) fn builder(&self) -> BusBuilder<Counted> {
        let [max_nap, stall_grace, stop_timeout] = self.times;
        let builder = builder(self.capacity)
            .workers(self.workers)
            .slots(self.layout)
            .pinning(match self.pinning {
                0 => Pinning::Auto,
                1 => Pinning::Off,
                _ => Pinning::Cores(self.pins.clone()),
            })
            .drive(self.drive)
            .wait(self.wait)
            .max_nap(max_nap)
            .stall_grace(stall_grace)
            .stop_timeout(stop_timeout);
        match self.wild {
            true => builder.clock(Wild::default()),
            false => builder,
        }
    }

    /// Every reason to refuse it.
    pub(crate) fn is_bad(&self) -> bool {
        let pins = match self.pinning {
            0 | 1 => None,
            _ => Some(&self.pins),
        };
        self.workers == 0
            || self.workers >= MANY
            || self.capacity >= 1 << 60
            || self.capacity == 0
            || self.times[0].is_zero()
            || self.times[1] < SHORTEST_GRACE
            || pins.is_some_and(|pins| {
                let taken = pins.iter().take(self.workers);
                // Without threads there is nothing to pin.
                pins.len() < self.workers
                    || self.drive == Drive::Threads && taken.max() > Some(&LAST) && PINS
            })
    }
}

impl Wish {
    pub(crate) fn options(&self) -> SubscribeOptions {
        let mut options = SubscribeOptions::new().on_lap(self.on_lap).wait(self.wait);
        match self.name {
            0 => {}
            1 => options = options.name(""),
            CONTROLLED => options = options.name("a\u{202e}\0b\n"),
            3 => options = options.name("a\u{202e}b"),
            _ => options = options.name("m".repeat(1 << 20)),
        }
        if let Some(slots) = self.window {
            options = options.window(slots);
        }
        if let Some(core) = self.core {
            options = options.core(core);
        }
        if let Some(worker) = self.worker {
            options = options.worker(worker);
        }
        if let Some((slots, time)) = self.lag_limit {
            options = options.lag_limit(slots, time);
        }
        if let Some(time) = self.stall_limit {
            options = options.stall_limit(time);
        }
        options
    }

    /// What no ring of that capacity takes.
    pub(crate) fn is_bad(&self, capacity: usize) -> bool {
        let limits = self.lag_limit.map(|(_, time)| time);
        self.name == CONTROLLED
            || self.window.is_some_and(|slots| slots == 0 || slots > 128)
            || self
                .lag_limit
                .is_some_and(|(slots, _)| slots >= capacity as u64)
            || limits.is_some_and(|time| time.is_zero())
            || self.stall_limit.is_some_and(|time| time.is_zero())
    }

    pub(crate) fn expect(&self, error: &SubscribeError, workers: usize) {
        let zero = |time: Option<Duration>| time.is_some_and(|time| time.is_zero());
        match error {
            SubscribeError::InvalidName { .. } => assert_eq!(self.name, CONTROLLED),
            SubscribeError::WindowOutOfRange { slots, .. } => {
                assert!(Some(*slots) == self.window && !(1..=128).contains(slots));
            }
            SubscribeError::LagLimitTooLarge { slots, capacity } => {
                assert!(self.lag_limit.map(|(slots, _)| slots) == Some(*slots));
                assert!(slots >= capacity);
            }
            SubscribeError::ZeroDuration {
                option: "lag_limit",
            } => assert!(zero(self.lag_limit.map(|(_, time)| time))),
            SubscribeError::ZeroDuration { .. } => assert!(zero(self.stall_limit)),
            SubscribeError::NoSuchWorker { worker, .. } => {
                assert!(Some(*worker) == self.worker && *worker >= workers);
            }
            SubscribeError::Pin(_) => assert!(self.handles && self.core == Some(NOWHERE)),
            // Others asked for the widest windows before.
            SubscribeError::Full { .. } => {}
            error => panic!("{error}"),
        }
        assert!(!error.to_string().is_empty());
    }
}
