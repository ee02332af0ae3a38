//! What an epoch is like: one bus, and how its guests behave.

use std::time::Duration;

use ringbus::{BusBuilder, Drive, OnLap, Pinning, SlotLayout, SubscribeOptions, WaitStrategy};

use crate::dice::Dice;
use crate::pen::Ending;

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bare,
    Plain,
    Heap,
}

/// The configuration of an epoch.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: Kind,
    pub exclusive: bool,
    pub workers: usize,
    pub capacity: usize,
    pub layout: SlotLayout,
    pub drive: Drive,
    pub wait: WaitStrategy,
    pub max_nap: Duration,
    pub length: Duration,
    /// At most so many publishers at once.
    pub publishers: usize,
    pub subscribers: usize,
    /// Threads that keep handlers.
    pub keepers: usize,
    /// Publishers that drop who is in their way, of a hundred.
    pub rude: u64,
    /// After how long the bus is stopped and started again.
    pub restarts: Vec<Duration>,
    /// The bus ends while publishers are at it.
    pub abrupt: bool,
    pub ending: Ending,
}

const STRATEGIES: [WaitStrategy; 4] = [
    WaitStrategy::Backoff,
    WaitStrategy::Park,
    WaitStrategy::Yield,
    WaitStrategy::Spin,
];

impl Plan {
    pub fn draw(dice: &mut Dice) -> Self {
        let exclusive = dice.percent(30);
        let length = dice.micros(1_500_000..3_500_000);
        let restarts = match exclusive {
            true => 0,
            false => dice.below(4),
        };
        let drive = dice.pick(&[
            Drive::Threads,
            Drive::Threads,
            Drive::Threads,
            Drive::Manual,
        ]);
        let ending = match drive {
            // Without a thread of the bus, only a stop gives the last notices.
            Drive::Manual => dice.pick(&[Ending::Stop, Ending::Shutdown]),
            _ => dice.pick(&Ending::ALL),
        };
        Self {
            kind: dice.pick(&[Kind::Bare, Kind::Plain, Kind::Heap]),
            exclusive,
            workers: match exclusive {
                true => 1,
                false => dice.pick(&[1, 1, 2, 3]),
            },
            capacity: 64 << dice.below(7),
            layout: dice.pick(&[SlotLayout::InLine, SlotLayout::Dense]),
            drive,
            wait: dice.pick(&STRATEGIES[..3]),
            max_nap: dice.micros(500..20_000),
            length,
            publishers: match exclusive {
                true => 1,
                false => dice.within(1..5) as usize,
            },
            subscribers: dice.within(1..6) as usize,
            keepers: dice.below(3) as usize,
            rude: dice.pick(&[0, 50, 100]),
            restarts: (0..restarts)
                .map(|n| length / (restarts as u32 + 1) * (n as u32 + 1))
                .collect(),
            abrupt: dice.percent(50),
            ending,
        }
    }

    /// Everything but what depends on the kind of event.
    pub fn build<E: Clone + Send + Sync + 'static>(&self, builder: BusBuilder<E>) -> BusBuilder<E> {
        builder
            .capacity(self.capacity)
            .workers(self.workers)
            .slots(self.layout)
            .pinning(Pinning::Off) // many threads, few cores: the scheduler is to have its way
            .drive(self.drive)
            .wait(self.wait)
            .max_nap(self.max_nap)
            .stop_timeout(Duration::from_secs(20))
    }
}

/// A subscription: what it asks for.
pub fn subscription(dice: &mut Dice, plan: &Plan) -> SubscribeOptions {
    // Spinning costs the others a core.
    let strategies = if dice.percent(10) { 4 } else { 3 };
    let mut options = SubscribeOptions::new()
        .name("guest")
        .wait(dice.pick(&STRATEGIES[..strategies]));
    if let Some(slots) = dice.pick(&[None, None, Some(1), Some(2), Some(4), Some(8)]) {
        options = options.window(slots);
    }
    options = options.on_lap(dice.pick(&[OnLap::Evict, OnLap::Rejoin]));
    if dice.percent(25) {
        let slots = plan.capacity as u64 / 4;
        options = options.lag_limit(slots, dice.micros(1_000..20_000));
    }
    if dice.percent(25) {
        options = options.stall_limit(dice.micros(2_000..20_000));
    }
    if dice.percent(30) {
        options = options.worker(dice.below(plan.workers as u64) as usize);
    }
    options
}
