//! How long a thread spins before it sleeps; how it sleeps and is woken is in [`cell`] and [`notify`].

pub(crate) mod cell;
pub(crate) mod deadline;
pub(crate) mod notify;

use crate::sync::thread;

/// How a thread waits for the next event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitStrategy {
    /// Spins and never gives up its core: the lowest latency, for a core of its own.
    Spin,
    /// Spins a little, then yields to other threads between looks, and never sleeps.
    Yield,
    /// Spins, then yields, then sleeps until woken.
    #[default]
    Backoff,
    /// Sleeps at once.
    Park,
}

/// What a waiting thread is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It spun or yielded: look again.
    Spun,
    /// It is time to sleep.
    Park,
}

/// One wait: from the first look that found nothing to the event.
#[derive(Debug)]
pub(crate) struct Backoff {
    strategy: WaitStrategy,
    steps: u32,
}

impl Backoff {
    /// Spins double up to `2^SPINS` hints, then come yields.
    const SPINS: u32 = 6;
    const YIELDS: u32 = 10;

    pub(crate) fn new(strategy: WaitStrategy) -> Self {
        Backoff { strategy, steps: 0 }
    }

    /// Gives the core a rest, or says that it is time to sleep.
    pub(crate) fn step(&mut self) -> Step {
        let spins_over = self.steps >= Self::SPINS;
        match self.strategy {
            // A model has one core and no time: whoever may sleep, sleeps.
            WaitStrategy::Park => return Step::Park,
            WaitStrategy::Backoff if cfg!(loom) || self.steps >= Self::SPINS + Self::YIELDS => {
                return Step::Park;
            }
            WaitStrategy::Spin => thread::spin_loop(),
            WaitStrategy::Yield | WaitStrategy::Backoff if spins_over => thread::yield_now(),
            WaitStrategy::Yield | WaitStrategy::Backoff => {
                for _ in 0..1u32 << self.steps {
                    thread::spin_loop();
                }
            }
        }
        self.steps = self.steps.saturating_add(1);
        Step::Spun
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn strategies_sleep_when_their_names_say() {
        let sleeps = |strategy| {
            let mut backoff = Backoff::new(strategy);
            (0..100).position(|_| backoff.step() == Step::Park)
        };
        assert_eq!(sleeps(WaitStrategy::Spin), None);
        assert_eq!(sleeps(WaitStrategy::Yield), None);
        assert_eq!(sleeps(WaitStrategy::Backoff), Some(16));
        assert_eq!(sleeps(WaitStrategy::Park), Some(0));
    }
}
